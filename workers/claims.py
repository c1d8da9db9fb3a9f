"""Who works on which part."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from catalog.holders import claimable, claims_sweep, me
from catalog.models import Part
from catalog.queue import LATER, enqueue

# No task runs longer than Celery lets it; a claim older than that is a dead worker's.
LEASE = timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT + 60)

UNFINISHED = (Part.Status.QUEUED, Part.Status.PROCESSING)
WAITING, HELD = Q(status=Part.Status.QUEUED), Q(status=Part.Status.PROCESSING)


def part_claim(part_id: int) -> Part | None:
    """The part, held by this process; None when it is finished, gone, or another's."""
    part = Part.objects.present().filter(pk=part_id, status__in=UNFINISHED).first()
    if part is None:
        return None
    free = Part.objects.present().filter(claimable(part, waiting=WAITING), pk=part_id)
    if not free.filter(status__in=UNFINISHED).update(
        status=Part.Status.PROCESSING, claimed_by=me(), resend_at=timezone.now() + LEASE
    ):
        return None
    return Part.objects.select_related("category").get(pk=part_id)


def part_release(part: Part, **fields: object) -> bool:
    """Give the part up with these values; False when it is no longer this process's."""
    held = Part.objects.filter(pk=part.pk, claimed_by=me(), status=Part.Status.PROCESSING)
    return bool(held.update(claimed_by="", updated_at=timezone.now(), **fields))


def parts_sweep(*, starting: bool = False) -> int:
    """Send again what a dead worker or a lost message left behind. Returns how many parts."""
    unfinished = Part.objects.present().filter(status__in=UNFINISHED)
    left = claims_sweep(unfinished, waiting=WAITING, held=HELD, starting=starting)
    for part in left:
        enqueue("workers.part_ingest", part, priority=LATER)
    return len(left)
