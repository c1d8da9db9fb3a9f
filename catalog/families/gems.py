"""Cut stones and the prongs and seats that hold them.

A stone lies with its girdle on z = 0, table up, culet down, its longer side along x.
Proportions are those of good commercial cuts: table 0.57, crown 0.15, pavilion 0.43 of the width.
"""

import numpy as np

from catalog.families.solids import (
    Array,
    Solid,
    ball,
    circle_points,
    loft,
    union,
    wire,
)

CUTS: tuple[str, ...] = (
    "round", "princess", "emerald", "oval", "marquise", "pear", "heart", "cushion", "cabochon",
)  # fmt: skip
ASPECT = {"emerald": 1.4, "oval": 1.35, "marquise": 2.0, "pear": 1.5}


def girdle(cut: str, w: float, n: int) -> Array:
    """(n, 2) points of the stone's outline; `w` its width along y."""
    long = w * ASPECT.get(cut, 1.0)
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    c, s = np.cos(t), np.sin(t)
    match cut:
        case "round" | "oval" | "cabochon":
            return circle_points(long / 2, n, y=w / 2)
        case "princess":
            # A square has no use for points along its sides, but the prongs and seats do.
            q = np.maximum(np.abs(c), np.abs(s))
            return np.c_[w / 2 * c / q, w / 2 * s / q]
        case "cushion":
            p = (np.abs(c) ** 4 + np.abs(s) ** 4) ** 0.25
            return np.c_[w / 2 * c / p, w / 2 * s / p]
        case "emerald":
            cutoff = 0.72 * (long + w) / 2
            q = np.maximum.reduce(
                [np.abs(c) / (long / 2), np.abs(s) / (w / 2), (np.abs(c) + np.abs(s)) / cutoff]
            )
            return np.c_[c / q, s / q]
        case "marquise":
            return np.c_[long / 2 * c, w / 2 * np.sign(s) * (1 - np.abs(c) ** 1.7)]
        case "pear":
            x = -c * long / 2
            return np.c_[x, -0.77 * w * s * np.abs(np.cos(t / 2))][::-1]
        case "heart":
            x = 16 * s * np.abs(s)
            y = 13 * c - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t) + 2.5
            return np.c_[y, x] * w / 32
    raise ValueError(f"No such cut: {cut}.")


def gem(cut: str, w: float, n: int = 16) -> Solid:
    """A stone `w` wide; `n` main facets on a round girdle."""
    n = max(8, n // 2 * 2)
    edge = girdle(cut, w, n)
    flat = np.zeros(n)
    crown, pavilion, rim = 0.15 * w, 0.43 * w, 0.012 * w

    def ring(scale: float, z: float, points: Array = edge) -> Array:
        return np.c_[points * scale, flat[: len(points)] + z]

    if cut == "cabochon":
        rise = np.radians(np.linspace(0, 80, 6))
        rings = [ring(0.96, -0.08 * w), *(ring(np.cos(a), 0.42 * w * np.sin(a)) for a in rise)]
        return loft(np.stack(rings))
    if cut == "heart":
        levels = [(0.05, -pavilion), (1, -rim), (1, rim), (0.8, 0.6 * crown), (0.6, crown)]
        return loft(np.stack([ring(s, z) for s, z in levels]))
    if cut in ("princess", "emerald"):
        steps = [(1, rim), (0.86, 0.6 * crown), (0.66, crown)]
        below = [(1, -rim), (0.72, -0.5 * pavilion), (0.05, -pavilion)]
        if cut == "emerald":
            below[-1] = (0.3, -0.85 * pavilion)
        return _hull_points(np.concatenate([ring(s, z) for s, z in steps + below]))
    # A brilliant: star points lie between the main ones, so the hull makes kites and triangles.
    table, star, low = edge[::2], edge[1::2], edge[::2]
    points = [
        ring(1, rim),
        ring(1, -rim),
        ring(0.57, crown, table),
        ring(0.79, 0.62 * crown, star),
        ring(0.52, -0.55 * pavilion, low),
        np.array([[edge[:, 0].mean(), 0, -pavilion]]),
    ]
    return _hull_points(np.concatenate(points))


def _hull_points(points: Array) -> Solid:
    return Solid.hull_points(np.ascontiguousarray(points, float))


def prongs(cut: str, w: float, *, count: int, r: float, foot: float, m: int = 8) -> Solid:
    """Claws from z = -foot, leaning out to the girdle and bent over its edge."""
    edge = girdle(cut, w, 240)
    # Claws hold the corners of a cornered stone.
    start = 0.0 if cut in ("marquise", "pear", "heart") else 0.5
    made = []
    for i in range(count):
        x, y = edge[int((i + start) * 240 / count) % 240]
        long = np.hypot(x, y)
        u = np.array([x, y]) / long
        made += [_claw(u, [(0.45 * long, -foot), (long + 0.4 * r, 0.0)], 0.5 * w, r, m)]
    return union(made)


def _claw(u: Array, line: list[tuple[float, float]], w: float, r: float, m: int) -> Solid:
    (a, low), (b, _) = line
    path = np.array([(a, low), (b, 0.02 * w), (b - 0.2 * r, 0.22 * w), (b - 1.5 * r, 0.3 * w)])
    points = np.c_[path[:, :1] * u, path[:, 1]]
    return union(wire(points, r, m), ball(r, m).translate(tuple(points[-1])))


def collet(cut: str, w: float, *, wall: float, depth: float, n: int, top: float = 0.0) -> Solid:
    """A bezel: a wall round the girdle, from z = -depth to `top`, closed below."""
    edge = girdle(cut, w, n)
    outer = edge * (1 + 2 * wall / w)
    narrow = 0.75
    rings = [(outer * narrow, -depth), (outer, -0.15 * depth), (outer, top + 0.06 * w)]
    inner = [(edge * 0.94, top + 0.06 * w), (edge * 0.6, -0.3 * depth)]
    return loft(np.stack([np.c_[p, np.full(n, z)] for p, z in rings + inner]))


def basket(w: float, *, depth: float, r: float, n: int) -> Solid:
    """The lower ring of a pronged setting, on z = -depth * 0.55."""
    path = np.c_[circle_points(0.36 * w, n), np.full(n, -0.55 * depth)]
    return wire(path, r, 8, closed=True)


def setting(cut: str, w: float, *, style: str, n: int, claw: float = 0.09, claws: int = 4) -> Solid:
    """A stone in its seat: "prong" or "bezel". The seat's foot is at z = -0.62 w."""
    stone = gem(cut, w, max(16, n // 2))
    if style == "bezel":
        return union(stone, collet(cut, w, wall=0.07 * w, depth=0.6 * w, n=n))
    r = claw * w
    seat = prongs(cut, w, count=claws, r=r, foot=0.62 * w)
    return union(stone, seat, basket(w, depth=0.62 * w, r=0.8 * r, n=max(16, n // 2)))


def pave(points: Array, w: float, n: int = 8) -> list[Solid]:
    """Small round stones, table up, at (k, 3) points."""
    stone = gem("round", w, n)
    return [stone.translate(tuple(map(float, p))) for p in points]
