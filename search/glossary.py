"""The glossary as this process holds it: read once, read anew when the staff has changed it.

One small query before each use tells whether anything changed. Each row counts its own changes, so
the sums move with every commit, in whatever order commits come, and no process need be told.
"""

from functools import lru_cache

from django.db.models import Count, Max, Sum

from search.expand import Glossary, glossary_make, terms_split
from search.models import Synonym


def glossary_current() -> Glossary:
    """The active groups, up to the last commit."""
    version = Synonym.objects.aggregate(
        rows=Count("pk"), changes=Sum("revision"), newest=Max("pk"), which=Sum("pk")
    )
    return _glossary(tuple(version.values()))


@lru_cache(maxsize=1)
def _glossary(version: tuple[int | None, ...]) -> Glossary:
    """A commit between the version's reading and the rows' is read again with its own version."""
    rows = Synonym.objects.filter(active=True).order_by("pk").values_list("terms", flat=True)
    return glossary_make(terms_split(terms) for terms in rows)
