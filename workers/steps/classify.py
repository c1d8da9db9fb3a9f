"""Suggest categories; of a part that people have filed already, to the parts near it."""

from workers import suggestions
from workers.work import Work

recipe = suggestions.recipe


def run(work: Work) -> None:
    work.part.refresh_from_db(fields=["category"])
    if work.part.category_id is None:
        suggestions.suggest(work.part)
    else:
        suggestions.around_mark(work.part.pk)
