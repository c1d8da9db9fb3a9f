"""Fans, turbines and other bladed wheels; their axis is z."""

from functools import partial

import numpy as np

from catalog.families.gears import bored
from catalog.families.profiles import (
    annulus,
    disc,
    holes,
    rectangle,
)
from catalog.families.solids import (
    Solid,
    curve,
    lathe,
    loft,
    polar,
    polygon,
    prism,
    rod,
    tube_straight,
    turned,
    union,
)
from catalog.families.types import Look, family, log_uniform, maybe, one_of, phrase, uniform, whole

rotor = partial(family, group="transmission", category="rotor")


def blade(
    q: Look, *, r0: float, r1: float, root: float, tip: float, pitch: tuple[float, float],
    thick: float, sweep_: float,
) -> Solid:  # fmt: skip
    """A propeller blade along x: chords and pitch angles (degrees) at its root and tip."""
    share = np.linspace(0, 1, 9)
    flat = np.c_[np.cos(np.linspace(0, 2 * np.pi, 16, endpoint=False)),
                 np.sin(np.linspace(0, 2 * np.pi, 16, endpoint=False))]  # fmt: skip
    rings = []
    for s in share:
        chord = (root + (tip - root) * s) * (1 - 0.75 * max(0.0, s - 0.75) ** 2 * 16)
        p = flat * (max(chord, 0.05 * root) / 2, thick * (1 - 0.6 * s) / 2)
        a = np.radians(pitch[0] + (pitch[1] - pitch[0]) * s)
        y, z = p[:, 0] * np.cos(a) - p[:, 1] * np.sin(a), p[:, 0] * np.sin(a) + p[:, 1] * np.cos(a)
        rings.append(np.c_[np.full(16, r0 + (r1 - r0) * s), y + sweep_ * s**2, z])
    return loft(np.stack(rings))


@rotor(
    en="propeller; fan blade rotor; marine propeller / airscrew; ship screw",
    zh_hant="螺旋槳; 槳葉; 船用螺旋槳 / 推進器; 船舶推進螺旋葉",
    zh_hans="螺旋桨; 桨叶; 船用螺旋桨 / 推进器; 船舶推进螺旋叶",
    says=(phrase("{blades} blade {name}", "{blades}葉{name}", "{blades}叶{name}"),),
    r=log_uniform(20, 150),
    blades=whole(2, 6),
    chord=uniform(0.16, 0.55, "wide"),
    twist=uniform(25, 55),
    hub=uniform(0.1, 0.2),
)
def propeller(q: Look, *, r: float, blades: int, chord: float, twist: float, hub: float) -> Solid:
    h = hub * r
    one = blade(
        q, r0=0.6 * h, r1=r, root=1.1 * h, tip=chord * r, pitch=(twist, 0.45 * twist),
        thick=0.35 * h, sweep_=0.12 * r,
    )  # fmt: skip
    body = turned([(h, -0.8 * h), (h, 0.6 * h), (0.7 * h, 1.2 * h), (0.15 * h, 1.6 * h)], 2 * q.n)
    return union(body, polar(one, blades)) - rod(0.35 * h, 9 * h, q.n).translate((0, 0, -5 * h))


