"""Turn the part into vectors, one set for each space of the engines.

The engines in use must succeed. Those that are only kept beside them (being installed, or switched
away from) take what they can get: what fails there is made up for later (`workers/filling.py`).
"""

import logging
from collections.abc import Sequence

from catalog.errors import ServiceError
from search import embeddings, engines
from search.engine.errors import EncoderError, EngineError
from search.lifecycle import installs, selection
from search.models import EngineInstall
from workers.steps import render
from workers.work import Work

log = logging.getLogger(__name__)

VERSION = 1  # raised when the same views are to give other vectors in the same spaces


def recipe() -> str:
    """The views that vectors are made from. Which spaces lack some is asked of the rows."""
    return f"embed-{VERSION} {render.recipe()}"[:120]


def lacks(part_id: int) -> bool:
    """Whether an engine in use has no vectors of the part."""
    try:
        keys = {space.key for space in engines.spaces(usable())}
    except (EngineError, ServiceError):
        return True  # running the step says why
    return not keys <= installs.spaces_held(part_id)


def usable() -> list[str]:
    """The engines in use, apart from any that makes other vectors than it was chosen with: what
    it made now would be found by no query. Raises `ServiceError` where weights cannot
    be had."""
    current = selection.selection_current()
    changed = {of.name for of in current.engines if of.name in current.names
               and selection.is_changed(of)}  # fmt: skip
    for name in changed:
        log.error("engine %s makes other vectors than it was chosen with", name)
    return [name for name in current.names if name not in changed]


def run(work: Work, names: Sequence[str] | None = None) -> None:
    """Embed by these engines; without names, by those in use."""
    from search.encode import part_vectors

    made = part_vectors(work.mesh, usable() if names is None else names, views=work.views)
    for space, vectors in made.items():
        embeddings.embeddings_write(part_id=work.part.pk, space=space, vectors=vectors)


def beside(work: Work, *, anew: bool, here: bool = True) -> None:
    """Embed a part that is ready by the engines that are only kept, `anew` or where it lacks.

    Whatever happens here, the part is found by the engines in use. Where workers of another queue
    embed (not `here`), what is missing is left to them.
    """
    part = work.part.pk
    rows = installs.kept_beside(engines.in_use()) if here else []
    held = installs.spaces_held(part) if rows else set()
    for row in rows:
        if anew or not set(row.spaces) <= held:
            _beside(work, row)
    installs.part_arrived(part)


def _beside(work: Work, row: EngineInstall) -> None:
    part = work.part.pk
    try:
        run(work, [row.engine])
    except (EncoderError, ServiceError) as error:
        installs.install_fail(row, error.code, error.params)
    except EngineError as error:
        installs.fault_keep(row, part, error.code, error.params)
    except Exception:
        # What is missing now is noticed next, and made up for.
        log.exception("part %s was not embedded for %s", part, row.engine)
