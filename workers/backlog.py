"""Works off rows that wait, a little at a time, so that new uploads never wait behind them."""

import time
from collections.abc import Callable
from typing import TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)

BATCH = 50


def backlog_work(
    due: Callable[[], QuerySet[Row]],
    one: Callable[[Row], int],
    *,
    seconds: float,
    least: float = 0.0,
    gives_way: Callable[[], bool] = lambda: False,
) -> int:
    """Give each row of `due`, with its part, to `one`, in order, for so long at most; the sum of
    its answers.

    Asked batch by batch, since what is due changes while it is worked off. Ends after `least`
    seconds when there is other work that it gives way to.
    """
    begun, done, last = time.monotonic(), 0, 0
    while rows := list(due().filter(pk__gt=last).select_related("part").order_by("pk")[:BATCH]):
        for row in rows:
            spent = time.monotonic() - begun
            if spent > seconds or (spent >= least and gives_way()):
                return done
            done += one(row)
        last = rows[-1].pk
    return done
