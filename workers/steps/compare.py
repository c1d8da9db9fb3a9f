"""Look for the part's duplicates among the parts nearest to it."""

from search.duplicates import services as duplicates
from workers import comparisons
from workers.work import Work

recipe = comparisons.recipe


def run(work: Work) -> None:
    duplicates.duplicates_refresh([work.part.pk])
