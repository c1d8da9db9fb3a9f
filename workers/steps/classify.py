"""Suggest categories, unless people have filed the part already."""

from search.neighbours import category_suggest
from workers.steps import embed
from workers.work import Work


def recipe() -> str:
    return f"neighbours-1 {embed.recipe()}"[:120]


def run(work: Work) -> None:
    work.part.refresh_from_db(fields=["category"])
    if work.part.category_id is None:
        category_suggest(work.part)
