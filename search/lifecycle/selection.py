"""Which engines are in use: the newest selection, or the configuration's `use` while there is none.

A selection is one row, so a switch is one commit: every process reads the newest one anew for each
request and each part, and keeps it to the end of that request (docs/decisions/0011). With the
names come the spaces the engines were chosen with. An engine that by now makes other vectors is
refused: its queries would be compared with nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from catalog.errors import ServiceError, sentence
from search import encoders
from search.models import Selection

TRIES = 20  # of a change that another one overtakes


@dataclass(frozen=True)
class Chosen:
    """An engine, and the keys of the spaces it was chosen with; none in the configuration's."""

    name: str
    spaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class InUse:
    """The engines in use, the default first. Revision 0 is the configuration's `use`."""

    revision: int
    engines: tuple[Chosen, ...]

    @cached_property
    def names(self) -> list[str]:
        """Those that the configuration (still) describes."""
        return [of.name for of in self.engines if of.name in settings.SEARCH.engines]


_pin: ContextVar[list[InUse] | None] = ContextVar("selection", default=None)


@contextmanager
def selection_pinned() -> Iterator[None]:
    """Inside, the selection stays what it was when it was first asked for."""
    if _pin.get() is not None:
        yield
        return
    token = _pin.set([])
    try:
        yield
    finally:
        _pin.reset(token)


def selection_current() -> InUse:
    """The selection that holds here: the pinned one, else the newest. One small query at most."""
    pin = _pin.get()
    if pin is None:
        return selection_newest()
    if not pin:
        pin.append(selection_newest())
    return pin[0]


def configured() -> InUse:
    """What a catalogue uses in which nobody has chosen yet."""
    search = settings.SEARCH
    return InUse(0, tuple(Chosen(name) for name in search.use or search.engines))


def selection_newest() -> InUse:
    row = Selection.objects.order_by("-revision").values_list("revision", "engines").first()
    return selection_of(*row) if row else configured()


def selection_of(revision: int, engines: Sequence[dict[str, Any]]) -> InUse:
    return InUse(revision, tuple(Chosen(of["name"], tuple(of["spaces"])) for of in engines))


# What the encoders say by now ---------------------------------------------------------------------


def space_keys(name: str) -> list[str]:
    """Keys of the spaces that the engine's vectors live in.

    Raises `ServiceError` (503) where its weights cannot be had.
    """
    from search.engine.errors import EngineError

    try:
        both = (encoders.space(name), encoders.words_space(name))
    except EngineError as error:
        raise ServiceError(error.code, status=503, **error.params) from error
    return list(dict.fromkeys(space.key for space in both if space))


def follows(name: str) -> bool:
    """Whether the engine's weights are the product's own, which change with its version only.

    Then the newer ones are meant, and the catalogue follows them; anybody else's files may have
    been exchanged by mistake.
    """
    engine = settings.SEARCH.engines.get(name)
    if engine is None:
        return False
    if engine.encoder == "shape":
        return True
    folder = getattr(engine, "weights", None)
    return engine.encoder == "mini" and (settings.BASE / folder).resolve() == settings.MODELS


def is_changed(of: Chosen) -> bool:
    """Whether the engine makes other vectors than those it was chosen with.

    Raises `ServiceError` as `space_keys` does.
    """
    if not of.spaces or follows(of.name):
        return False
    return set(of.spaces) != set(space_keys(of.name))


def engines_check(names: Sequence[str]) -> None:
    """Raises `EncoderError` for one in use that makes other vectors than it was chosen with.

    Those which the selection does not name are not its business.
    """
    from search.engine.errors import EncoderError

    for of in selection_current().engines:
        if of.name in names and is_changed(of):
            sentence = f"The engine {of.name} makes other vectors than it was chosen with."
            raise EncoderError("engine_changed", sentence, engine=of.name)


def faults(used: InUse | None = None) -> list[tuple[str, str]]:
    """What is wrong with the engines in use, each one's name with a sentence."""
    found = []
    for of in (used or selection_current()).engines:
        if of.name not in settings.SEARCH.engines:
            found.append((of.name, sentence("engine_gone", {"engine": of.name})))
            continue
        try:
            if is_changed(of):
                found.append((of.name, sentence("engine_changed", {"engine": of.name})))
        except ServiceError as error:
            found.append((of.name, str(error)))
    return found


# Changes ------------------------------------------------------------------------------------------


def selection_add(
    change: Callable[[InUse], Sequence[Chosen]],
    *,
    note: str = "",
    user: Any = None,
    seen: int | None = None,
) -> InUse:
    """Append what `change` makes of the newest selection; engines without spaces get today's.

    Of two at once, the later one changes what the earlier one made. `seen` is the revision that
    somebody decided by: another one by now is refused. A change that changes nothing is no
    selection: going back from it would not go back. Raises `ServiceError`.
    """
    for _try in range(TRIES):
        now = selection_newest()
        if seen is not None and seen != now.revision:
            raise ServiceError("selection_moved", status=409)
        try:
            # What `change` locks and looks at stays so until the row is there.
            with transaction.atomic():
                rows = [{"name": of.name, "spaces": _spaces_of(of)} for of in change(now)]
                if now.revision and selection_of(now.revision, rows) == now:
                    return now
                made = Selection.objects.create(
                    revision=now.revision + 1, engines=rows, note=note[:200], made_by=user
                )
        except IntegrityError:
            continue
        selection_forget()
        return selection_of(made.revision, made.engines)
    raise ServiceError("selection_moved", status=409)


def _spaces_of(of: Chosen) -> list[str]:
    """Of an engine whose vectors were exchanged since, those it was chosen with stay written."""
    return list(of.spaces) if of.spaces and not follows(of.name) else space_keys(of.name)


def selection_forget() -> None:
    """What is pinned here is asked for anew."""
    pin = _pin.get()
    if pin is not None:
        pin.clear()


def selection_before() -> InUse:
    """The selection before the newest. Raises `ServiceError` when there never was another."""
    now = selection_newest()
    if now.revision == 0:
        raise ServiceError("selection_first", status=409)
    return selection_at(now.revision - 1)


def selection_at(revision: int) -> InUse:
    """The selection of this revision; 0 is the configuration's. Raises `ServiceError`."""
    if revision == 0:
        return configured()
    row = Selection.objects.filter(revision=revision).first()
    if row is None:
        raise ServiceError("selection_unknown", status=404, revision=revision)
    return selection_of(row.revision, row.engines)
