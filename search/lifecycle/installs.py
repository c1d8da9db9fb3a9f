"""Engines whose vectors are kept: begun, paused, counted, finished.

An installed engine has a row, and its vectors are kept whole until it is removed, in use or not:
what was switched away can be switched back. The workers fill it (`workers/filling.py`); the rows
here say how far they are and what to do next. `switching.py` puts installed engines to use.
"""

import logging
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from catalog.errors import ServiceError
from catalog.models import Part
from catalog.queue import enqueue
from search import engines
from search.lifecycle import selection
from search.models import Embedding, EngineInstall, InstallFault, Space

log = logging.getLogger(__name__)

State = EngineInstall.State
# Vectors of new uploads are made for these, too; a paused one catches up when it goes on.
KEPT = (State.FILLING, State.FINISHING, State.READY)

SLICE = 20  # parts that a worker takes at once; one that dies leaves so many to the second look
TRIES = 5  # of a part by causes that may pass, each in another run
TROUBLE = "machine_trouble"  # the code of a fault that is to be tried again
STALE = timedelta(minutes=5)  # without a sign of life, the filling is sent again
BUILD_STALE = timedelta(hours=1)  # who builds a large index gives none, and may take so long


# Begin, pause, go on ------------------------------------------------------------------------------


def engine_install(name: str, *, user: Any = None, upgrade: bool = False) -> EngineInstall:
    """Begin to make the engine's vectors for every part, or go on with it. Raises `ServiceError`.

    One that was installed with other weights is begun anew.
    """
    keys = keys_now(name)
    row, made = EngineInstall.objects.get_or_create(
        engine=name, defaults={"spaces": keys, "upgrade": upgrade, "made_by": user}
    )
    if row.state == State.REMOVING:
        raise ServiceError("engine_removing", status=409, engine=name)
    if not made and row.spaces != keys:
        EngineInstall.objects.filter(pk=row.pk).update(
            spaces=keys, cursor=None, state=State.FILLING, upgrade=upgrade, evaluation=None,
            started_at=timezone.now(), finished_at=None, done=0, rate=None,
        )  # fmt: skip
        row.faults.all().delete()
    elif not made and row.state in {State.PAUSED, State.FAILED}:
        return install_resume(row)
    elif not made:
        return row
    row.refresh_from_db()
    install_count(row, cheap=True)
    install_send(row)
    return row


def keys_now(name: str) -> list[str]:
    """The spaces the engine makes vectors of by now. Raises `ServiceError`."""
    if name not in settings.SEARCH.engines:
        known = ", ".join(settings.SEARCH.engines)
        raise ServiceError("engine_not_configured", status=404, engine=name[:60], known=known)
    return selection.space_keys(name)


def install_get(name: str) -> EngineInstall:
    row = EngineInstall.objects.filter(engine=name).first()
    if row is None:
        raise ServiceError("engine_not_installed", status=404, engine=name[:60])
    return row


def install_pause(row: EngineInstall) -> None:
    """The worker notices before its next part. Only what is being filled can be paused."""
    paused = EngineInstall.objects.filter(pk=row.pk, state=State.FILLING).update(state=State.PAUSED)
    row.refresh_from_db()
    if not paused and row.state != State.PAUSED:
        raise ServiceError("engine_not_filling", status=409, engine=row.engine)


def install_resume(row: EngineInstall) -> EngineInstall:
    """Go on, also after a failure: parts that could not be embedded are tried again."""
    again = EngineInstall.objects.filter(
        Q(state__in=(State.PAUSED, State.FAILED)) | Q(state=State.READY, faults__isnull=False),
        pk=row.pk,
    )
    if again.exists():
        row.faults.all().delete()
        EngineInstall.objects.filter(pk=row.pk).exclude(state=State.REMOVING).update(
            state=State.FILLING, error_code="", error_params={}
        )
        install_send(row)
    row.refresh_from_db()
    return row


def install_send(row: EngineInstall) -> None:
    """Ask the workers to fill it; messages sent before no longer count."""
    EngineInstall.objects.filter(pk=row.pk).update(ticket=F("ticket") + 1, active_at=timezone.now())
    row.refresh_from_db()
    enqueue("workers.engine_fill", row.pk, row.ticket)


