"""Hooks, clamps and clips."""

from functools import partial

import numpy as np

from catalog.families.fasteners import shank
from catalog.families.profiles import disc, holes, rectangle, softened, stadium
from catalog.families.solids import (
    Solid,
    arc,
    ball,
    curve,
    polygon,
    prism,
    rod,
    sweep,
    torus,
    union,
    wire,
)
from catalog.families.types import Look, family, log_uniform, maybe, one_of, uniform

thing = partial(family, group="structure")
hook_ = partial(thing, category="hook")
clamp_ = partial(thing, category="clamp")


@hook_(
    en="coat hook; wall hook; towel hook / robe hook on a plate; hat peg",
    zh_hant="衣帽鉤; 牆壁掛鉤; 毛巾鉤 / 掛衣鉤; 門後掛鉤",
    zh_hans="衣帽钩; 墙壁挂钩; 毛巾钩 / 挂衣钩; 门后挂钩",
    size=log_uniform(30, 120),
    count=one_of(1, 1, 2),
    thick=uniform(0.06, 0.12, "heavy"),
    plate=one_of("round", "rectangle", "oval"),
    tip=maybe(),
)
def coat_hook(q: Look, *, size: float, count: int, thick: float, plate: str, tip: bool) -> Solid:
    r, h = thick * size, size
    flat = {
        "round": disc(0.3 * h, 2 * q.n),
        "rectangle": rectangle(0.34 * h, 0.8 * h, r=0.05 * h),
        "oval": stadium(0.8 * h, 0.36 * h, q.n).rotate(90),
    }[plate]
    y = 0.2 * h if plate == "round" else 0.3 * h
    back = prism(holes(flat, [(0, y), (0, -y)], 0.035 * h, q.m), 0.06 * h, bevel=q.edge(0.08 * h))
    low = curve([(0, -0.05 * h, 0), (0, -0.2 * h, 0.22 * h), (0, -0.1 * h, 0.5 * h),
                 (0, 0.16 * h, 0.56 * h)], 28)  # fmt: skip
    swell = np.linspace(1.25, 0.85, 28)
    parts = [
        back,
        wire(low, r, q.m, scale=swell),
        ball(r * (1.5 if tip else 0.85), q.n).translate(tuple(map(float, low[-1]))),
    ]
    if count == 2:
        high = curve([(0, 0.1 * h, 0), (0, 0.3 * h, 0.4 * h), (0, 0.56 * h, 0.62 * h)], 20)
        parts += [
            wire(high, 0.8 * r, q.m),
            ball(1.1 * r, q.n).translate(tuple(map(float, high[-1]))),
        ]
    return union(parts).rotate((90, 0, 0))


@hook_(
    en="S-hook; s shaped hook / double open hook; butcher's hook",
    zh_hant="S鉤; S型掛鉤 / 雙頭彎鉤; 肉鉤",
    zh_hans="S钩; S型挂钩 / 双头弯钩; 肉钩",
    size=log_uniform(20, 140),
    thick=uniform(0.05, 0.12, "heavy"),
    ratio=uniform(0.6, 1.0),
    tips=maybe(),
)
def s_hook(q: Look, *, size: float, thick: float, ratio: float, tips: bool) -> Solid:
    r, a, b = thick * size / 2, 0.24 * size, 0.24 * size * ratio
    top = arc(a, 200, -90, q.n) + (0, a, 0)
    low = arc(b, 90, 380, q.n) - (0, b, 0)
    path = np.concatenate([top, low[1:]])
    made = wire(path, r, q.m)
    if tips:
        end = ball(1.5 * r, q.m)
        made = union(made, [end.translate(tuple(map(float, path[i]))) for i in (0, -1)])
    return made.rotate((90, 0, 0))


