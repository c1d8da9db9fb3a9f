"""Parts like a part: for its page, and for the category its neighbours suggest.

Works from the vectors that are kept; no file is read.
"""

from django.conf import settings
from django.db import transaction

from catalog.models import Part, Suggestion
from search import embeddings, engines, selectors
from search.encode import Encoded
from search.services import (
    Hit,
    Query,
    Stopwatch,
    candidates_find,
    hits_make,
    rankings_combine,
    rankings_find,
)

# A part is asked about as its file would be: all its views count, shape and looks together.
AS_MESH = Query(kind="mesh")
NEIGHBOURS = 24  # that vote on a category, of four times as many looked at
SUGGESTIONS = 3


def part_encoded(part: Part) -> Encoded:
    """The part's kept vectors as a query; engines it has none for are left out."""
    vectors = {}
    for name in settings.SEARCH.engines:
        rows = embeddings.embeddings_read(part.pk, engines.space(name).key)
        if rows is not None:
            vectors[name] = rows
    return Encoded(vectors, invariants=part.invariants)


def parts_similar(part: Part, *, k: int = 12) -> list[Hit]:
    """The parts most like this one, by all engines together, itself left out."""
    encoded = part_encoded(part)
    if not encoded.vectors:
        return []
    names = list(encoded.vectors)
    found, parts = candidates_find(AS_MESH, names, encoded, k=k + 1, watch=Stopwatch())
    return hits_make([hit for hit in parts if hit.pk != part.pk][:k], found, part.invariants)


def category_suggest(part: Part) -> list[Suggestion]:
    """Write and give the categories that the part's nearest filed neighbours speak for.

    Each neighbour that people have filed votes with its place (reciprocal rank); a category's
    confidence is its share of the votes. What people decided on a suggestion before stays.
    """
    encoded = part_encoded(part)
    neighbours: list[int] = []
    if encoded.vectors:
        rankings, details = rankings_find(
            AS_MESH, list(encoded.vectors), encoded, width=4 * NEIGHBOURS, allowed=None
        )
        neighbours = rankings_combine(AS_MESH, rankings, details).part_ids
    categories = selectors.confirmed_categories(pk for pk in neighbours if pk != part.pk)
    votes: dict[int, float] = {}
    voters = [pk for pk in neighbours if pk in categories][:NEIGHBOURS]
    for place, neighbour in enumerate(voters, 1):
        category = categories[neighbour]
        votes[category] = votes.get(category, 0.0) + 1 / place
    total = sum(votes.values())
    best = sorted(votes.items(), key=lambda vote: (-vote[1], vote[0]))[:SUGGESTIONS]
    with transaction.atomic():
        part.suggestions.filter(accepted__isnull=True).delete()
        decided = set(part.suggestions.values_list("category", flat=True))
        return Suggestion.objects.bulk_create(
            Suggestion(part=part, category_id=category, confidence=vote / total)
            for category, vote in best
            if category not in decided
        )
