"""A part goes on in the workers that embed, which may be on another machine with a graphics card.

With `STLCATALOG_EMBED_QUEUE` the ingest workers stop before the embed step and leave the part's
views, exactly as they were drawn, in the storage; a worker of that queue takes them from there,
embeds and ends the part. What is left there may be lost: the views are then drawn again.
"""

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from catalog.models import Part
from catalog.queue import LOST_AFTER, SOON, enqueue
from search.remote import wire
from workers.claims import part_release
from workers.work import Work

TASK = "workers.part_embed"


def is_elsewhere() -> bool:
    """Whether the workers of another queue embed."""
    return bool(settings.EMBED_QUEUE)


def part_hand_over(work: Work, *, recipe: str) -> None:
    """Leave the drawn views of this recipe where they are found, and the part to who embeds.

    At the size people see, which most networks want; a network that wants another has them drawn.
    """
    name, views = _name(work.part), work.views.at(settings.SEARCH.render.size)
    if default_storage.exists(name):
        default_storage.delete(name)
    default_storage.save(name, ContentFile(wire.pack({"recipe": recipe}, [views])))
    resend_at = timezone.now() + LOST_AFTER
    if part_release(work.part, status=Part.Status.QUEUED, resend_at=resend_at):
        enqueue(TASK, work.part.pk, priority=SOON)


def views_take(work: Work, *, recipe: str) -> None:
    """Use the views that were left for this part, where they are of this recipe."""
    try:
        with default_storage.open(_name(work.part), "rb") as file:
            said, arrays = wire.unpack(file.read())
    except (OSError, ValueError):
        return
    if said.get("recipe") == recipe and len(arrays) == 1:
        work.views.put(arrays[0])


def views_forget(part: Part) -> None:
    default_storage.delete(_name(part))


def _name(part: Part) -> str:
    return f"handover/{part.uuid.hex}"