@hook_(
    en="crane hook; lifting hook; hoist hook / cargo hook with an eye; swivel load hook",
    zh_hant="吊鉤; 起重吊鉤; 吊車鉤 / 帶眼環的貨鉤; 旋轉吊掛鉤",
    zh_hans="吊钩; 起重吊钩; 吊车钩 / 带眼环的货钩; 旋转吊挂钩",
    size=log_uniform(40, 200),
    thick=uniform(0.1, 0.17, "heavy"),
    eye=one_of("eye", "shank"),
    latch=maybe(),
)
def crane_hook(q: Look, *, size: float, thick: float, eye: str, latch: bool) -> Solid:
    s, r = size, thick * size / 2
    side = [
        (0, 0.46),
        (0, 0.3),
        (-0.22, 0.12),
        (-0.22, -0.14),
        (0, -0.28),
        (0.22, -0.16),
        (0.25, 0.02),
    ]
    path = curve([(x * s, 0, z * s) for x, z in side], 60)
    swell = np.interp(np.linspace(0, 1, 60), [0, 0.2, 0.55, 0.85, 1], [0.8, 0.9, 1.5, 1.0, 0.35])
    a = np.linspace(0, 2 * np.pi, q.m, endpoint=False)
    parts = [sweep(path, np.c_[r * np.cos(a), 0.7 * r * np.sin(a)], scale=swell, up=(0, 1, 0))]
    if eye == "eye":
        parts.append(
            torus(0.11 * s, 0.9 * r, q.n, m=q.m).rotate((90, 0, 0)).translate((0, 0, 0.55 * s))
        )
    else:
        parts.append(rod(0.8 * r, 0.4 * s, q.n, bevel=0.1 * r).translate((0, 0, 0.4 * s)))
        parts.append(rod(1.8 * r, 0.08 * s, q.n, bevel=0.1 * r).translate((0, 0, 0.52 * s)))
    if latch:
        parts.append(
            wire(np.array([(-0.02 * s, 0, 0.26 * s), (0.23 * s, 0, -0.04 * s)]), 0.35 * r, q.m)
        )
    return union(parts)


@hook_(
    en="carabiner; snap hook; spring clip hook / climbing carabiner; D-shaped clip link",
    zh_hant="登山扣; 彈簧鉤; D型扣 / 安全扣環; 快掛鉤環",
    zh_hans="登山扣; 弹簧钩; D型扣 / 安全扣环; 快挂钩环",
    size=log_uniform(25, 120),
    wide=uniform(0.42, 0.62, "wide"),
    thick=uniform(0.07, 0.13, "heavy"),
    shape=one_of("oval", "D", "pear"),
    sleeve=maybe(),
)
def carabiner(
    q: Look, *, size: float, wide: float, thick: float, shape: str, sleeve: bool
) -> Solid:
    x, z, r = wide * size / 2, size / 2, thick * size / 2
    line = {
        "oval": [(x, 0.5 * z), (x, -0.5 * z), (0, -z), (-x, -0.5 * z), (-x, 0.5 * z), (0, z)],
        "D": [(x, 0.4 * z), (x, -0.5 * z), (0.2 * x, -z), (-x, -0.7 * z), (-x, 0.8 * z), (0, z)],
        "pear": [(0.8 * x, 0.2 * z), (0.5 * x, -0.7 * z), (0, -z), (-0.6 * x, -0.7 * z),
                 (-1.1 * x, 0.6 * z), (0, z)],
    }[shape]  # fmt: skip
    flat = curve(line, 6 * 12, closed=True)
    path = np.c_[flat[:, 0], np.zeros(len(flat)), flat[:, 1]]
    made = wire(path, r, q.m, closed=True)
    # The gate: two thin cuts and a thicker barrel between them.
    low, high = path[12], path[0]
    u = (high - low) / np.linalg.norm(high - low)
    pin = wire(np.array([low + u * 0.1, high - u * 0.1]), (1.5 if sleeve else 1.15) * r, q.m)
    hinge = Solid.cylinder(2.6 * r, 0.5 * r, 0.5 * r, q.m, True).rotate((90, 0, 0))
    return union(made, pin, hinge.translate(tuple(map(float, low))))


