"""What the room hands out: a mesh, and the limits under which a file may become one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.engine.errors import MeshError

FORMATS = ("stl-binary", "stl-ascii", "3mf", "obj", "ply", "glb", "gltf", "off", "step")
SUFFIXES = (".stl", ".3mf", ".obj", ".ply", ".glb", ".gltf", ".off", ".step", ".stp")


Y_UP = frozenset({"obj", "glb", "gltf"})


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles inside the unit sphere, and the way back to the file's units.

    triangles  (n, 3, 3) float32, C-contiguous, n >= 1, finite: centred on the bounding box's
               centre and divided by `scale`; original = triangles * scale + centre
    centre     (3,) float64, file units
    scale      the largest distance of a vertex to the centre, file units, > 0
    format     one of FORMATS
    """

    triangles: NDArray[np.float32]
    centre: NDArray[np.float64]
    scale: float
    format: str

    @property
    def triangles_upright(self) -> NDArray[np.float32]:
        """The triangles with the part's own up along +z.

        Formats of the picture-making world stand things on the y axis; the others on z.
        """
        if self.format not in Y_UP:
            return self.triangles
        x, y, z = np.moveaxis(self.triangles, -1, 0)
        return np.ascontiguousarray(np.stack([x, -z, y], axis=-1))

    def points_restore(self) -> NDArray[np.float64]:
        """(n, 3, 3) float64 corners in file units."""
        return self.triangles.astype(np.float64) * self.scale + self.centre


@dataclass(frozen=True)
class MeshLimits:
    """What one file may cost.

    memory_mb is the child's whole address space, of which interpreter and libraries take 100 MB
    (270 MB with trimesh) before the first byte is read.
    """

    memory_mb: int = 4096
    cpu_s: int = 60
    wall_s: int = 120
    triangles: int = 10_000_000
    members: int = 2000
    unpacked_mb: int = 2048


DEFAULT_LIMITS = MeshLimits()


def triangles_check(found: int, limit: int) -> None:
    """Raise MeshError too_many_triangles above the limit."""
    if found > limit:
        raise MeshError(
            "too_many_triangles",
            f"The file holds {found} triangles; at most {limit} are allowed.",
            found=found,
            limit=limit,
        )


def truncated(claimed: int, found: int, *, of: str = "triangles") -> MeshError:
    """The error for a file that ends before it has given what its header promised."""
    return MeshError(
        "truncated",
        f"The file says it holds {claimed} {of} but ends after {found}.",
        claimed=claimed,
        found=found,
    )


def too_much_memory(limits: MeshLimits) -> MeshError:
    return MeshError(
        "too_much_memory",
        f"Reading the file takes more than the {limits.memory_mb} MB of memory allowed.",
        limit_mb=limits.memory_mb,
    )


def took_too_long(limits: MeshLimits) -> MeshError:
    return MeshError(
        "took_too_long",
        f"Reading the file takes longer than allowed ({limits.cpu_s} s of computing, "
        f"{limits.wall_s} s in all).",
        cpu_s=limits.cpu_s,
        wall_s=limits.wall_s,
    )