@rotor(
    en="impeller; pump impeller; centrifugal impeller / turbo compressor wheel; vaned rotor",
    zh_hant="葉輪; 泵葉輪; 離心葉輪 / 渦輪增壓葉輪; 帶葉片轉子",
    zh_hans="叶轮; 泵叶轮; 离心叶轮 / 涡轮增压叶轮; 带叶片转子",
    says=(phrase("{name} with {vanes} vanes", "{vanes}葉片{name}", "{vanes}叶片{name}"),),
    r=log_uniform(12, 90),
    vanes=whole(5, 14),
    lean=uniform(20, 70),
    tall=uniform(0.25, 0.7, "tall"),
    kind=one_of("open", "closed", "turbo"),
)
def impeller(q: Look, *, r: float, vanes: int, lean: float, tall: float, kind: str) -> Solid:
    h = tall * r
    plate = rod(r, 0.07 * r, 2 * q.n)
    a = np.radians(np.linspace(0, lean * 1.6, 14))
    rho = np.linspace(0.26 * r, 0.99 * r, 14)
    line = np.c_[rho * np.cos(a), rho * np.sin(a)]
    side = np.gradient(line, axis=0)[:, ::-1] * (-1, 1)
    side *= 0.022 * r / np.linalg.norm(side, axis=1, keepdims=True)
    vane = prism(polygon(np.concatenate([line + side, (line - side)[::-1]])), h)
    vanes_ = union(polar(vane, vanes))
    cone = turned(
        curve([(0.95 * r, 0.06 * r), (0.5 * r, 0.3 * h), (0.24 * r, 0.7 * h), (0.18 * r, h)], 14),
        2 * q.n,
    )
    if kind == "turbo":
        shell = turned(
            curve([(r, 0), (r, 0.25 * h), (0.75 * r, 0.55 * h), (0.62 * r, h)], 14), 2 * q.n
        )
        return bored(q, union(plate, cone, vanes_ ^ shell), bore=0.08 * r, h=2 * h, key=False)
    hub = rod(0.24 * r, h, q.n)
    parts = [plate, vanes_, hub]
    if kind == "closed":
        top = lathe([(0.5 * r, h), (r, 0.75 * h), (r, 0.82 * h), (0.5 * r, 1.07 * h)], 2 * q.n)
        room = turned([(r, 0), (r, 0.76 * h), (0.5 * r, h), (0.5 * r, 1.05 * h)], 2 * q.n)
        parts = [plate, vanes_ ^ room, hub, top]
    return bored(q, union(parts), bore=0.12 * r, h=2 * h, key=True)


@rotor(
    en="cooling fan; axial fan; computer case fan / square frame fan; ventilator",
    zh_hant="散熱風扇; 軸流風扇; 機殼風扇 / 方框風扇; 通風扇",
    zh_hans="散热风扇; 轴流风扇; 机箱风扇 / 方框风扇; 通风扇",
    says=(phrase("{blades} blade {name}", "{blades}葉{name}", "{blades}叶{name}"),),
    size=one_of(25, 30, 40, 50, 60, 80, 92, 120),
    blades=whole(5, 11),
    thick=uniform(0.18, 0.36, "thick"),
    frame=one_of(True, True, True, False),
    hub=uniform(0.36, 0.5),
)
def axial_fan(q: Look, *, size: float, blades: int, thick: float, frame: bool, hub: float) -> Solid:
    r, h = 0.47 * size, thick * size
    one = blade(
        q, r0=0.9 * hub * r, r1=0.97 * r, root=0.95 * h, tip=1.4 * h, pitch=(48, 30),
        thick=0.06 * size, sweep_=0.1 * r,
    )  # fmt: skip
    core = rod(hub * r, 0.9 * h, 2 * q.n, bevel=q.edge(0.5 * r)).translate((0, 0, 0.05 * h))
    wheel = union(core, polar(one.translate((0, 0, 0.5 * h)), blades))
    if not frame:
        return wheel
    at = [(x * 0.42 * size, y * 0.42 * size) for x in (-1, 1) for y in (-1, 1)]
    flat = holes(rectangle(size, size, r=0.06 * size), at, 0.035 * size, q.m) - disc(r, 2 * q.n)
    plate = prism(flat, 0.12 * h)
    duct = tube_straight(1.05 * r, r, h, 2 * q.n) ^ prism(rectangle(size, size), h)
    arm = prism(rectangle(1.0 * r, 0.07 * r), 0.08 * h).translate((0.52 * r, 0, 0))
    return union(
        plate, plate.translate((0, 0, 0.88 * h)), duct, wheel,
        polar(arm, 4), rod(hub * r, 0.1 * h, q.n),
    )  # fmt: skip


