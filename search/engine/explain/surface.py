"""Heat of several views carried onto the mesh.

Each triangle gets a lattice of points, fine enough that heat can change within a large face. A
point has the mean heat of the views that see it, those that face it most counting most; what no
view sees takes the heat of what is near. A viewer makes the same lattice from its sizes.
"""

import numpy as np
from scipy.spatial import cKDTree

from search.engine.explain.types import Bytes, Doubles, Floats, Ints
from search.engine.render.types import Camera, Views

SIZE_MOST = 24  # pieces along a triangle's side
POINTS = 60_000  # wanted on a mesh; three a triangle is the least
SPACING = 0.035  # of the unit sphere's radius, where that gives no more than POINTS
DEPTH_SLACK = 0.02  # of the radius: a point this far behind what is drawn still counts as seen
SMOOTH = 10  # points whose heat is averaged


def lattice_sizes(triangles: Floats) -> Bytes:
    """(n, 3, 3) in the unit sphere -> (n,) into how many pieces each triangle's sides are cut."""
    edges = np.linalg.norm(triangles - np.roll(triangles, 1, axis=1), axis=2).max(axis=1)
    spacing = SPACING
    while True:
        sizes = np.clip(np.ceil(edges / spacing), 1, SIZE_MOST).astype(np.int64)
        if ((sizes + 1) * (sizes + 2) // 2).sum() <= POINTS or sizes.max() == 1:
            return np.asarray(sizes, np.uint8)
        spacing *= 1.25


def lattice_points(triangles: Floats, sizes: Bytes) -> tuple[Floats, Ints]:
    """Points (p, 3) and the triangle each is of (p,).

    Of a triangle a, b, c with size k, in this order: for i in 0..k, for j in 0..k-i, the point
    a + (b - a) i / k + (c - a) j / k.
    """
    places, faces = [], []
    for size in np.unique(sizes):
        k = int(size)
        ij = np.array([(i, j) for i in range(k + 1) for j in range(k + 1 - i)], np.float32) / k
        which = np.flatnonzero(sizes == size)
        a, b, c = (triangles[which, corner, None] for corner in range(3))
        of = a + (b - a) * ij[:, :1] + (c - a) * ij[:, 1:]
        places.append(of.reshape(-1, 3))
        faces.append(np.repeat(which, len(ij)))
    owner = np.concatenate(faces)
    order = np.argsort(owner, kind="stable")
    return np.concatenate(places)[order].astype(np.float32), owner[order]


def surface_heat(triangles: Floats, sizes: Bytes, views: Views, heats: Floats) -> Floats:
    """(n, 3, 3), their lattice, views of them and heats (v, s, s) 0..1 -> (p,) 0..1, smooth."""
    points, owner = lattice_points(triangles, sizes)
    edge, other = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    normals = np.cross(edge, other)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    total, weight = np.zeros(len(points)), np.zeros(len(points))
    for camera, depth, heat in zip(views.cameras, views.depth, heats, strict=True):
        seen, row, column = _seen(points, camera, depth)
        eye = -camera.rotation.T @ camera.translation
        ray = eye - points[seen]
        ray /= np.linalg.norm(ray, axis=1, keepdims=True)
        # Either side of a face may be the outer one in strangers' meshes.
        facing = np.abs((normals[owner[seen]] * ray).sum(axis=1)) + 0.05
        total[seen] += facing * heat[row, column]
        weight[seen] += facing
    known = weight > 0
    if not known.any():
        return np.zeros(len(points), np.float32)
    heat = total[known] / weight[known]
    tree = cKDTree(points[known])
    count = min(SMOOTH, len(heat))
    away, near = tree.query(points, k=count)
    away, near = away.reshape(-1, count), near.reshape(-1, count)
    # The nearest count most; of what is unseen, all that is as near as anything.
    scale = np.maximum(away[:, -1:], 1e-9)
    share = np.exp(-2 * (away / scale) ** 2)
    smooth = (heat[near] * share).sum(axis=1) / share.sum(axis=1)
    return np.asarray(smooth, np.float32)


def _seen(points: Floats, camera: Camera, depth: Floats) -> tuple[Ints, Ints, Ints]:
    """Which points the camera sees, and their pixels' rows and columns."""
    across, down, far = (points @ camera.projection[:, :3].T + camera.projection[:, 3]).T
    far = np.maximum(far, 1e-9)
    column, row = (across / far).astype(np.int64), (down / far).astype(np.int64)
    inside = (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    at = np.flatnonzero(inside)
    row, column = row[at], column[at]
    seen = far[at] <= depth[row, column] + DEPTH_SLACK
    drawn = np.isfinite(depth[row, column])
    keep = seen & drawn
    return at[keep], row[keep], column[keep]


def heat_bytes(heat: Floats) -> Bytes:
    """(p,) -> (p,) uint8: from the coldest place to the hottest."""
    low, high = np.quantile(heat, (0.02, 0.99)) if len(heat) else (0.0, 1.0)
    scaled = np.clip((heat - low) / max(float(high - low), 1e-9), 0, 1)
    return np.asarray(scaled * 255 + 0.5, np.uint8)


def surface_pack(sizes: Bytes, heat: Bytes) -> bytes:
    """As the viewer reads it: "HEAT", the count of triangles and of points (uint32 little-endian),
    a byte a triangle's size, a byte a point's heat."""
    counts = np.array([len(sizes), len(heat)], "<u4")
    return b"HEAT" + counts.tobytes() + sizes.tobytes() + heat.tobytes()


def centred(triangles: Doubles | Floats) -> Floats:
    """(n, 3, 3) about the origin, inside the unit sphere."""
    corners = np.asarray(triangles, np.float64)
    middle = (corners.min(axis=(0, 1)) + corners.max(axis=(0, 1))) / 2
    corners = corners - middle
    radius = np.linalg.norm(corners, axis=2).max()
    return np.ascontiguousarray(corners / max(radius, 1e-12), dtype=np.float32)