@clamp_(
    en="pipe clamp; hose clamp; two-bolt pipe clip / split tube clamp; pipe support ring",
    zh_hant="管夾; 管束; 管卡 / 兩半式管夾; 喉箍",
    zh_hans="管夹; 管箍; 管卡 / 两半式管夹; 喉箍",
    bore=log_uniform(8, 100),
    thick=uniform(0.06, 0.16, "thick"),
    wide=uniform(0.25, 0.7, "wide"),
    kind=one_of("split", "ear", "base"),
    bolts=maybe(),
)
def pipe_clamp(q: Look, *, bore: float, thick: float, wide: float, kind: str, bolts: bool) -> Solid:
    r, t, w = bore / 2, thick * bore, wide * bore
    ring = disc(r + t, 2 * q.n) - disc(r, 2 * q.n)
    ear = 0.42 * bore
    gap = rectangle(3 * bore, 0.5 * t)
    tab = rectangle(2 * (r + t + ear), 2.5 * t) - disc(r, 2 * q.n)
    match kind:
        case "split":
            flat, at = ring + tab - gap, [r + t + ear / 2, -r - t - ear / 2]
        case "ear":
            one = rectangle(t + ear + 0.2 * r, 3 * t).translate((r + t / 2 + ear / 2, 0))
            flat = ring + (one - disc(r, 2 * q.n)) - gap.translate((1.5 * bore, 0))
            at = [r + t + ear * 0.6]
        case _:
            foot = rectangle(2 * (r + t + ear), 1.6 * t).translate((0, -r - 0.6 * t))
            flat, at = ring + foot - disc(r, 2 * q.n), [r + t + ear / 2, -r - t - ear / 2]
    made = prism(flat, w).rotate((90, 0, 0)).translate((0, w / 2, 0))
    d = min(0.36 * w, 0.5 * ear)
    drill = Solid.cylinder(4 * bore, d / 2, d / 2, q.m, True)
    if not bolts or kind == "base":
        return made - union(
            [drill.translate((x, 0, -1.5 * bore if kind == "base" else 0)) for x in at]
        )
    screw = union(
        rod(0.5 * d, 7 * t, q.m).translate((0, 0, -3.5 * t)),
        rod(0.9 * d, 0.7 * d, 6).translate((0, 0, 1.2 * t)),
        rod(0.9 * d, 0.7 * d, 6).translate((0, 0, -1.2 * t - 0.7 * d)),
    )
    return union(made, [screw.translate((x, 0, 0)) for x in at])


@clamp_(
    en="C-clamp; G-clamp; screw clamp / carpenter's clamp; bench vise clamp with a screw",
    zh_hant="C型夾; G型夾; 螺旋夾 / 木工夾具; 弓形夾",
    zh_hans="C型夹; G型夹; 螺旋夹 / 木工夹具; 弓形夹",
    size=log_uniform(35, 180),
    deep=uniform(0.4, 0.8, "deep"),
    thick=uniform(0.09, 0.16, "thick"),
    open_=uniform(0.2, 0.8),
    threaded=one_of("rings", "helical", "plain"),
)
def c_clamp(
    q: Look, *, size: float, deep: float, thick: float, open_: float, threaded: str
) -> Solid:
    s, x, t = size, deep * size, thick * size
    flat = polygon(
        [(0, 0), (x, 0), (x, t), (t, 1.2 * t), (t, s - 1.2 * t), (x, s - t), (x, s), (0, s)]
    )
    flat = softened(flat, 0.25 * t)
    frame = (
        prism(flat, 0.9 * t, bevel=q.edge(0.6 * t)).rotate((90, 0, 0)).translate((0, 0.45 * t, 0))
    )
    d, axis = 0.62 * t, x - 0.6 * t
    boss = rod(0.85 * t, 1.3 * t, q.n, bevel=q.edge(t)).translate((axis, 0, -0.15 * t))
    reach = 0.25 * s + (s - 2 * t) * open_
    low = t + (s - 2 * t) * open_ - reach - 0.4 * t
    screw = shank(q, d=d, length=reach + 0.7 * t, style=threaded).translate((axis, 0, low))
    pad = rod(0.8 * t, 0.35 * t, q.n, bevel=q.edge(t)).translate((axis, 0, low + reach + 0.5 * t))
    anvil = rod(0.7 * t, 0.4 * t, q.n).translate((axis, 0, s - 1.35 * t))
    bar = rod(0.16 * t, 3 * t, q.m).rotate((0, 90, 0)).translate((axis - 1.5 * t, 0, low + 0.5 * d))
    tips = [
        ball(0.28 * t, q.m).translate((axis + sx * 1.5 * t, 0, low + 0.5 * d)) for sx in (-1, 1)
    ]
    return union(frame, boss, screw, pad, anvil, bar, tips)


