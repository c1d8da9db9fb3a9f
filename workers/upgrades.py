"""Keeps engines in use whole when the software brings them new weights, or a space of words.

An upgrade of weights is an install of the same engine: it fills beside what there is, a little at
a time, while the parts stay ready and uploads go first. Since the older weights are gone and
nothing can be asked of their space, the new one answers with what it has.
"""

import hashlib
import logging

from django.core.cache import cache

from catalog.errors import ServiceError
from search import engines
from search.lifecycle import installs, selection
from search.lifecycle.selection import selection_pinned
from search.models import EngineInstall
from workers.filling import Progress, fill
from workers.steps import embed

log = logging.getLogger(__name__)

State = EngineInstall.State
SECONDS = 45
ASK_AGAIN = 3600  # seconds for which "nothing is due" is believed: the question reads every part


@selection_pinned()
def is_due() -> bool:
    """Whether any part waits for vectors of an engine in use, or of one that is kept whole.

    Believed for a while when none does.
    """
    names = _names()
    settled = _settled(names)
    if cache.get(settled):
        return False
    if any(_is_behind(name) for name in names):
        return True
    for row in EngineInstall.objects.filter(state=State.READY):
        installs.install_count(row)
    cache.set(settled, True, ASK_AGAIN)
    return False


def begin() -> list[EngineInstall]:
    """Begin to fill each engine that lacks parts; those that are being filled now."""
    _selection_follow()
    rows = []
    for name in _names():
        if not _is_behind(name):
            continue
        row = EngineInstall.objects.filter(engine=name).first()
        if row is not None and set(row.spaces) == set(selection.space_keys(name)):
            installs.install_reopen(row)
        else:
            row = installs.engine_install(name, upgrade=True)
        rows.append(row)
    return rows


def upgrade(*, seconds: float = SECONDS) -> int:
    """Begin what is due and fill it here, for so long at most. Returns how many were embedded."""
    done = 0
    for row in begin():
        progress = Progress(row, seconds=seconds)
        fill(row, progress)
        done += progress.embedded
    return done


def _names() -> list[str]:
    """The engines in use, and those that are ready to be."""
    used = embed.usable()
    return [*used, *(row.engine for row in installs.kept_beside(engines.in_use()))]


def _settled(names: list[str]) -> str:
    keys = " ".join(space.key for space in engines.spaces(names))
    return f"upgraded:{hashlib.sha256(keys.encode()).hexdigest()}"


def _is_behind(name: str) -> bool:
    """Whether it is being filled, or is called whole and is not."""
    keys = selection.space_keys(name)
    row = EngineInstall.objects.filter(engine=name).first()
    if row is None or set(row.spaces) != set(keys):
        return installs.parts_lacking(keys).exists()
    if row.state == State.FILLING:
        return True
    return row.state == State.READY and installs.parts_left(row).exists()


def _selection_follow() -> None:
    """Write down the newer spaces of the product's own engines, where a selection names older."""
    current = selection.selection_newest()
    try:
        keys = {
            of.name: selection.space_keys(of.name)
            for of in current.engines
            if of.spaces and of.name in current.names and selection.follows(of.name)
        }
    except ServiceError as error:
        log.warning("the selection of engines does not follow: %s", error)
        return
    if any(set(of.spaces) != set(keys.get(of.name, of.spaces)) for of in current.engines):
        selection.selection_add(lambda now: now.engines, note="new weights", seen=current.revision)