def installs_sweep(*, starting: bool = False) -> int:
    """Send again what no worker has been at for long; all of it when a worker has just come up."""
    at_work = EngineInstall.objects.filter(
        state__in=(State.FILLING, State.FINISHING, State.REMOVING)
    )
    now = timezone.now()
    quiet = Q(active_at__lt=now - STALE) & ~Q(state=State.FINISHING)
    gone = Q(active_at=None) | quiet | Q(active_at__lt=now - BUILD_STALE)
    due = at_work if starting else at_work.filter(gone)
    rows = list(due)
    for row in rows:
        if row.state == State.REMOVING:
            enqueue("workers.engine_remove", row.pk)
            continue
        # Whoever was finishing it is gone: what it had not done is done again.
        EngineInstall.objects.filter(pk=row.pk, state=State.FINISHING).update(state=State.FILLING)
        install_send(row)
    return len(rows)


def install_reopen(row: EngineInstall) -> None:
    """An engine called ready lacks parts: fill it again."""
    if EngineInstall.objects.filter(pk=row.pk, state=State.READY).update(state=State.FILLING):
        install_send(row)
    row.refresh_from_db()


def install_fail(row: EngineInstall, code: str, params: dict[str, Any]) -> None:
    """The engine itself cannot embed anything; whoever mends it sends it on its way again."""
    EngineInstall.objects.filter(pk=row.pk).exclude(state=State.REMOVING).update(
        state=State.FAILED, error_code=code, error_params=params
    )


# What is left to do -------------------------------------------------------------------------------


def parts_ready() -> QuerySet[Part]:
    return Part.objects.present().filter(status=Part.Status.READY)


def parts_lacking(keys: Collection[str]) -> QuerySet[Part]:
    """Ready parts that have no vectors in one of these spaces. Reads every part."""
    spaces = dict(Space.objects.filter(key__in=keys).values_list("key", "pk"))
    lacking = Q(pk__in=())
    for key in keys:
        if key not in spaces:
            return parts_ready()
        held = Embedding.objects.filter(part=OuterRef("pk"), space=spaces[key])
        lacking |= ~Exists(held)
    return parts_ready().filter(lacking)


def parts_left(row: EngineInstall) -> QuerySet[Part]:
    """Parts still to be embedded; those that cannot be are not among them."""
    faults = InstallFault.objects.filter(install=row, part=OuterRef("pk")).exclude(
        error_code=TROUBLE
    )
    return parts_lacking(row.spaces).filter(~Exists(faults))


def slice_take(row: EngineInstall) -> list[int] | None:
    """The next ready parts down from the newest, which no other worker gets; None at the end.

    The cursor is moved by whoever read it last, so workers never hold the same slice. What a
    worker leaves undone, `parts_left` finds when all slices are taken.
    """
    while True:
        row.refresh_from_db()
        if row.state != State.FILLING:
            return None
        below = parts_ready()
        if row.cursor is not None:
            below = below.filter(pk__lt=row.cursor)
        ids = list(below.order_by("-pk").values_list("pk", flat=True)[:SLICE])
        if not ids:
            return None
        same = EngineInstall.objects.filter(pk=row.pk, state=State.FILLING, spaces=row.spaces)
        at = Q(cursor=row.cursor) if row.cursor is not None else Q(cursor__isnull=True)
        if same.filter(at).update(cursor=ids[-1]):
            return ids


def install_count(row: EngineInstall, *, cheap: bool = False) -> int:
    """Count the parts and those that lack vectors; how many do. `cheap`: only the parts."""
    total = parts_ready().count()
    missing = 0 if cheap else parts_lacking(row.spaces).count()
    fields = {"total": total} if cheap else {"total": total, "done": total - missing}
    EngineInstall.objects.filter(pk=row.pk).update(**fields)
    row.refresh_from_db()
    return missing


def install_finish(row: EngineInstall) -> None:
    """All parts are there: build the snapshots and call it ready. Once, by one worker.

    When that is for the first time, it is measured beside the engines in use.
    """
    from search.indices import index_compact

    mine = EngineInstall.objects.filter(pk=row.pk, state=State.FILLING)
    if not mine.update(state=State.FINISHING, active_at=timezone.now()):
        return
    first = row.finished_at is None
    if first:
        for key in row.spaces:
            if Space.objects.filter(key=key).exists():
                index_compact(key)
    install_count(row)
    still = EngineInstall.objects.filter(pk=row.pk, state=State.FINISHING)
    done = still.update(state=State.READY, finished_at=timezone.now(), rate=None)
    if done and first and row.engine not in engines.in_use():
        install_measure(row, user=row.made_by)
    row.refresh_from_db()


