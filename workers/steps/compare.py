"""Look for the part's duplicates among the parts nearest to it."""

from search import duplicates
from workers import comparisons
from workers.work import Work

recipe = comparisons.recipe


def run(work: Work) -> None:
    duplicates.duplicates_refresh([work.part.pk])
