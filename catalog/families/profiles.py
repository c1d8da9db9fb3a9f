"""Flat outlines that families extrude: polygons, symbols, gear and pulley teeth, section steel.

Millimetres and degrees; every outline is centred on the origin unless it says otherwise.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from manifold3d import CrossSection, OpType

from catalog.families.solids import Array, Section, polygon


def disc(r: float, n: int) -> Section:
    return CrossSection.circle(r, n)


def annulus(outer: float, inner: float, n: int) -> Section:
    return disc(outer, n) - disc(inner, n)


def ngon(sides: int, across: float, *, turn: float = 0.0) -> Section:
    """A regular polygon, `across` its flats (twice the inscribed radius)."""
    r = across / 2 / np.cos(np.pi / sides)
    return CrossSection.circle(r, sides).rotate(turn)


def rectangle(x: float, y: float, *, r: float = 0.0, n: int = 32) -> Section:
    r = min(r, 0.49 * x, 0.49 * y)
    if r <= 0:
        return CrossSection.square((x, y), True)
    return CrossSection.square((x - 2 * r, y - 2 * r), True).offset(r, circular_segments=n)


def stadium(length: float, width: float, n: int = 32) -> Section:
    """A slot along x: `length` over all."""
    return rectangle(length, width, r=0.499 * width, n=n)


def softened(section: Section, r: float, n: int = 32) -> Section:
    """Outer and inner corners rounded by about `r`."""
    return (
        section.offset(-r, circular_segments=n)
        .offset(2 * r, circular_segments=n)
        .offset(-r, circular_segments=n)
    )


def holes(section: Section, centres: Iterable[Sequence[float]], r: float, n: int) -> Section:
    """The section less a round hole at each (x, y)."""
    return section - CrossSection.batch_boolean(
        [disc(r, n).translate((float(x), float(y))) for x, y in centres], OpType.Add
    )


def on_circle(count: int, r: float, *, start: float = 0.0) -> Array:
    """(count, 2) points evenly on a circle, from `start` degrees."""
    a = np.radians(start) + 2 * np.pi * np.arange(count) / count
    return np.c_[r * np.cos(a), r * np.sin(a)]


# --- symbols -------------------------------------------------------------------------------


def heart(width: float, n: int = 48) -> Section:
    """A heart standing on its tip, -y down. The classic curve with sin^2 for sin^3: no cusps."""
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    x = 16 * np.sin(t) * np.abs(np.sin(t))
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return polygon(np.c_[x, y + 2.5] * width / 32)


def star(points: int, r: float, *, inner: float = 0.45) -> Section:
    """A star with one tip up."""
    a = np.pi / 2 + np.pi * np.arange(2 * points) / points
    radius = np.where(np.arange(2 * points) % 2, inner * r, r)
    return polygon(np.c_[radius * np.cos(a), radius * np.sin(a)])


def plus(x: float, y: float, width: float, *, drop: float = 0.0) -> Section:
    """A cross; the horizontal bar lies `drop` above the middle."""
    bar = CrossSection.square((x, width), True).translate((0, drop))
    return CrossSection.square((width, y), True) + bar


def crescent(r: float, n: int, *, phase: float = 0.35) -> Section:
    """A moon open to +x; `phase` is how far, in radii, the bite is shifted."""
    return disc(r, n) - disc(0.82 * r, n).translate((phase * r, 0))


def teardrop(r: float, length: float, n: int) -> Section:
    """A drop with its tip up; `length` over all, `r` the bulb's radius."""
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    y = -np.cos(t) * length / 2
    x = 1.54 * r * np.sin(t) * np.abs(np.cos(t / 2))
    return polygon(np.c_[x, y])


def petals(count: int, r: float, n: int, *, depth: float = 0.35) -> Section:
    """A flower outline of `count` round petals."""
    t = np.linspace(0, 2 * np.pi, n * 2, endpoint=False)
    radius = r * (1 - depth * (1 - np.abs(np.cos(count * t / 2))))
    return polygon(np.c_[radius * np.cos(t), radius * np.sin(t)])


def superellipse(x: float, y: float, power: float, n: int) -> Array:
    """(n, 2) points: an ellipse at power 2, nearly a rectangle at 8."""
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    c, s = np.cos(t), np.sin(t)
    return np.c_[
        x / 2 * np.sign(c) * np.abs(c) ** (2 / power), y / 2 * np.sign(s) * np.abs(s) ** (2 / power)
    ]


# --- teeth ---------------------------------------------------------------------------------


