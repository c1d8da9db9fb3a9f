"""Solids from numbers: lathes, prisms, sweeps, lofts and threads over manifold3d.

Lengths are millimetres, angles degrees. What rests on a table rests on z = 0, its axis on z,
unless a docstring says otherwise. A `Solid` is always closed; unions keep it so. This room
knows no family, no word and no random number.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
from manifold3d import CrossSection, Error, FillRule, Manifold, Mesh, OpType, triangulate
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Faces: TypeAlias = NDArray[np.int64]
Solid: TypeAlias = Manifold
Section: TypeAlias = CrossSection
Points: TypeAlias = Sequence[tuple[float, float]] | Array


def triangles_of(solid: Solid) -> NDArray[np.float32]:
    """The surface as (n, 3, 3) float32 triangles, counter-clockwise seen from outside.

    Triangles without an area, which float32 rounding leaves along cuts, keep their place:
    dropping one would open the surface.
    """
    mesh = solid.to_mesh()
    return np.asarray(mesh.vert_properties[:, :3], np.float32)[mesh.tri_verts]


def union(*solids: Solid | Iterable[Solid]) -> Solid:
    """One solid of all; lists of solids are flattened one level."""
    flat: list[Solid] = []
    for item in solids:
        flat.extend([item] if isinstance(item, Manifold) else item)
    return Manifold.batch_boolean(flat, OpType.Add)


def hull(*solids: Solid) -> Solid:
    """The convex hull of all the solids together."""
    return Manifold.batch_hull(list(solids))


def polar(solid: Solid, count: int, *, sweep: float = 360.0) -> list[Solid]:
    """`count` copies turned about z, evenly over `sweep` degrees."""
    return [solid.rotate((0, 0, i * sweep / count)) for i in range(count)]


def polygon(points: Points, *holes: Points) -> Section:
    """A flat section from a closed outline (either winding) less its holes."""
    return CrossSection([np.asarray(points, float)], FillRule.NonZero) - CrossSection(
        [np.asarray(hole, float) for hole in holes], FillRule.NonZero
    )


# --- turned and extruded -------------------------------------------------------------------


def lathe(points: Points, n: int, *, degrees: float = 360.0) -> Solid:
    """A closed (r, z) outline turned about z; `n` segments a full turn."""
    return polygon(points).revolve(n, degrees)


def turned(points: Points, n: int) -> Solid:
    """An open (r, z) polyline, bottom to top, closed to the axis and turned about z."""
    pts = [tuple(map(float, p)) for p in points]
    return lathe([(0.0, pts[0][1]), *pts, (0.0, pts[-1][1])], n)


def rod(r: float, h: float, n: int, *, top: float | None = None, bevel: float = 0.0) -> Solid:
    """A cylinder or, with another radius at the top, a cone; both rims chamfered by `bevel`."""
    r2, b = (r if top is None else top), min(bevel, 0.45 * h, 0.45 * r)
    if b <= 0:
        return Manifold.cylinder(h, r, r2, n)
    return turned([(r - b, 0), (r, b), (r2, h - b), (max(r2 - b, 0), h)], n)


def tube_straight(outer: float, inner: float, h: float, n: int, *, bevel: float = 0.0) -> Solid:
    """A cylinder with a straight hole, rims chamfered."""
    b = min(bevel, 0.3 * (outer - inner), 0.45 * h)
    return lathe(
        [
            (inner, b),
            (inner + b, 0),
            (outer - b, 0),
            (outer, b),
            (outer, h - b),
            (outer - b, h),
            (inner + b, h),
            (inner, h - b),
        ]
        if b > 0
        else [(inner, 0), (outer, 0), (outer, h), (inner, h)],
        n,
    )


def _mitred(contour: Array, inset: float) -> Array:
    """A counter-clockwise contour moved inwards, vertex for vertex; corners stop at 2 insets."""
    ahead = np.roll(contour, -1, 0) - contour
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-12)
    inward = np.stack([-ahead[:, 1], ahead[:, 0]], 1)
    bisector = inward + np.roll(inward, 1, 0)
    square = np.maximum((bisector**2).sum(1, keepdims=True), 0.5)
    return contour + inset * 2 * bisector / square


def prism(
    section: Section,
    h: float,
    *,
    bevel: float = 0.0,
    twist: float = 0.0,
    taper: float = 1.0,
    steps: int = 0,
) -> Solid:
    """A section extruded from z = 0; `bevel` chamfers both rims of a straight one.

    The chamfer moves every outline vertex along its mitre, so it must be small beside the
    section's details.
    """
    b = min(bevel, 0.45 * h)
    if b <= 0 or twist or taper != 1.0:
        return section.extrude(h, steps, twist, (taper, taper))
    contours = [np.asarray(c, float) for c in section.simplify(1e-4).to_polygons()]
    sizes = [len(c) for c in contours]
    n, flat = sum(sizes), np.concatenate(contours)
    small = np.concatenate([_mitred(c, b) for c in contours])
    layers = [(small, 0.0), (flat, b), (flat, h - b), (small, h)]
    vertices = np.concatenate([np.c_[xy, np.full(n, z)] for xy, z in layers])
    here = np.arange(n)
    after = np.concatenate([np.roll(np.arange(s), -1) for s in sizes])
    after += np.repeat(np.cumsum([0, *sizes[:-1]]), sizes)
    walls = [
        np.concatenate(
            [
                np.c_[here + i * n, after + i * n, after + (i + 1) * n],
                np.c_[here + i * n, after + (i + 1) * n, here + (i + 1) * n],
            ]
        )
        for i in range(3)
    ]
    lid = np.asarray(triangulate(contours), int)
    return solid_of(vertices, np.concatenate([*walls, lid + 3 * n, lid[:, ::-1]]))


def block(
    x: float, y: float, z: float, *, bevel: float = 0.0, round_: float = 0.0, n: int = 16
) -> Solid:
    """A box centred over the origin on z = 0: `round_` vertical edges, chamfered rims."""
    if round_ <= 0:
        flat = CrossSection.square((x, y), True)
    else:
        r = min(round_, 0.49 * x, 0.49 * y)
        flat = CrossSection.square((x - 2 * r, y - 2 * r), True).offset(r, circular_segments=4 * n)
    return prism(flat, z, bevel=min(bevel, 0.4 * min(x, y)))


def pillow(x: float, y: float, z: float, *, r: float, n: int = 16) -> Solid:
    """A box with every edge rounded by `r`, centred over the origin on z = 0."""
    r = min(r, 0.49 * min(x, y, z))
    ball = Manifold.sphere(r, n)
    return hull(
        *(
            ball.translate((sx * (x / 2 - r), sy * (y / 2 - r), r + sz * (z - 2 * r)))
            for sx in (-1, 1)
            for sy in (-1, 1)
            for sz in (0, 1)
        )
    )


def ball(r: float, n: int, *, squash: float = 1.0) -> Solid:
    """A sphere about the origin, its height scaled by `squash`."""
    return Manifold.sphere(r, n).scale((1, 1, squash))


def torus(ring: float, r: float, n: int, *, squash: float = 1.0, m: int = 16) -> Solid:
    """A ring about z through the origin; its wire is an ellipse of height `squash` * r."""
    a = np.linspace(0, 2 * np.pi, m, endpoint=False)
    return lathe(np.c_[ring + r * np.cos(a), squash * r * np.sin(a)], n)


# --- free surfaces -------------------------------------------------------------------------


def solid_of(vertices: Array, faces: Faces) -> Solid:
    """A solid from a closed mesh of either orientation. ValueError when it is not closed."""
    corners = vertices[faces]
    volume = np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2]))
    if volume < 0:
        faces = faces[:, ::-1]
    mesh = Mesh(np.ascontiguousarray(vertices, np.float32), np.ascontiguousarray(faces, np.uint32))
    made = Manifold(mesh)
    if made.status() != Error.NoError:
        raise ValueError(f"The faces do not close a solid: {made.status().name}.")
    return made


def loft(rings: Array, *, closed: bool = False, lid: Faces | None = None) -> Solid:
    """A skin over (k, m, 3) rings of points in order.

    `closed` joins the last ring to the first. Otherwise the ends are capped: by the triangles
    `lid` over ring indices, or by a fan about the end's middle (for star-shaped rings).
    """
    k, m = rings.shape[:2]
    index = np.arange(k * m).reshape(k, m)
    low = index if closed else index[:-1]
    high = np.roll(index, -1, 0) if closed else index[1:]
    a, b, c, d = low, np.roll(low, -1, 1), np.roll(high, -1, 1), high
    faces = [np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)]
    vertices = rings.reshape(-1, 3)
    if not closed and lid is not None:
        faces += [lid[:, ::-1], lid + (k - 1) * m]
    elif not closed:
        here, after = np.arange(m), np.roll(np.arange(m), -1)
        faces += [np.c_[after, here, np.full(m, k * m)]]
        faces += [np.c_[here + (k - 1) * m, after + (k - 1) * m, np.full(m, k * m + 1)]]
        vertices = np.concatenate([vertices, rings[[0, -1]].mean(1)])
    return solid_of(vertices, np.concatenate(faces))


def field(radius: Array, z: Array) -> Solid:
    """A closed skin r(z, angle) about the z axis: `radius` (k, m), `z` (k,) or (k, m)."""
    m = radius.shape[1]
    a = np.linspace(0, 2 * np.pi, m, endpoint=False)
    height = np.broadcast_to(np.asarray(z).reshape(len(radius), -1), radius.shape)
    return loft(np.stack([radius * np.cos(a), radius * np.sin(a), height], -1))


def _frames(
    path: Array, *, closed: bool, up: tuple[float, float, float] | None
) -> tuple[Array, Array]:
    """(k, 3) side and upper vectors along a path: by a fixed `up`, else by parallel transport."""
    tangent = np.roll(path, -1, 0) - np.roll(path, 1, 0) if closed else np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    if up is not None:
        side = np.cross(tangent, np.asarray(up, float))
        side /= np.linalg.norm(side, axis=1, keepdims=True)
        return side, np.cross(side, tangent)
    side = np.empty_like(path)
    side[0] = np.cross(tangent[0], np.eye(3)[np.abs(tangent[0]).argmin()])
    for i in range(len(path)):
        near = side[max(i - 1, 0)]
        near = near - tangent[i] * (near @ tangent[i])
        side[i] = near / np.linalg.norm(near)
    upper = np.cross(side, tangent)
    if closed:
        # Parallel transport comes back turned: spread that angle over the loop.
        last = side[-1] - tangent[0] * (side[-1] @ tangent[0])
        turn = np.arctan2(last @ upper[0], last @ side[0]) * np.arange(len(path)) / len(path)
        c, s = np.cos(turn)[:, None], np.sin(turn)[:, None]
        side, upper = side * c - upper * s, side * s + upper * c
    return side, upper


def sweep(
    path: Array,
    outline: Points,
    *,
    closed: bool = False,
    scale: float | Array = 1.0,
    twist: float = 0.0,
    up: tuple[float, float, float] | None = None,
) -> Solid:
    """A flat (side, upper) outline carried along a (k, 3) path, scaled and twisted on the way.

    On a closed path `twist` must carry the outline onto itself.
    """
    flat = np.asarray(outline, float)
    side, upper = _frames(np.asarray(path, float), closed=closed, up=up)
    k = len(path)
    turn = np.radians(twist) * np.arange(k) / (k if closed else k - 1)
    grown = flat[None] * np.broadcast_to(np.asarray(scale, float), (k,))[:, None, None]
    x = grown[..., 0] * np.cos(turn)[:, None] - grown[..., 1] * np.sin(turn)[:, None]
    y = grown[..., 0] * np.sin(turn)[:, None] + grown[..., 1] * np.cos(turn)[:, None]
    rings = path[:, None] + x[..., None] * side[:, None] + y[..., None] * upper[:, None]
    lid = None if closed else np.asarray(triangulate([_ccw(flat)]), int)
    return loft(rings if lid is None or _area(flat) > 0 else rings[:, ::-1], closed=closed, lid=lid)


def wire(
    path: Array, r: float, m: int, *, closed: bool = False, scale: float | Array = 1.0
) -> Solid:
    """A round wire of radius `r` along a (k, 3) path."""
    return sweep(path, circle_points(r, m), closed=closed, scale=scale)


def _area(flat: Array) -> float:
    x, y = flat.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def _ccw(flat: Array) -> Array:
    return flat if _area(flat) > 0 else flat[::-1]


# --- paths ---------------------------------------------------------------------------------


def circle_points(r: float, n: int, *, y: float | None = None) -> Array:
    """(n, 2) points of a circle, or of an ellipse with another half-axis `y`."""
    a = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.c_[r * np.cos(a), (r if y is None else y) * np.sin(a)]


def arc(r: float, start: float, end: float, n: int, *, z: float = 0.0) -> Array:
    """(n, 3) points of an arc about z, degrees from +x."""
    a = np.radians(np.linspace(start, end, n))
    return np.c_[r * np.cos(a), r * np.sin(a), np.full(n, z)]


def helix(r: float, pitch: float, turns: float, n: int, *, top: float | None = None) -> Array:
    """(k, 3) points of a helix from z = 0, `n` a turn; another radius at the `top` makes a cone."""
    t = np.linspace(0, turns, max(int(n * turns), 2))
    radius = r + (0 if top is None else top - r) * t / turns
    a = 2 * np.pi * t
    return np.c_[radius * np.cos(a), radius * np.sin(a), pitch * t]


def curve(points: Points | Sequence[Sequence[float]], n: int, *, closed: bool = False) -> Array:
    """`n` points of a Catmull-Rom curve through the given 2-D or 3-D points."""
    p = np.asarray(points, float)
    k = len(p)
    if closed:
        q, spans = np.concatenate([p[-1:], p, p[:2]]), k
    else:
        q, spans = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]]), k - 1
    t = np.linspace(0, spans, n, endpoint=not closed)
    i = np.minimum(t.astype(int), spans - 1)
    u = (t - i)[:, None]
    a, b, c, d = q[i], q[i + 1], q[i + 2], q[i + 3]
    return 0.5 * (
        2 * b + (c - a) * u + (2 * a - 5 * b + 4 * c - d) * u**2 + (3 * b - a - 3 * c + d) * u**3
    )


def filleted(points: Sequence[Sequence[float]], r: float, n: int = 5) -> Array:
    """An open polyline (2-D or 3-D) whose inner corners are rounded by arcs near radius `r`."""
    p = np.asarray(points, float)
    out = [p[:1]]
    for a, b, c in zip(p[:-2], p[1:-1], p[2:], strict=True):
        to_a, to_c = np.linalg.norm(a - b), np.linalg.norm(c - b)
        u, v = (a - b) / to_a, (c - b) / to_c
        half = np.arccos(np.clip(u @ v, -1, 1)) / 2
        cut = min(r / max(np.tan(half), 1e-3), 0.48 * to_a, 0.48 * to_c)
        if cut < 1e-6:
            out.append(b[None])
            continue
        t = np.linspace(0, 1, n)[:, None]
        # A quadratic Bezier stands for the arc: within 3% of it at a right angle.
        out.append((1 - t) ** 2 * (b + u * cut) + 2 * t * (1 - t) * b + t**2 * (b + v * cut))
    return np.concatenate([*out, p[-1:]])


# --- threads -------------------------------------------------------------------------------


def thread(d: float, pitch: float, length: float, n: int, *, hand: int = 1) -> Solid:
    """A real helical thread of major diameter `d` on z from 0 to `length` (60 degree, flat crests).

    The skin's rows follow the helix, so crests stay sharp with `n` segments a turn; the ragged
    ends are cut square. Proportions: ISO 68-1 (depth 0.61 pitch, crest pitch / 8).
    """
    root, crest = d / 2 - 0.6134 * pitch, d / 2
    profile = [(0.0, root), (0.25, root), (0.5625, crest), (0.6875, crest)]
    m, turns = len(profile), int(np.ceil(length / pitch)) + 2
    rows = np.arange(turns * m)
    rise = np.array([f for f, _ in profile])[rows % m] + rows // m - 1.5
    radius = np.array([r for _, r in profile])[rows % m]
    step = np.arange(n) / n
    a = 2 * np.pi * hand * step
    z = pitch * (rise[:, None] + step)
    ring = radius[:, None] * np.ones(n)
    vertices = np.stack([ring * np.cos(a), ring * np.sin(a), z], -1).reshape(-1, 3)
    index = rows[:, None] * n + np.arange(n)
    low, high = index[:-1], index[1:]
    # Past the last column a row goes on one pitch higher, in column 0.
    ahead = np.full_like(index, -1)
    ahead[:, :-1] = index[:, 1:]
    ahead[:-m, -1] = index[m:, 0]
    b, c = ahead[:-1], ahead[1:]
    keep = (b >= 0) & (c >= 0)
    a_, b_, c_, d_ = low[keep], b[keep], c[keep], high[keep]
    faces = [np.c_[a_, b_, c_], np.c_[a_, c_, d_]]
    bottom = np.r_[index[0], index[m:0:-1, 0]]
    last = len(rows) - 1
    top = np.r_[index[last - m :: 1, -1], index[last, ::-1][1:]]
    middle = len(vertices)
    vertices = np.concatenate([vertices, [[0, 0, z.min() - pitch], [0, 0, z.max() + pitch]]])
    faces.append(np.c_[np.roll(bottom, -1), bottom, np.full(len(bottom), middle)])
    faces.append(np.c_[np.roll(top, -1), top, np.full(len(top), middle + 1)])
    whole = solid_of(vertices, np.concatenate(faces))
    return whole.trim_by_plane((0, 0, 1), 0).trim_by_plane((0, 0, -1), -length)
