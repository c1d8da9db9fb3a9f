"""Parts made ready for inspections: once a part, kept in the storage, the last few in memory.

Kept in the file's units about the middle of its box, as the preview is: when somebody corrects
the part's unit, what is kept stays true.
"""

import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from catalog.errors import ServiceError
from catalog.files import local_path
from catalog.models import Part
from search import engines

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from search.engine.qc.part import PreparedPart

IN_MEMORY = 48  # of about two megabytes each

_held: "OrderedDict[str, PreparedPart]" = OrderedDict()
_lock = threading.Lock()


def version() -> int:
    """Of what is kept by now; older ones are made anew."""
    from search.engine.qc.part import VERSION

    return VERSION


def prepared_path(part: Part) -> str:
    """Where in the storage the part's preparation is, or would be."""
    folder = f"parts/{part.uuid.hex[:2]}/{part.uuid.hex}"
    return f"{folder}/inspection-{version()}/prepared.npz"


def is_prepared(part: Part) -> bool:
    """Whether the storage keeps the part's preparation."""
    return default_storage.exists(prepared_path(part))


def part_prepared(part: Part) -> "PreparedPart":
    """The part ready to be compared with photos, in mm; made when it was not kept.

    A fifth of a second when it has to be made. Raises `ServiceError` for a part that cannot be.
    """
    path = prepared_path(part)
    with _lock:
        held = _held.get(path)
        if held is not None:
            _held.move_to_end(path)
    if held is None:
        held = _kept(path) or preparation_make(part)
        with _lock:
            _held[path] = held
            while len(_held) > IN_MEMORY:
                _held.popitem(last=False)
    mm = Part.UNIT_MM[Part.Unit(part.unit)]
    return replace(held, middle=held.middle * mm, diagonal_mm=held.diagonal_mm * mm)


def prepared_forget() -> None:
    """Empty the memory; the storage keeps what it has."""
    with _lock:
        _held.clear()


def preparation_make(part: Part) -> "PreparedPart":
    """Make the preparation from the part's file and keep it. Raises `ServiceError`."""
    from search.engine.mesh.load import mesh_load
    from search.engine.qc.part import part_prepare

    try:
        with engines.engine_errors(), local_path(part.file) as path:
            suffix = PurePosixPath(part.file.name).suffix
            mesh = mesh_load(path, suffix=suffix, limits=engines.mesh_limits())
            made = part_prepare(mesh.triangles * mesh.scale)
    except OSError as error:
        raise ServiceError("storage_away", status=503) from error
    name = prepared_path(part)
    if not getattr(default_storage, "file_overwrite", False) and default_storage.exists(name):
        default_storage.delete(name)
    kept = default_storage.save(name, ContentFile(made.to_bytes()))
    if kept != name:  # another worker made the same at the same time
        default_storage.delete(kept)
    return made


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