def install_measure(row: EngineInstall, *, user: Any = None) -> None:
    """Ask for an evaluation beside the engines in use; with nothing judged it says so itself."""
    from search.evaluation.services import Plan, evaluation_start

    used = [name for name in engines.in_use() if name != row.engine]
    run = evaluation_start(
        names=[*used, row.engine], plan=Plan(threads=0), note=f"install {row.engine}", by=user
    )
    EngineInstall.objects.filter(pk=row.pk).update(evaluation=run)
    row.refresh_from_db()


# New parts ----------------------------------------------------------------------------------------


def kept_beside(names: Collection[str]) -> list[EngineInstall]:
    """Installed engines, apart from those named, that can embed what comes in now."""
    return [
        row
        for row in EngineInstall.objects.filter(state__in=KEPT).exclude(engine__in=names)
        if is_current(row)
    ]


def kept_whole() -> list[EngineInstall]:
    """Installed engines, filled or not, that still make the vectors they were installed with."""
    return [row for row in EngineInstall.objects.exclude(state=State.REMOVING) if is_current(row)]


def is_current(row: EngineInstall) -> bool:
    """Whether the engine, if it is still configured, makes the vectors it was installed with."""
    if row.engine not in settings.SEARCH.engines:
        return False
    try:
        return set(selection.space_keys(row.engine)) == set(row.spaces)
    except ServiceError:
        return False


def fault_keep(row: EngineInstall, part_id: int, code: str, params: dict[str, Any]) -> None:
    """This part cannot be embedded by this engine. Nothing is kept of one that is gone by now."""
    if not Part.objects.filter(pk=part_id).exists():
        return
    InstallFault.objects.update_or_create(
        install=row, part_id=part_id, defaults={"error_code": code, "error_params": params}
    )


def trouble_keep(row: EngineInstall, part_id: int, detail: str) -> bool:
    """A cause that may pass kept this part from being embedded. Whether it is worth another try.

    A file that is lost looks like storage that is away: after some tries the part is given up.
    """
    held = row.faults.filter(part=part_id, error_code=TROUBLE).first()
    attempts = 1 + (held.error_params.get("attempts", 0) if held else 0)
    if attempts >= TRIES:
        fault_keep(row, part_id, "gave_up_on", {"attempts": attempts, "detail": detail})
        return False
    fault_keep(row, part_id, TROUBLE, {"attempts": attempts, "detail": detail})
    return True


def trouble_forget(row: EngineInstall, part_id: int) -> None:
    """It passed."""
    row.faults.filter(part=part_id).delete()


def part_arrived(part_id: int) -> None:
    """A part became ready: an installed engine that lacks it has something to do again.

    Asked after the part is ready, so that one whose filling began and ended meanwhile is noticed.
    """
    installs = list(EngineInstall.objects.filter(state=State.READY))
    if not installs:
        return
    held = spaces_held(part_id)
    for row in installs:
        if set(row.spaces) <= held or row.faults.filter(part=part_id).exists():
            continue
        install_reopen(row)


def spaces_held(part_id: int) -> set[str]:
    """Keys of the spaces in which the part has vectors."""
    return set(Embedding.objects.filter(part=part_id).values_list("space__key", flat=True))


def keys_untended() -> set[str]:
    """Spaces of which no snapshots need be built meanwhile: being filled unused, or removed."""
    used = engines.in_use()
    rows = EngineInstall.objects.filter(
        state__in=(State.FILLING, State.PAUSED, State.FINISHING, State.FAILED, State.REMOVING)
    ).exclude(engine__in=used)
    busy = {key for row in rows for key in row.spaces}
    others = EngineInstall.objects.exclude(pk__in=[row.pk for row in rows])
    return busy - {key for row in others for key in row.spaces} - keys_in_use()


def keys_in_use() -> set[str]:
    """The spaces that queries are answered from, and those the engines in use were chosen with."""
    keys = {key for of in selection.selection_current().engines for key in of.spaces}
    for name in engines.in_use():
        try:
            keys |= set(selection.space_keys(name))
        except ServiceError as error:
            log.warning("engine %s: %s", name, error)
    return keys
