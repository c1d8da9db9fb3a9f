"""Corners that share exact coordinates become one vertex."""

import numpy as np
from numpy.typing import NDArray

# Odd constants of splitmix64 (Steele, Lea, Flood 2014), one a coordinate and one to finish.
_MIX = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB], dtype=np.uint64)


def _hashes(points: NDArray[np.float32]) -> NDArray[np.uint64]:
    # Adding zero turns -0.0 into 0.0: equal coordinates must have equal bits.
    bits = (points + np.float32(0)).view(np.uint32)
    mixed: NDArray[np.uint64] = bits[:, 0] * _MIX[0]
    for axis in (1, 2):
        mixed ^= mixed >> np.uint64(29)
        mixed += bits[:, axis] * _MIX[axis]
        mixed *= _MIX[axis]
    mixed ^= mixed >> np.uint64(32)
    return mixed


def vertices_weld(
    triangles: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Vertices (v, 3) float32, all different, and faces (n, 3) int32 such that
    vertices[faces] == triangles.

    Sorting one 64-bit hash a corner is several times faster than sorting the corners; the result
    is verified, and a collision of hashes falls back to sorting the corners.
    """
    points = np.ascontiguousarray(triangles, dtype=np.float32).reshape(-1, 3)
    hashes = _hashes(points)
    order = np.argsort(hashes)
    ranked = hashes[order]
    new = np.empty(len(ranked), dtype=bool)
    new[:1] = True
    np.not_equal(ranked[1:], ranked[:-1], out=new[1:])
    vertices = points[order[new]]
    faces = np.empty(len(points), dtype=np.int32)
    faces[order] = np.cumsum(new, dtype=np.int32) - 1
    if not np.array_equal(vertices[faces], points):
        vertices, inverse = np.unique(points, axis=0, return_inverse=True)
        faces = inverse.reshape(-1).astype(np.int32)
    return vertices, faces.reshape(-1, 3)
