"""Puts installed engines to use, back out of use, and away.

Each change appends a selection (`selection.py`): one commit, seen by the next request of every
process. Only what is whole goes into use, and only what is out of use is removed.
"""

import logging
import shutil
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from catalog.errors import ServiceError
from catalog.queue import enqueue
from search import encoders, engines
from search.lifecycle import installs, selection
from search.lifecycle.selection import Chosen, InUse
from search.models import Embedding, EngineInstall, Selection, Snapshot, Space

log = logging.getLogger(__name__)

State = EngineInstall.State
LOOK_AGAIN = 20  # seconds for which weights that are missing are believed to be
BATCH = 500  # rows of vectors deleted in one transaction


def engine_activate(
    name: str,
    *,
    instead_of: str = "",
    first: bool = False,
    force: bool = False,
    user: Any = None,
    seen: int | None = None,
) -> InUse:
    """Answer queries by this engine: beside those in use, or instead of one of them.

    `first` makes it the default. Raises `ServiceError` for one that is not whole, unless forced;
    `seen` is the revision of the selection that this was decided by.
    """

    def change(now: InUse) -> list[Chosen]:
        installs.keys_now(name)  # refuses one that is not described, or has no weights
        held = next((chosen for chosen in now.engines if chosen.name == name), None)
        of = held if held and not selection.is_changed(held) else _whole(name, force=force)
        names = [chosen.name for chosen in now.engines]
        if instead_of and instead_of not in names:
            raise ServiceError("engine_not_in_use", status=409, engine=instead_of[:60])
        place = names.index(instead_of or name) if instead_of or name in names else len(names)
        rest = [chosen for chosen in now.engines if chosen.name not in {name, instead_of}]
        place -= sum(chosen.name == name for chosen in now.engines[:place])
        rest.insert(0 if first else place, of)
        return rest

    return _switch(change, note=f"activate {name}", user=user, seen=seen)


def engine_retire(name: str, *, user: Any = None, seen: int | None = None) -> InUse:
    """Answer no more queries by this engine; its vectors stay. Raises `ServiceError`."""

    def change(now: InUse) -> list[Chosen]:
        rest = [chosen for chosen in now.engines if chosen.name != name]
        if len(rest) == len(now.engines):
            raise ServiceError("engine_not_in_use", status=409, engine=name[:60])
        if not InUse(now.revision, tuple(rest)).names:
            raise ServiceError("engine_last", status=409, engine=name)
        return rest

    return _switch(change, note=f"retire {name}", user=user, seen=seen)


def engine_rollback(
    *, to: int | None = None, force: bool = False, user: Any = None, seen: int | None = None
) -> InUse:
    """Use the engines of the selection before the newest again, or those of revision `to`.

    Raises `ServiceError` when one of them is no longer whole.
    """
    target = selection.selection_before() if to is None else selection.selection_at(to)

    def change(now: InUse) -> list[Chosen]:
        held = {chosen.name: chosen for chosen in now.engines}
        return [held.get(of.name) or _whole(of.name, force=force, like=of) for of in target.engines]

    return _switch(change, note=f"rollback to {target.revision}", user=user, seen=seen)


def _whole(name: str, *, force: bool, like: Chosen | None = None) -> Chosen:
    """The engine as it was installed, its row locked until the switch is done."""
    keys = installs.keys_now(name)
    row = EngineInstall.objects.select_for_update().filter(engine=name).first()
    if row is None or row.state == State.REMOVING:
        raise ServiceError("engine_not_installed", status=409, engine=name)
    if set(row.spaces) != set(keys):
        raise ServiceError("engine_changed", status=409, engine=name)
    if like and like.spaces and not selection.follows(name) and set(like.spaces) != set(keys):
        raise ServiceError("engine_changed", status=409, engine=name)
    if force:
        return Chosen(name, tuple(keys))
    if row.state != State.READY:
        raise ServiceError(
            "engine_not_filled", status=409, engine=name, done=row.done, total=row.total
        )
    if row.missing:
        raise ServiceError("engine_lacks_parts", status=409, engine=name, n=row.missing)
    return Chosen(name, tuple(keys))


def _switch(change: Any, *, note: str, user: Any, seen: int | None) -> InUse:
    before = selection.selection_current().names
    _adopt(before)
    made = selection.selection_add(change, note=note, user=user, seen=seen)
    # What classifies is the first engine that knows words: with another, all is suggested anew.
    if _words_engine(before) != _words_engine(made.names):
        enqueue("workers.suggestions_renew")
    return made


def _words_engine(names: Sequence[str]) -> str | None:
    """The first that knows words; one that cannot be loaded now knows none."""
    for name in names:
        with engines.engine_fault(name, {}):
            if encoders.words_space(name):
                return name
    return None


def _adopt(names: Sequence[str]) -> None:
    """Keep what the configuration put to use as if it had been installed: it is switched back to.

    Its vectors were made by the pipeline; the sweep counts whether they are whole.
    """
    for name in names:
        if EngineInstall.objects.filter(engine=name).exists():
            continue
        try:
            keys = selection.space_keys(name)
        except ServiceError as error:
            log.warning("engine %s is not kept: %s", name, error)
            continue
        now = timezone.now()
        EngineInstall.objects.get_or_create(
            engine=name, defaults={"spaces": keys, "state": State.READY, "finished_at": now}
        )


