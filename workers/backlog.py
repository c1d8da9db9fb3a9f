"""Works off steps that wait, a little at a time, so that new uploads never wait behind them."""

import time
from collections.abc import Callable

from django.db.models import QuerySet

from catalog.models import PipelineStep

BATCH = 50


def backlog_work(
    due: Callable[[], QuerySet[PipelineStep]],
    one: Callable[[PipelineStep], int],
    *,
    seconds: float,
) -> int:
    """Give each step of `due` to `one`, in order, for so long at most; the sum of its answers.

    Asked batch by batch, since what is due changes while it is worked off.
    """
    until, done, last = time.monotonic() + seconds, 0, 0
    while rows := list(due().filter(pk__gt=last).select_related("part").order_by("pk")[:BATCH]):
        for row in rows:
            if time.monotonic() > until:
                return done
            done += one(row)
        last = rows[-1].pk
    return done