@rotor(
    en="turbine wheel; bladed turbine disc; jet turbine rotor / steam turbine stage; bladed disk",
    zh_hant="渦輪; 渦輪葉盤; 渦輪轉子 / 汽輪機葉輪; 噴射渦輪盤",
    zh_hans="涡轮; 涡轮叶盘; 涡轮转子 / 汽轮机叶轮; 喷气涡轮盘",
    says=(phrase("{name} with {blades} blades", "{blades}葉{name}", "{blades}叶{name}"),),
    r=log_uniform(20, 140),
    blades=whole(16, 48),
    hub=uniform(0.45, 0.72),
    wide=uniform(0.1, 0.25, "thick"),
    shroud=maybe(),
)
def turbine_wheel(
    q: Look, *, r: float, blades: int, hub: float, wide: float, shroud: bool
) -> Solid:
    h = wide * r
    chord = min(1.05 * h, 1.6 * 2 * np.pi * hub * r / blades)
    one = blade(
        q, r0=0.96 * hub * r, r1=r, root=chord, tip=0.95 * chord, pitch=(58, 42),
        thick=0.16 * chord, sweep_=0.0,
    )  # fmt: skip
    line = [(hub * r, -h / 2), (hub * r, h / 2), (0.8 * hub * r, 0.35 * h), (0.3 * r, 0.25 * h)]
    core = turned(
        [(0.3 * r, -0.25 * h), (0.8 * hub * r, -0.35 * h), *line, (0.16 * r, 0.6 * h)], 2 * q.n
    )
    parts = [core, *polar(one, blades)]
    if shroud:
        band = tube_straight(1.04 * r, 0.99 * r, 0.9 * h, 2 * q.n)
        parts.append(band.translate((0, 0, -0.45 * h)))
    return bored(q, union(parts), bore=0.09 * r, h=4 * h, key=False)


@rotor(
    en="squirrel cage fan; blower wheel; centrifugal blower drum / cylindrical fan with many"
    " blades; crossflow wheel",
    zh_hant="鼠籠風輪; 鼓風機風輪; 離心風輪 / 多葉滾筒風扇; 貫流風輪",
    zh_hans="鼠笼风轮; 鼓风机风轮; 离心风轮 / 多叶滚筒风扇; 贯流风轮",
    r=log_uniform(15, 100),
    blades=whole(20, 44),
    long=uniform(0.5, 1.8, "long"),
    deep=uniform(0.14, 0.24),
)
def blower_wheel(q: Look, *, r: float, blades: int, long: float, deep: float) -> Solid:
    h, d = long * r, deep * r
    vane = prism(rectangle(d, 0.025 * r), h).rotate((0, 0, 38)).translate((r - 0.45 * d, 0, 0))
    ring = tube_straight(r * 1.01, r - d, 0.04 * r, 2 * q.n)
    back = rod(r, 0.04 * r, 2 * q.n)
    hub = rod(0.2 * r, 0.35 * h, q.n)
    made = union(back, hub, polar(vane, blades), ring.translate((0, 0, h - 0.04 * r)))
    return bored(q, made, bore=0.08 * r, h=h, key=False)


@rotor(
    en="paddle wheel; water wheel; mill wheel / bucket wheel; vane wheel with flat paddles",
    zh_hant="水車; 槳輪; 水輪 / 磨坊水輪; 平板葉輪",
    zh_hans="水车; 桨轮; 水轮 / 磨坊水轮; 平板叶轮",
    r=log_uniform(20, 150),
    paddles=whole(6, 14),
    wide=uniform(0.3, 0.9, "wide"),
    sides=one_of("disc", "ring"),
)
def paddle_wheel(q: Look, *, r: float, paddles: int, wide: float, sides: str) -> Solid:
    h = wide * r
    board = prism(rectangle(0.42 * r, 0.04 * r), h).translate((0.79 * r, 0, 0))
    flat = disc(0.88 * r, 2 * q.n)
    if sides == "ring":
        flat = annulus(0.88 * r, 0.68 * r, 2 * q.n)
        for i in range(4):
            flat = flat + rectangle(1.5 * r, 0.07 * r).rotate(45 * i)
    wall = prism(flat, 0.05 * r)
    hub = rod(0.15 * r, 1.2 * h, q.n).translate((0, 0, -0.1 * h))
    made = union(wall, wall.translate((0, 0, h - 0.05 * r)), hub, polar(board, paddles))
    return bored(q, made, bore=0.06 * r, h=2 * h, key=False)
