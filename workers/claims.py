"""Who works on which part. A claim is a row's update: two workers never hold one part.

A claim names its process, so that a process that died is noticed at once on its own machine, and
by the claim's age from anywhere else.
"""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from catalog.holders import claim_is_dead, me
from catalog.models import Part
from catalog.queue import LATER, enqueue
from catalog.services import LOST_AFTER

# No task runs longer than Celery lets it; a claim older than that is a dead worker's.
LEASE = timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT + 60)
AHEAD_MOST = 200  # more messages than the processes of one worker hold ahead of their turn
SWEEP_MOST = 500  # parts sent again in one sweep; the next comes a minute later

UNFINISHED = (Part.Status.QUEUED, Part.Status.PROCESSING)


def part_claim(part_id: int) -> Part | None:
    """The part, held by this process; None when it is finished, gone, or another's."""
    now = timezone.now()
    part = Part.objects.present().filter(pk=part_id, status__in=UNFINISHED).first()
    if part is None:
        return None
    free = Q(status=Part.Status.QUEUED) | Q(resend_at__lte=now)
    if part.status == Part.Status.PROCESSING and claim_is_dead(part.claimed_by):
        free |= Q(claimed_by=part.claimed_by)
    claimed = (
        Part.objects.present()
        .filter(free, pk=part_id, status__in=UNFINISHED)
        .update(status=Part.Status.PROCESSING, claimed_by=me(), resend_at=now + LEASE)
    )
    if not claimed:
        return None
    return Part.objects.select_related("category").get(pk=part_id)


def part_release(part: Part, **fields: object) -> bool:
    """Give the part up with these values; False when it is no longer this process's."""
    held = Part.objects.filter(pk=part.pk, claimed_by=me(), status=Part.Status.PROCESSING)
    return bool(held.update(claimed_by="", updated_at=timezone.now(), **fields))


def parts_sweep(*, starting: bool = False) -> int:
    """Send again what a dead worker or a lost message left behind. Returns how many parts.

    `starting`: a worker has just come up. One before it may have died with messages it held ahead
    of their turn, which were those of the parts longest in the queue: they are sent again at once.
    """
    now = timezone.now()
    unfinished = Part.objects.present().filter(status__in=UNFINISHED)
    stale = set(
        unfinished.filter(resend_at__lte=now)
        .order_by("resend_at")
        .values_list("pk", flat=True)[:SWEEP_MOST]
    )
    if starting:
        waiting = unfinished.filter(status=Part.Status.QUEUED).order_by("pk")
        stale |= set(waiting.values_list("pk", flat=True)[:AHEAD_MOST])
    held = unfinished.filter(status=Part.Status.PROCESSING).values_list("pk", "claimed_by")
    dead = {pk for pk, claimed_by in held[:SWEEP_MOST] if claim_is_dead(claimed_by)}
    # Only what is waiting is put off: a claim's own time must still run out.
    Part.objects.filter(pk__in=stale, status=Part.Status.QUEUED).update(resend_at=now + LOST_AFTER)
    for part in sorted(stale | dead):
        enqueue("workers.part_ingest", part, priority=LATER)
    return len(stale | dead)
