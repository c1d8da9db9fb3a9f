"""Which part a piece should be: found by words, by a photo, or inspected a moment ago."""

from dataclasses import dataclass

from django.conf import settings

from catalog.errors import ServiceError
from catalog.models import Part
from catalog.words import parts_by_words
from search.models import Inspection
from search.query import Query
from search.services import search_run

MOST = 8
# The newest inspections among which the last inspected parts are looked for.
LOOKED_THROUGH = 60


@dataclass(frozen=True)
class Choice:
    """A part to choose; `percent`: how sure the search by photo is of it, None by words."""

    part: Part
    percent: int | None = None


def parts_found(words: str) -> list[Choice]:
    """Parts that are ready, best first; without words the ones inspected last, then the newest."""
    words = words[:200]
    if words:
        ids = [match.part for match in parts_by_words(words, limit=4 * MOST)]
    else:
        newest = Inspection.objects.order_by("-pk").values_list("part_id", flat=True)
        ids = list(dict.fromkeys(newest[:LOOKED_THROUGH]))
    ready = Part.objects.present().filter(status=Part.Status.READY).select_related("category")
    held = {part.pk: part for part in ready.filter(pk__in=ids)}
    found = [held[pk] for pk in ids if pk in held][:MOST]
    if not words and len(found) < MOST:
        found += list(ready.exclude(pk__in=ids).order_by("-pk")[: MOST - len(found)])
    return [Choice(part) for part in found]


def parts_by_photo(photo: bytes) -> list[Choice]:
    """Parts that look like the photo, best first. Raises `ServiceError` for what is no picture."""
    if not photo:
        raise ServiceError("image_missing")
    verify = settings.SEARCH.search.verify_page
    answer = search_run(Query(kind="image", image=photo, k=MOST, verify=verify))
    return [Choice(hit.part, hit.percent if hit.shows_strength else None) for hit in answer.results]
