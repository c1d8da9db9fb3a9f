"""Who works on which task, and what becomes of it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from catalog.holders import claimable, claims_sweep, me
from catalog.queue import LOST_AFTER, NOW, enqueue
from search.inspection.models import Task

State = Task.State
T = TypeVar("T", bound=Task)

# Renewed while the work goes on; older, its worker is dead.
LEASE = timedelta(seconds=180)
STALLS_MOST = 3  # workers that died over a task before it is taken for their cause
RETRY_AFTER = timedelta(seconds=30)
WAITING, HELD = Q(state=State.QUEUED), Q(state=State.RUNNING)


def task_claim(model: type[T], pk: int) -> T | None:
    """The task, held by this process; None when it is finished or another's."""
    row = model._default_manager.filter(pk=pk, state__in=Task.UNFINISHED).first()
    if row is None:
        return None
    rows = model._default_manager.filter(
        claimable(row, waiting=WAITING), pk=pk, state=row.state, revision=row.revision
    )
    died = row.state == State.RUNNING
    if not rows.update(
        state=State.RUNNING, claimed_by=me(), resend_at=timezone.now() + LEASE,
        stalls=F("stalls") + int(died),
    ):  # fmt: skip
        return None
    row.refresh_from_db()
    if row.stalls >= STALLS_MOST:
        task_fail(row, "inspection_died", {"attempts": row.stalls})
        return None
    return row


def task_held(row: T) -> QuerySet[T]:
    """The row as long as it is this process's, of the run that was begun."""
    return type(row)._default_manager.filter(
        pk=row.pk, state=State.RUNNING, claimed_by=me(), revision=row.revision
    )


def task_renew(row: Task, **fields: Any) -> bool:
    """Say that the work goes on; False when it is another's by now, or was asked for anew."""
    return bool(task_held(row).update(resend_at=timezone.now() + LEASE, **fields))


def task_end(row: Task, **fields: Any) -> bool:
    """The task is done, with these fields; False, and nothing written, when it is another's."""
    return bool(
        task_held(row).update(
            **fields,
            state=State.DONE,
            finished_at=timezone.now(),
            error_code="",
            error_params={},
            claimed_by="",
            stalls=0,
        )  # fmt: skip
    )


def task_fail(row: Task, code: str, params: Mapping[str, Any]) -> None:
    task_held(row).update(
        state=State.FAILED, error_code=code, finished_at=timezone.now(), claimed_by="",
        error_params={name: str(value)[:200] for name, value in params.items()},
    )  # fmt: skip


@transaction.atomic
def task_later(row: Task, task: str, code: str) -> None:
    """Put it back for a while, what it needs being away; given up with `code` at the last time."""
    if row.stalls + 1 >= STALLS_MOST:
        task_fail(row, code, {})
        return
    put_back = task_held(row).update(
        state=State.QUEUED, claimed_by="", stalls=F("stalls") + 1,
        resend_at=timezone.now() + RETRY_AFTER,
    )  # fmt: skip
    if put_back:
        enqueue(task, row.pk, countdown=RETRY_AFTER.total_seconds())


@transaction.atomic
def task_again(row: Task, task: str) -> None:
    """Run it anew, whatever is under way: `task` is the name of its message."""
    type(row)._default_manager.filter(pk=row.pk).update(
        state=State.QUEUED, revision=F("revision") + 1, stalls=0, claimed_by="",
        resend_at=timezone.now() + LOST_AFTER, error_code="", error_params={},
    )  # fmt: skip
    enqueue(task, row.pk, priority=NOW)


def tasks_sweep(model: type[Task], task: str, *, starting: bool = False) -> int:
    """Send again what a dead worker or a lost message left behind. Returns how many."""
    unfinished = model._default_manager.filter(state__in=Task.UNFINISHED)
    left = claims_sweep(unfinished, waiting=WAITING, held=HELD, starting=starting)
    for pk in left:
        enqueue(task, pk)
    return len(left)
