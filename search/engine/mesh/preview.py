"""A light copy of a mesh for the browser's viewer."""

import fast_simplification
import numpy as np
from numpy.typing import NDArray

from search.engine.mesh.stl import HEADER_BYTES, RECORD
from search.engine.mesh.types import Mesh, truncated
from search.engine.mesh.weld import vertices_weld

HEADER = b"STL Catalog preview, centred".ljust(80, b"\0")

# Quadric simplification takes about 2 s a million triangles. Larger meshes are first thinned by
# merging the vertices of each cell of a grid, ten times as fast and invisible at this fineness.
_DIRECT = 500_000
_THINNED = 300_000

Indexed = tuple[NDArray[np.float32], NDArray[np.int32]]


def _cells_merge(vertices: NDArray[np.float32], faces: NDArray[np.int32], cell: float) -> Indexed:
    """Vertices of a cell of the grid become their mean (Rossignac and Borrel, 1993).

    Faces that collapse are dropped, and of equal ones all but the first: thousands of them on one
    edge would keep the simplification busy for minutes.
    """
    steps = np.floor((vertices - vertices.min(axis=0)) / cell).astype(np.int64)
    _, home = np.unique(steps @ (1, 1 << 21, 1 << 42), return_inverse=True)
    count = np.bincount(home)
    merged = np.stack([np.bincount(home, vertices[:, axis]) / count for axis in range(3)], axis=1)
    moved = home[faces].astype(np.int32)
    whole = (moved != np.roll(moved, 1, axis=1)).all(axis=1)
    means, moved = merged.astype(np.float32), moved[whole]
    if len(means) >= 1 << 21:
        # Too many to number three in one integer, and too many for equal faces to matter.
        return means, moved
    turn = (moved.argmin(axis=1)[:, None] + np.arange(3)) % 3
    a, b, c = np.take_along_axis(moved, turn, axis=1).astype(np.int64).T
    _, first = np.unique(a | b << 21 | c << 42, return_index=True)
    return means, moved[np.sort(first)]


def _cell_for(triangles: NDArray[np.float32], wanted: int) -> float:
    """The cell that leaves about `wanted` faces: a surface crosses about 1.5 cells a cell's area,
    and has two faces a vertex."""
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum(dtype=np.float64) / 2
    # A grid of 2**20 cells a side is the most that one integer can number.
    return max(float(np.sqrt(3 * area / wanted)), 2.0**-19)


def _decimate(triangles: NDArray[np.float32], wanted: int) -> NDArray[np.float32]:
    vertices, faces = vertices_weld(triangles)
    if len(faces) > _DIRECT:
        vertices, faces = _cells_merge(vertices, faces, _cell_for(triangles, _THINNED))
    if len(faces) > wanted:
        vertices, faces = fast_simplification.simplify(vertices, faces, target_count=wanted)
    # A soup of loose triangles has no edges to collapse; only a grid thins it.
    cell = _cell_for(triangles, wanted)
    while len(faces) > wanted:
        vertices, faces = _cells_merge(vertices, faces, cell)
        cell *= 1.5
    return vertices[faces]


def preview_build(mesh: Mesh, *, triangles: int = 60_000) -> bytes:
    """Binary STL of at most `triangles` triangles, in file units.

    Centred on the bounding box's centre: a viewer turns it about there anyway, and float32 would
    lose the shape of a part that lies far from the origin. Facet normals are filled in, since
    viewers shade by them.
    """
    corners = mesh.triangles
    if len(corners) > triangles:
        light = _decimate(corners, triangles)
        corners = light if len(light) else corners[:triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    records = np.zeros(len(corners), dtype=RECORD)
    np.divide(normals, lengths, out=records["normal"], where=lengths > 0)
    with np.errstate(over="ignore"):
        records["triangle"] = corners * np.float64(mesh.scale)
    return HEADER + len(records).to_bytes(4, "little") + records.tobytes()


def preview_read(data: bytes) -> NDArray[np.float32]:
    """The triangles (n, 3, 3) of what `preview_build` made. Our own files only: strangers' are
    parsed in a child. Raises MeshError("truncated")."""
    count = int.from_bytes(data[80:84], "little")
    if len(data) < HEADER_BYTES + count * RECORD.itemsize or not count:
        raise truncated(count, max(0, len(data) - HEADER_BYTES) // RECORD.itemsize)
    records = np.frombuffer(data, RECORD, count, offset=HEADER_BYTES)
    return np.ascontiguousarray(records["triangle"], dtype=np.float32)
