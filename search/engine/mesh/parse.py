"""One file's bytes -> a mesh, whatever its format. Only ever called in the child process."""

from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO

from numpy.typing import NDArray

from search.engine.errors import MeshError
from search.engine.mesh.normalise import mesh_normalise
from search.engine.mesh.stl import stl_ascii_read, stl_binary_read
from search.engine.mesh.types import Mesh, MeshLimits

Reader = Callable[[BinaryIO], NDArray[Any]]


def reader_choose(format: str, limits: MeshLimits) -> Reader:
    """The reader of a format. Heavy ones are imported here, so a catalogue of STLs never loads
    trimesh, and the server can import once what every child then inherits."""
    match format:
        case "stl-binary":
            return partial(stl_binary_read, limit=limits.triangles)
        case "stl-ascii":
            return partial(stl_ascii_read, limit=limits.triangles)
        case "obj":
            from search.engine.mesh.obj import obj_read

            return partial(obj_read, limit=limits.triangles)
        case "3mf":
            from search.engine.mesh.threemf import threemf_read

            return partial(threemf_read, limits=limits)
        case "ply" | "off" | "glb" | "gltf":
            from search.engine.mesh.scenes import scene_read

            return partial(scene_read, kind=format, limit=limits.triangles)
        case "step":
            from search.engine.mesh.scenes import step_read

            return partial(step_read, limit=limits.triangles)
        case _:
            raise ValueError(f"no reader for the format {format!r}")


def file_parse(stream: BinaryIO, *, format: str, limits: MeshLimits) -> Mesh:
    """Read, check and normalise. Raises MeshError, and MemoryError when the cap is met."""
    read = reader_choose(format, limits)
    try:
        triangles = read(stream)
    except (MeshError, MemoryError):
        raise
    except Exception as error:
        # Parsers raise anything at all on a broken file; here every error is the file's.
        detail = f"{type(error).__name__}: {error}"[:200]
        raise MeshError(
            "malformed",
            f"The file is not a valid {format.upper()} ({detail}).",
            format=format,
        ) from error
    return mesh_normalise(triangles, format=format)