# Removal ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Loss:
    """What goes with an engine that is removed."""

    keys: list[str]  # spaces that no other engine needs
    shared: list[str]  # spaces that stay, for others
    selections: list[int]  # revisions that cannot be gone back to


def removal_loss(row: EngineInstall) -> Loss:
    """What `engine_remove` would delete. Raises `ServiceError` while the engine is in use."""
    _out_of_use(row.engine)
    keys = _keys_own(row)
    recent = Selection.objects.order_by("-revision")[:20]
    back = [of.revision for of in recent if any(e["name"] == row.engine for e in of.engines)]
    return Loss(
        keys=keys,
        shared=[key for key in row.spaces if key not in keys],
        selections=back,
    )


def engine_remove(name: str) -> EngineInstall:
    """Mark the engine's vectors for removal; workers delete them. Refused while it is in use."""
    with transaction.atomic():
        row = EngineInstall.objects.select_for_update().filter(engine=name).first()
        if row is None:
            raise ServiceError("engine_not_installed", status=404, engine=name[:60])
        _out_of_use(name)
        row.state, row.active_at = State.REMOVING, timezone.now()
        row.save(update_fields=["state", "active_at"])
        enqueue("workers.engine_remove", row.pk)
    return row


def _out_of_use(name: str) -> None:
    if name in {of.name for of in selection.selection_newest().engines}:
        raise ServiceError("engine_in_use", status=409, engine=name)


def removal_work(row: EngineInstall, *, seconds: float) -> bool:
    """Delete a little, for so long at most. True when there is nothing left."""
    if row.state != State.REMOVING:
        return True
    if not keys_drop(_keys_own(row), seconds=seconds):
        EngineInstall.objects.filter(pk=row.pk).update(active_at=timezone.now())
        return False
    row.delete()
    return True


def keys_drop(keys: Collection[str], *, seconds: float = float("inf")) -> bool:
    """Delete spaces: their vectors in small batches, then snapshots and files. True when done."""
    from search.indices import snapshots_root

    until = time.monotonic() + seconds
    for space in Space.objects.filter(key__in=keys):
        while ids := list(
            Embedding.objects.filter(space=space)
            .order_by("seq")
            .values_list("pk", flat=True)[:BATCH]
        ):
            if time.monotonic() > until:
                return False
            Embedding.objects.filter(pk__in=ids).delete()
        Snapshot.objects.filter(space=space).delete()
        shutil.rmtree(snapshots_root() / space.key, ignore_errors=True)
        space.delete()
    return True


def keys_orphaned() -> list[str]:
    """Spaces that no engine installed or in use has: left by weights that were exchanged."""
    kept = installs.keys_in_use()
    for row in EngineInstall.objects.all():
        kept.update(row.spaces)
    held = Space.objects.exclude(key__in=kept).order_by("key").values_list("key", flat=True)
    return list(held)


def _keys_own(row: EngineInstall) -> list[str]:
    """The engine's spaces that no other engine has, nor one in use."""
    others = installs.keys_in_use()
    for other in EngineInstall.objects.exclude(pk=row.pk):
        others.update(other.spaces)
    return [key for key in row.spaces if key not in others]


# What there is ------------------------------------------------------------------------------------


def engine_facts() -> list[dict[str, Any]]:
    """Every engine, those in use first, for /api/engines/.

    One that was chosen or installed and that the configuration no longer describes is there too:
    it can be taken out of use, and removed.
    """
    used = [of.name for of in selection.selection_current().engines]
    rows = {row.engine: row for row in EngineInstall.objects.all()}
    names = dict.fromkeys([*used, *settings.SEARCH.engines, *rows])
    return [_facts(name, used, rows.get(name)) for name in names]


def _facts(name: str, used: list[str], row: EngineInstall | None) -> dict[str, Any]:
    looks = words = None
    fault = ""
    described = settings.SEARCH.engines.get(name)
    # What is not there is looked for again only now and then: the page asks every few seconds.
    missing = cache.get(f"engine:missing:{name}") if name not in used else None
    try:
        if missing:
            raise ServiceError(missing[0], **missing[1])
        if described is None:
            code = "engine_gone" if name in used else "engine_undescribed"
            raise ServiceError(code, engine=name)
        with engines.engine_errors():
            looks, words = encoders.space(name), encoders.words_space(name)
    except ServiceError as error:
        fault = str(error)
        if not missing and described:
            cache.set(f"engine:missing:{name}", (error.code, error.params), LOOK_AGAIN)
    return {
        "name": name,
        "label": engines.label(name),
        "configured": described is not None,
        "in_use": name in used,
        "default": engines.in_use()[:1] == [name],
        "installed": row.facts() if row else None,
        "weights": looks is not None,
        "weights_error": fault or None,
        "encoder": looks.encoder if looks else described and described.encoder,
        "space": looks and looks.key,
        "dimensions": looks and looks.d,
        "words_space": words and words.key,
        "words_dimensions": words and words.d,
        "kinds": [kind for kind in engines.KINDS if name in engines.engine_names(kind)],
    }
