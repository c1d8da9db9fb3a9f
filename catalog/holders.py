"""Who holds which row: a part, an inspection, a batch. A claim is a row's update, so two workers
never hold one.

A claimed row says by whom it is held (`claimed_by`) and until when (`resend_at`): a holder that
died is noticed at once on its own machine, and by the claim's age from anywhere else. Of a row that
waits, `resend_at` says when its message is taken for lost. Which rows wait and which are held their
rooms say (`workers/claims.py`, `search/inspection/claims.py`).
"""

import os
import socket
import threading
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from catalog.queue import LOST_AFTER

AHEAD_MOST = 200  # more messages than the processes of one worker hold ahead of their turn
SWEEP_MOST = 500  # rows sent again in one sweep; the next comes a minute later


def me() -> str:
    """This thread of this process of this machine."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"


def claim_is_dead(claimed_by: str) -> bool:
    """Whether the claim's process was on this machine and is no more.

    A process whose number was given to another one looks alive; its claim's age tells later.
    """
    host, _colon, worker = claimed_by.partition(":")
    pid = worker.partition(":")[0]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    if claimed_by == me():
        # The very thread that claimed it is here asking again: the task that did is over.
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def claimable(row: Any, *, waiting: Q) -> Q:
    """Whether the row, as it was read, is free still: it waits, its claim is too old, or its
    holder died."""
    free = waiting | Q(resend_at__lte=timezone.now())
    return free | Q(claimed_by=row.claimed_by) if claim_is_dead(row.claimed_by) else free


def claims_sweep(rows: QuerySet[Any], *, waiting: Q, held: Q, starting: bool) -> list[int]:
    """Which of the unfinished rows a dead worker or a lost message left behind: they are to be sent
    again.

    `starting`: a worker has just come up. One before it may have died with messages it held ahead
    of their turn, which were those of the rows longest in the queue: they are sent again at once.
    """
    now = timezone.now()
    lost = rows.filter(resend_at__lte=now).order_by("resend_at")
    stale = set(lost.values_list("pk", flat=True)[:SWEEP_MOST])
    if starting:
        ahead = rows.filter(waiting).order_by("pk")
        stale |= set(ahead.values_list("pk", flat=True)[:AHEAD_MOST])
    claims = rows.filter(held).values_list("pk", "claimed_by")[:SWEEP_MOST]
    dead = {pk for pk, claimed_by in claims if claim_is_dead(claimed_by)}
    # Only what is waiting is put off: a claim's own time must still run out.
    rows.filter(waiting, pk__in=stale).update(resend_at=now + LOST_AFTER)
    return sorted(stale | dead)
