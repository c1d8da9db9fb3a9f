"""What jewelry families share: bands, plaques, bails.

A band lies about the y axis; a plaque hangs in the plane of x and z, its bail on top.
"""

import numpy as np

from catalog.families.gems import gem
from catalog.families.solids import (
    Array,
    Section,
    Solid,
    circle_points,
    curve,
    lathe,
    loft,
    prism,
    sweep,
    torus,
    union,
    wire,
)
from catalog.families.types import Look


def band_outline(style: str, width: float, thick: float) -> Array:
    """(n, 2) outline of a band's wire: x across the finger's radius (outwards), y along it."""
    w, t = width / 2, thick
    match style:
        case "flat":
            c = 0.12 * t
            return np.array([(0, -w), (t - c, -w), (t, -w + c), (t, w - c), (t - c, w), (0, w)])
        case "domed":
            a = np.radians(np.linspace(-90, 90, 13))
            return np.concatenate(
                [np.c_[0.35 * t + 0.65 * t * np.cos(a), w * np.sin(a)], [(0, w), (0, -w)]]
            )
        case "knife":
            return np.array([(0, -w), (0.3 * t, -w), (t, 0), (0.3 * t, w), (0, w)])
        case "concave":
            a = np.linspace(-1, 1, 9)
            return np.concatenate([np.c_[t * (0.55 + 0.45 * a**2), w * a], [(0, w), (0, -w)]])
        case _:
            return circle_points(t / 2, 14, y=w) + (t / 2, 0)


BANDS = ("flat", "domed", "knife", "concave", "wire")


def shank(
    q: Look, *, bore: float, width: float, thick: float, style: str = "domed", taper: float = 1.0
) -> Solid:
    """A band round the finger; `taper` narrows it towards the bottom."""
    outline = band_outline(style, width, thick) + (bore / 2, 0)
    made = lathe(outline, q.n * 2)
    if taper != 1.0:

        def narrow(points: Array) -> Array:
            share = (points[:, 0] / (bore / 2 + thick) + 1) / 2
            points[:, 2] *= taper + (1 - taper) * share
            return points

        made = made.warp_batch(narrow)
    # Its axis to y, its widest place to the top.
    return made.rotate((0, 0, 90)).rotate((-90, 0, 0)).rotate((0, 180, 0))


def shoulders(q: Look, *, bore: float, width: float, thick: float, reach: float) -> Solid:
    """Two arms that rise from the band's top to a height `reach` above the bore."""
    r = bore / 2 + 0.5 * thick
    arms = []
    for side in (-1, 1):
        points = np.array(
            [
                (side * r * np.sin(0.75), 0, r * np.cos(0.75)),
                (side * r * np.sin(0.4), 0, r * np.cos(0.4) + 0.35 * reach),
                (side * 0.12 * r, 0, bore / 2 + reach),
            ]
        )
        arms.append(wire(points, 0.45 * min(width, thick * 1.2), q.m))
    return union(arms)


def bail(q: Look, kind: str, *, size: float, z: float) -> Solid:
    """What the chain runs through, standing on a pendant whose top is at height z."""
    r = 0.11 * size
    if kind == "tube":
        made = lathe([(r * 0.75, -r), (r * 1.1, -r), (r * 1.1, r), (r * 0.75, r)], q.n)
        return made.rotate((0, 90, 0)).translate((0, 0, z + 0.9 * r))
    hoop = torus(r, 0.28 * r, q.n, m=q.m)
    if kind == "ring":
        return hoop.rotate((90, 0, 0)).translate((0, 0, z + 0.85 * r))
    eye = torus(0.55 * r, 0.25 * r, q.n, m=q.m).rotate((90, 0, 0)).translate((0, 0, z + 0.4 * r))
    band = [(0.55, 0, 0), (0.42, 0, 0.9), (0, 0, 1.9), (-0.42, 0, 0.9), (-0.55, 0, 0)]
    path = curve([(0, 1.1 * x * r, (1.2 * h + 0.6) * r) for x, _, h in band], 30)
    path = np.concatenate([path, [(0, 0, 0.2 * r)]])
    strap = sweep(
        path, [(-0.1 * r, -0.5 * r), (0.1 * r, -0.5 * r), (0.1 * r, 0.5 * r), (-0.1 * r, 0.5 * r)],
        closed=True, up=(1, 0, 0),
    )  # fmt: skip
    return union(eye, strap.translate((0, 0, z)))


def upright(flat: Solid) -> Solid:
    """A plate on z = 0 stood up, its drawing's y to z, its face to -y."""
    return flat.rotate((90, 0, 0))


def plaque(q: Look, section: Section, *, size: float, thick: float, how: str, hung: str) -> Solid:
    """A flat pendant: "flat", "open" (an outline), "puffed" or "stones" (a rim of small gems)."""
    t = thick * size
    top = section.bounds()[3]
    if how == "open":
        body = prism(section - section.offset(-0.11 * size), t, bevel=q.edge(t))
    elif how == "puffed":
        body = puffed(section, 2.2 * t)
    else:
        body = prism(section, t, bevel=q.edge(2 * t))
    parts = [body]
    if how == "stones":
        w = 0.085 * size
        inner = section.offset(-0.62 * w).simplify(1e-3).to_polygons()
        for contour in inner:
            closed = np.concatenate([contour, contour[:1]])
            far = np.r_[0, np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))]
            s = np.arange(0, far[-1] - 0.6 * w, 1.15 * w)
            at = np.c_[np.interp(s, far, closed[:, 0]), np.interp(s, far, closed[:, 1])]
            stone = gem("round", w, 8)
            parts += [stone.translate((float(x), float(y), t + 0.05 * w)) for x, y in at]
    # The plate's middle lies in the plane of the bail's eye.
    made = upright(union(parts).translate((0, 0, -t / 2)))
    return union(made, bail(q, hung, size=size, z=top))


def puffed(section: Section, h: float, *, steps: int = 9) -> Solid:
    """A section swollen like a cushion on both sides, h thick, on z = 0.

    Rings shrink towards the centroid, so the section must be star-shaped about it.
    """
    outline = max(section.to_polygons(), key=len)
    middle = outline.mean(0) if len(outline) > 12 else (outline.min(0) + outline.max(0)) / 2
    a = np.radians(np.linspace(-86, 86, steps))
    rings = [middle + (outline - middle) * np.cos(u) ** 0.8 for u in a]
    z = h / 2 * (1 + np.sin(a))
    return loft(np.stack([np.c_[p, np.full(len(p), v)] for p, v in zip(rings, z, strict=True)]))
