"""Parts made ready for inspections: once a part, kept in the storage, the last few in memory.

Kept in the file's units about the middle of its box, as the preview is: when somebody corrects
the part's unit, what is kept stays true.
"""

import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Generic, TypeVar

from django.core.files.storage import default_storage

from catalog.errors import ServiceError
from catalog.files import bytes_keep, local_path
from catalog.models import Part
from search import engines

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from search.engine.qc.part import PreparedPart
    from search.engine.qc.sketch import PartSketch

Thing = TypeVar("Thing")

IN_MEMORY = 48  # of about two megabytes each
SKETCHES_IN_MEMORY = 300  # of about a third of one each


class Held(Generic[Thing]):
    """The few used last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[str, Thing] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, path: str) -> Thing | None:
        with self._lock:
            held = self._held.get(path)
            if held is not None:
                self._held.move_to_end(path)
            return held

    def put(self, path: str, thing: Thing) -> None:
        with self._lock:
            self._held[path] = thing
            while len(self._held) > self._most:
                self._held.popitem(last=False)

    def forget(self) -> None:
        with self._lock:
            self._held.clear()


_parts: "Held[PreparedPart]" = Held(IN_MEMORY)
_sketches: "Held[PartSketch]" = Held(SKETCHES_IN_MEMORY)


def version() -> int:
    """Of all that is kept by now; older ones are made anew."""
    from search.engine.qc import part, sketch

    return 100 * part.VERSION + sketch.VERSION


def prepared_path(part: Part) -> str:
    """Where in the storage the part's preparation is, or would be."""
    return f"{_folder(part)}/prepared.npz"


def sketch_path(part: Part) -> str:
    """Where its sketch is, for searches that are verified."""
    from search.engine.qc.sketch import VERSION

    return f"{_folder(part)}/sketch-{VERSION}.npz"


def _folder(part: Part) -> str:
    from search.engine.qc.part import VERSION

    return f"parts/{part.uuid.hex[:2]}/{part.uuid.hex}/inspection-{VERSION}"


def is_prepared(part: Part) -> bool:
    """Whether the storage keeps all that is made of the part."""
    return all(default_storage.exists(path(part)) for path in (prepared_path, sketch_path))


def part_prepared(part: Part) -> "PreparedPart":
    """The part ready to be compared with photos, in mm; made when it was not kept.

    A fifth of a second when it has to be made. Raises `ServiceError` for a part that cannot be.
    """
    path = prepared_path(part)
    held = _parts.get(path)
    if held is None:
        held = _kept(path) or preparation_make(part)
        _parts.put(path, held)
    mm = Part.UNIT_MM[Part.Unit(part.unit)]
    return replace(held, middle=held.middle * mm, diagonal_mm=held.diagonal_mm * mm)


def kernels_compile() -> None:
    """Have the code that verified searches run compiled and kept on this machine, so that nobody
    who searches waits for it. At once when it is."""
    from search.engine.qc.verify import kernels_load

    kernels_load()


def part_sketch(part: Part) -> "PartSketch | None":
    """The part's sketch, where one is kept; it is not made for this. Any thread may ask."""
    from search.engine.errors import InspectionError
    from search.engine.qc.sketch import PartSketch

    path = sketch_path(part)
    held = _sketches.get(path)
    if held is not None:
        return held
    try:
        with default_storage.open(path, "rb") as file:
            held = PartSketch.from_bytes(file.read())
    except (OSError, InspectionError):
        return None
    _sketches.put(path, held)
    return held


def prepared_forget() -> None:
    """Empty the memory; the storage keeps what it has."""
    _parts.forget()
    _sketches.forget()


def preparation_make(part: Part) -> "PreparedPart":
    """Make the preparation from the part's file and keep it. Raises `ServiceError`."""
    from search.engine.qc.part import part_prepare
    from search.engine.qc.sketch import sketch_make

    with engines.engine_errors():
        made = part_prepare(triangles_read(part))
    try:
        _keep(prepared_path(part), made.to_bytes())
        _keep(sketch_path(part), sketch_make(made).to_bytes())
    except OSError as error:
        raise ServiceError("storage_away", status=503) from error
    return made


def _keep(name: str, data: bytes) -> None:
    kept = bytes_keep(name, data)
    if kept != name:  # another worker made the same at the same time
        default_storage.delete(kept)


def triangles_read(part: Part) -> "NDArray[np.float32]":
    """(n, 3, 3) of the part's file in its own units, about the middle of its box. Raises
    `ServiceError`."""
    from search.engine.mesh.load import mesh_load

    try:
        with engines.engine_errors(), local_path(part.file) as path:
            suffix = PurePosixPath(part.file.name).suffix
            mesh = mesh_load(path, suffix=suffix, limits=engines.mesh_limits())
    except OSError as error:
        raise ServiceError("storage_away", status=503) from error
    return mesh.triangles * mesh.scale


def _kept(path: str) -> "PreparedPart | None":
    """What the storage keeps under this name; None when nothing, or nothing of use."""
    from search.engine.errors import InspectionError
    from search.engine.qc.part import PreparedPart

    try:
        with default_storage.open(path, "rb") as file:
            return PreparedPart.from_bytes(file.read())
    except (OSError, InspectionError):
        return None


def inspections_warm(triangles: "NDArray[np.float32]") -> None:
    """Run an inspection of these (n, 3, 3) triangles once, so that its numeric code is compiled."""
    from search.engine.errors import EngineError
    from search.engine.qc.inspect import InspectionPhoto, part_prepare, photo_inspect
    from search.engine.qc.types import QcLimits
    from search.engine.render.viewpoints import viewpoints_fibonacci
    from search.engine.render.views import views_render

    seen = views_render(triangles, viewpoints=viewpoints_fibonacci(4)[:1], size=320).rgb[0]
    with suppress(EngineError):  # what it finds does not matter
        photo_inspect(
            InspectionPhoto(seen), part_prepare(triangles), limits=QcLimits(seconds=600.0)
        )
