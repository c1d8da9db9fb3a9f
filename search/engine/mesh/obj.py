"""Wavefront OBJ: vertices and faces, nothing else. Runs in the child process.

Material libraries, textures and every other file the text may name are never opened.
"""

import re
from itertools import chain
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from search.engine.errors import MeshError
from search.engine.mesh.types import triangles_check

_AFTER_INDEX = re.compile(rb"/\S*")
_CONTINUED = re.compile(rb"\\\r?\n")


def _malformed(detail: str) -> MeshError:
    return MeshError("malformed", f"The file is not a valid OBJ: {detail}.", format="obj")


def _vertices_parse(lines: list[bytes]) -> NDArray[np.float64]:
    """(v, 3) from "v x y z [w | r g b]" lines."""
    rows = [line.split(None, 4)[1:4] for line in lines]
    if any(len(row) != 3 for row in rows):
        raise _malformed("a vertex has fewer than three coordinates")
    try:
        flat = np.fromiter(map(float, chain.from_iterable(rows)), np.float64, count=3 * len(rows))
    except ValueError:
        raise _malformed("a vertex has a coordinate that is not a number") from None
    return flat.reshape(-1, 3)


def _faces_parse(lines: list[bytes]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All corners of all faces in a row, and each face's number of corners (f,)."""
    rows = [line.partition(b"#")[0].split()[1:] for line in lines]
    sizes = np.fromiter(map(len, rows), np.int64, count=len(rows))
    flat = b" ".join(chain.from_iterable(rows))
    try:
        numbers = [int(word) for word in _AFTER_INDEX.sub(b"", flat).split()]
        corners = np.array(numbers, dtype=np.int64)
    except (ValueError, OverflowError):
        raise _malformed("a face has an index that is not a number") from None
    if len(corners) != sizes.sum():
        raise _malformed("a face has an index that is not a number")
    return corners, sizes


def _fan(corners: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Triangles (n, 3) of polygons laid end to end: each one fans out from its first corner."""
    pieces = np.maximum(sizes - 2, 0)
    first = np.repeat(np.cumsum(sizes) - sizes, pieces)
    step = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    triangles: NDArray[np.int64] = corners[np.stack([first, first + step + 1, first + step + 2], 1)]
    return triangles


def obj_read(stream: BinaryIO, *, limit: int) -> NDArray[np.float64]:
    """(n, 3, 3) float64; polygons become fans, negative indices count back from their own line.

    Raises MeshError: malformed (also for an index out of range), too_many_triangles.
    """
    stream.seek(0)
    lines = [line.lstrip() for line in _CONTINUED.sub(b" ", stream.read()).splitlines()]
    is_vertex = [line[:2] in (b"v ", b"v\t") for line in lines]
    is_face = [line[:2] in (b"f ", b"f\t") for line in lines]
    vertices = _vertices_parse([line for line, yes in zip(lines, is_vertex, strict=True) if yes])
    corners, sizes = _faces_parse([line for line, yes in zip(lines, is_face, strict=True) if yes])
    triangles_check(int(np.maximum(sizes - 2, 0).sum()), limit)

    backward = corners < 0
    if backward.any():
        seen = np.repeat(np.cumsum(is_vertex)[np.flatnonzero(is_face)], sizes)
        corners[backward] += seen[backward]
        corners[~backward] -= 1
    else:
        corners -= 1
    if len(corners) and not 0 <= corners.min() <= corners.max() < len(vertices):
        raise _malformed(f"a face names a vertex that is not among its {len(vertices)}")
    return vertices[_fan(corners, sizes)]