@clamp_(
    en="spring clip; clothespin; clothes peg / binder clip; gripping clip",
    zh_hant="夾子; 曬衣夾; 彈簧夾 / 衣夾; 長尾夾",
    zh_hans="夹子; 晾衣夹; 弹簧夹 / 衣夹; 长尾夹",
    long=log_uniform(25, 100),
    wide=uniform(0.12, 0.35, "wide"),
    open_=uniform(6, 18),
    notch=maybe(),
)
def spring_clip(q: Look, *, long: float, wide: float, open_: float, notch: bool) -> Solid:
    w, t = wide * long, 0.075 * long
    side = [
        (0, 0),
        (long, 0),
        (long, 0.5 * t),
        (0.62 * long, 1.4 * t),
        (0.3 * long, t),
        (0, 0.35 * t),
    ]
    flat = polygon(side)
    if notch:
        flat = (
            flat
            - disc(0.55 * t, q.m).translate((0.2 * long, 0))
            - disc(0.8 * t, q.m).translate((0.42 * long, 0))
        )
    jaw = prism(flat, w).rotate((90, 0, 0)).translate((-0.55 * long, w / 2, 0.12 * t))
    half = jaw.rotate((0, -open_ * 0.5, 0))
    coil = torus(0.9 * t, 0.22 * t, q.n, m=8).rotate((90, 0, 0))
    rings = [coil.translate((0.05 * long, y * w * 0.6, 0)) for y in (-0.9, -0.5, 0, 0.5, 0.9)]
    return union(half, half.mirror((0, 0, 1)), rings)


@clamp_(
    en="cable clip; cord clip; wire holder / snap-in cable clamp; P-clip",
    zh_hant="線夾; 電線夾; 理線扣 / 纜線固定夾; P型線夾",
    zh_hans="线夹; 电线夹; 理线扣 / 缆线固定夹; P型线夹",
    bore=log_uniform(4, 30),
    wall=uniform(0.12, 0.25, "thick"),
    wide=uniform(0.5, 1.2, "wide"),
    kind=one_of("P", "C", "double"),
)
def cable_clip(q: Look, *, bore: float, wall: float, wide: float, kind: str) -> Solid:
    r, t, w = bore / 2, wall * bore, wide * bore
    ring = disc(r + t, 2 * q.n) - disc(r, 2 * q.n)
    if kind == "P":
        flat = (
            ring
            + rectangle(1.9 * bore, 1.6 * t).translate((0.95 * bore, -r - 0.2 * t))
            - disc(r, q.n)
        )
        made = prism(flat, w).rotate((90, 0, 0)).translate((0, w / 2, 0))
        return made - rod(0.2 * bore, 4 * bore, q.m).translate((1.35 * bore, 0, -2 * bore))
    mouth = polygon([(0, 0), (-1.1 * r, 3 * r), (1.1 * r, 3 * r)])
    one = ring - mouth
    if kind == "double":
        one = one.translate((-r - t, 0)) + one.translate((r + t, 0))
    base = rectangle((5.2 if kind == "double" else 3.2) * r, 1.5 * t).translate((0, -r - 0.4 * t))
    hole = disc(r, q.n)
    cut = hole if kind == "C" else hole.translate((-r - t, 0)) + hole.translate((r + t, 0))
    return prism(one + (base - cut), w).rotate((90, 0, 0)).translate((0, w / 2, 0))