def gear(
    module: float,
    teeth: int,
    *,
    pressure: float = 20.0,
    addendum: float = 1.0,
    dedendum: float = 1.25,
    flank: int = 5,
) -> Section:
    """An involute spur gear. Tooth thickness at the pitch circle is half the pitch."""
    pitch_r = module * teeth / 2
    base = pitch_r * np.cos(np.radians(pressure))
    tip, root = pitch_r + addendum * module, max(pitch_r - dedendum * module, 0.2 * pitch_r)
    r = np.linspace(max(base, root), tip, flank)
    roll = np.sqrt(np.maximum((r / base) ** 2 - 1, 0))
    involute = roll - np.arctan(roll)
    at_pitch = np.tan(np.radians(pressure)) - np.radians(pressure)
    half = np.maximum(np.pi / (2 * teeth) + at_pitch - involute, 0.02 / teeth)
    # Root corners, then the left flank upwards and the right one back.
    angle = np.concatenate([[-half[0] * 1.08], -half, half[::-1], [half[0] * 1.08]])
    radius = np.concatenate([[root], r, r[::-1], [root]])
    return around(teeth, angle, radius)


def around(count: int, angle: Array, radius: Array) -> Section:
    """`count` copies of one tooth, given in polar form about angle 0 (radians)."""
    a = (angle[None] + 2 * np.pi * np.arange(count)[:, None] / count).ravel()
    r = np.tile(radius, count)
    return polygon(np.c_[r * np.cos(a), r * np.sin(a)])


def teeth_ring(
    count: int, outer: float, inner: float, *, top: float = 0.4, foot: float = 0.6
) -> Section:
    """Trapezoid teeth: `top` and `foot` are the tooth's width there as a share of the pitch."""
    step = np.pi / count
    angle = step * np.array([-foot, -top, top, foot])
    return around(count, angle, np.array([inner, outer, outer, inner]))


def sprocket(count: int, pitch: float, roller: float) -> Section:
    """A roller-chain sprocket: round seats between pointed teeth (proportions near ISO 606)."""
    pitch_r = pitch / 2 / np.sin(np.pi / count)
    seat = np.radians(np.linspace(115, 245, 7))
    x = pitch_r + 0.505 * roller * np.cos(seat)
    y = -0.505 * roller * np.sin(seat)
    tip = pitch_r + 0.62 * (pitch - roller)
    angle = np.concatenate([np.arctan2(y, x), [np.pi / count * 0.86, np.pi / count * 1.14]])
    radius = np.concatenate([np.hypot(x, y), [tip, tip]])
    return around(count, angle, radius)


def lobes(count: int, outer: float, inner: float, n: int) -> Section:
    """A wavy outline, as of a star knob or a torx recess."""
    t = np.linspace(0, 2 * np.pi, max(n, 8 * count), endpoint=False)
    radius = (outer + inner) / 2 + (outer - inner) / 2 * np.cos(count * t)
    return polygon(np.c_[radius * np.cos(t), radius * np.sin(t)])


# --- section steel and aluminium -------------------------------------------------------------


def angle_section(a: float, b: float, t: float) -> Section:
    """An L: the outer corner at the origin, legs `a` along x and `b` along y."""
    return polygon([(0, 0), (a, 0), (a, t), (t, t), (t, b), (0, b)])


def channel_section(width: float, height: float, t: float, web: float) -> Section:
    """A U open to +y."""
    inside = CrossSection.square((width - 2 * t, height), True).translate((0, web))
    return CrossSection.square((width, height), True) - inside


def i_section(width: float, height: float, flange: float, web: float) -> Section:
    both = CrossSection.square((width, height), True)
    side = CrossSection.square((width, height - 2 * flange), True)
    return both - side + CrossSection.square((web, height), True)


def t_section(width: float, height: float, flange: float, web: float) -> Section:
    top = CrossSection.square((width, flange), True).translate((0, (height - flange) / 2))
    return top + CrossSection.square((web, height), True)


def slot_section(size: float, slot: float, *, bore: float, n: int) -> Section:
    """Aluminium T-slot profile: a slot on each side, a bore in the core."""
    wall, deep = 0.1 * size, 0.3 * size
    cut = CrossSection.square((slot, 2 * wall), True).translate((0, size / 2))
    inner = polygon(
        [
            (-0.26 * size, size / 2 - wall),
            (0.26 * size, size / 2 - wall),
            (0.13 * size, size / 2 - deep),
            (-0.13 * size, size / 2 - deep),
        ]
    )
    body = rectangle(size, size, r=0.06 * size, n=n)
    for quarter in range(4):
        body = body - (cut + inner).rotate(90 * quarter)
    return body - disc(bore / 2, n) if bore > 0 else body
