"""Stands and holders; they stand on z = 0."""

from functools import partial

import numpy as np

from catalog.families.profiles import (
    disc,
    heart,
    holes,
    ngon,
    rectangle,
    softened,
    star,
)
from catalog.families.solids import (
    Section,
    Solid,
    block,
    circle_points,
    curve,
    filleted,
    polar,
    polygon,
    prism,
    rod,
    torus,
    turned,
    union,
)
from catalog.families.types import Look, family, log_uniform, maybe, one_of, uniform, whole

thing = partial(family, group="everyday")
stand_ = partial(thing, category="stand")


def side_view(section: Section, wide: float) -> Solid:
    """A side view (x forward, y up) given a width along y."""
    return prism(section, wide).rotate((90, 0, 0)).translate((0, wide / 2, 0))


def strip(points: list[tuple[float, float]], t: float, *, r: float = 0.0) -> Section:
    """A band of thickness t along a polyline."""
    line = filleted(points, r, 6) if r > 0 else np.asarray(points, float)
    parts = [
        (
            disc(t / 2, 12).translate(tuple(map(float, a)))
            + disc(t / 2, 12).translate(tuple(map(float, b)))
        ).hull()
        for a, b in zip(line[:-1], line[1:], strict=True)
    ]
    return sum(parts[1:], parts[0])


@stand_(
    en="phone stand; mobile phone holder; smartphone stand / desk phone cradle; tablet stand",
    zh_hant="手機架; 手機支架; 手機座 / 桌面手機架; 平板支架",
    zh_hans="手机架; 手机支架; 手机座 / 桌面手机架; 平板支架",
    wide=log_uniform(45, 120, "wide"),
    tall=uniform(0.9, 1.6, "tall"),
    lean=uniform(55, 75),
    thick=uniform(0.05, 0.1, "thick"),
    kind=one_of("folded", "block", "easel"),
    slot=maybe(),
)
def phone_stand(
    q: Look, *, wide: float, tall: float, lean: float, thick: float, kind: str, slot: bool
) -> Solid:
    w, h, t = wide, tall * wide, thick * wide
    a = np.radians(lean)
    top = (h * np.cos(a) + 0.2 * w, h * np.sin(a))
    low = (0.2 * w, t / 2)
    match kind:
        case "folded":
            line = [(0.0, 0.22 * w), (0.0, t / 2), low, top, (top[0] + 0.5 * h * np.cos(a), t / 2),
                    (0.35 * w, t / 2)]  # fmt: skip
            made = side_view(strip(line[:5], t, r=t), 0.8 * w)
            foot = block(0.8 * w, 0.8 * w, t).translate((0.5 * w, 0, 0))
            made = union(made, foot)
        case "block":
            rise = 0.24 * float(np.tan(a))
            side = [(0, 0), (0.85, 0), (0.52, 0.1 + rise), (0.46, 0.1 + rise),
                    (0.18, 0.1), (0.08, 0.1), (0.08, 0.2), (0, 0.2)]  # fmt: skip
            made = side_view(polygon(np.array(side) * h), 0.75 * w)
        case _:
            cheek = strip([(0, 0.16 * w), (0, t / 2), (0.75 * w, t / 2)], t, r=t)
            cheek = cheek + strip([(0.22 * w, t / 2), top], t)
            cheek = cheek + strip([(0.72 * w, t / 2), ((top[0] + 0.2 * w) / 2, top[1] / 2)], t)
            one = side_view(cheek, 1.2 * t)
            bar = block(t, 0.7 * w, t)
            made = union(
                one.translate((0, 0.3 * w, 0)), one.translate((0, -0.3 * w, 0)),
                bar.translate((0.72 * w, 0, 0)), bar.translate((top[0] * 0.9, 0, top[1] * 0.88)),
                bar,
            )  # fmt: skip
    if slot and kind == "folded":
        made = made - block(9 * t, 0.25 * w, 3 * t).translate((0, 0, -t))
    return made


@stand_(
    en="pen holder; pencil cup; desk organizer / pen pot; stationery container",
    zh_hant="筆筒; 鉛筆筒; 筆座 / 桌上收納筒; 文具筒",
    zh_hans="笔筒; 铅笔筒; 笔座 / 桌面收纳筒; 文具筒",
    size=log_uniform(45, 110),
    tall=uniform(1.0, 1.6, "tall"),
    sides=one_of(0, 4, 4, 6, 8),
    cells=one_of(1, 1, 2, 4),
    pattern=one_of("plain", "holes", "ribs"),
)
def pen_holder(q: Look, *, size: float, tall: float, sides: int, cells: int, pattern: str) -> Solid:
    h, w = tall * size, 0.035 * size
    flat = disc(size / 2, 2 * q.n) if not sides else softened(ngon(sides, size), 0.05 * size)
    made = prism(flat, h, bevel=q.edge(w)) - prism(flat.offset(-w), h).translate((0, 0, w))
    if cells > 1:
        wall = block(size - w, w, 0.95 * h)
        made = union(made, wall)
        if cells == 4:
            made = union(made, wall.rotate((0, 0, 90)))
    if pattern == "holes":
        hole = Solid.cylinder(2 * size, 0.07 * size, 0.07 * size, 6, True).rotate((90, 0, 0))
        count = sides if sides >= 6 else 8
        step = 180 / count if sides else 0
        ring = [hole.rotate((0, 0, 180 * i / count + step)) for i in range(count)]
        made = made - union([s.translate((0, 0, z * h)) for z in (0.3, 0.5, 0.7) for s in ring])
    elif pattern == "ribs" and not sides:
        rib = rod(0.03 * size, h, 8).translate((size / 2, 0, 0))
        made = union(made, polar(rib, 28))
    return made


@stand_(
    en="bookend; book stopper / L-shaped book support; shelf book holder",
    zh_hant="書擋; 書靠 / L型書立; 擋書架",
    zh_hans="书挡; 书立 / L型书靠; 挡书架",
    size=log_uniform(80, 180),
    deep=uniform(0.6, 1.0),
    thick=uniform(0.02, 0.06, "thick"),
    motif=one_of("plain", "heart", "star", "arch", "brace"),
)
def bookend(q: Look, *, size: float, deep: float, thick: float, motif: str) -> Solid:
    t, x, w = thick * size, deep * size, 0.72 * size
    wall = rectangle(w, size, r=0.1 * w).translate((0, size / 2))
    cut = {
        "heart": heart(0.5 * w, q.n).translate((0, 0.55 * size)),
        "star": star(5, 0.3 * w).translate((0, 0.55 * size)),
        "arch": rectangle(0.6 * w, 0.5 * size, r=0.28 * w).translate((0, 0.5 * size)),
    }.get(motif)
    if cut is not None:
        wall = wall - cut
    made = union(
        prism(wall, t, bevel=q.edge(t)).rotate((90, 0, 90)), block(x, w, t).translate((x / 2, 0, 0))
    )
    if motif == "brace":
        flat = polygon([(0, 0), (0.8 * x, 0), (0, 0.8 * size)])
        flat = flat - polygon([(0.12 * x, t), (0.52 * x, t), (0.12 * x, 0.5 * size)])
        made = union(made, side_view(flat, t))
    return made


@stand_(
    en="candle holder; candlestick; tea light holder / taper candle stand; votive holder",
    zh_hant="燭台; 蠟燭台; 燭座 / 茶蠟座; 長蠟燭架",
    zh_hans="烛台; 蜡烛台; 烛座 / 茶蜡座; 长蜡烛架",
    size=log_uniform(40, 110),
    tall=uniform(0.3, 2.6, "tall"),
    ring=maybe(),
    knops=whole(1, 3),
)
def candle_holder(q: Look, *, size: float, tall: float, ring: bool, knops: int) -> Solid:
    r, h = size / 2, tall * size
    line = [(r, 0), (0.95 * r, 0.06 * size), (0.35 * r, 0.16 * size)]
    z0, z1 = 0.16 * size, max(h - 0.2 * size, 0.24 * size)
    for i in range(knops):
        z = z0 + (z1 - z0) * (i + 0.5) / knops
        line += [(0.3 * r, z), (0.14 * r, z + (z1 - z0) * 0.4 / knops)]
    line += [(0.42 * r, z1), (0.45 * r, z1 + 0.2 * size)]
    made = turned(curve(line, 60), 2 * q.n)
    drip = turned(
        [(0.05 * r, z1 - 0.02 * size), (0.75 * r, z1 + 0.02 * size), (0.75 * r, z1 + 0.05 * size)],
        2 * q.n,
    )
    made = union(made, drip)
    if ring:
        loop = torus(0.26 * r, 0.06 * r, q.n).rotate((90, 0, 0)).translate((1.15 * r, 0, 0.26 * r))
        made = union(made, loop)
    return made - rod(0.28 * r, size, q.n).translate((0, 0, z1 + 0.04 * size))


@stand_(
    en="toothbrush holder; bathroom brush stand / tumbler rack with holes; brush cup",
    zh_hant="牙刷架; 牙刷座 / 浴室牙刷收納; 多孔牙刷杯",
    zh_hans="牙刷架; 牙刷座 / 浴室牙刷收纳; 多孔牙刷杯",
    wide=log_uniform(50, 120),
    tall=uniform(0.7, 1.3, "tall"),
    count=whole(2, 6),
    shape=one_of("round", "oval", "block"),
)
def toothbrush_holder(q: Look, *, wide: float, tall: float, count: int, shape: str) -> Solid:
    h, w = tall * wide, 0.04 * wide
    flat = {
        "round": disc(wide / 2, 2 * q.n),
        "oval": polygon(circle_points(wide / 2, 2 * q.n, y=0.34 * wide)),
        "block": rectangle(wide, 0.55 * wide, r=0.1 * wide, n=q.n),
    }[shape]
    if shape == "round":
        a = 2 * np.pi * np.arange(count) / count
        at = [(0.28 * wide * float(np.cos(u)), 0.28 * wide * float(np.sin(u))) for u in a]
    else:
        at = [((i - (count - 1) / 2) * 0.78 * wide / count, 0.0) for i in range(count)]
    lid = holes(flat, at, min(0.09 * wide, 0.32 * wide / count), q.m)
    body = prism(flat, h, bevel=q.edge(w)) - prism(flat.offset(-w), h).translate((0, 0, w))
    return union(body, prism(lid, w).translate((0, 0, 0.92 * h)))


@stand_(
    en="ring holder; ring cone; jewelry display cone / ring tower; finger ring stand",
    zh_hant="戒指座; 戒指架; 飾品展示錐 / 戒指塔; 收納戒指的錐座",
    zh_hans="戒指座; 戒指架; 饰品展示锥 / 戒指塔; 收纳戒指的锥座",
    size=log_uniform(40, 100),
    tall=uniform(0.7, 1.4, "tall"),
    dish=maybe(),
    curl=uniform(0.2, 0.7),
)
def ring_cone(q: Look, *, size: float, tall: float, dish: bool, curl: float) -> Solid:
    r, h = size / 2, tall * size
    line = curve(
        [(0.4 * r, 0), (0.36 * r * (1 - 0.4 * curl), 0.3 * h), (0.16 * r, 0.75 * h), (0.04 * r, h)],
        24,
    )
    cone = turned(line, 2 * q.n)
    base = rod(r, 0.12 * size, 2 * q.n, top=1.08 * r)
    if dish:
        base = base - rod(0.9 * r, 0.2 * size, 2 * q.n, top=1.1 * r).translate((0, 0, 0.04 * size))
    return union(cone, base)


@stand_(
    en="jewelry box; ring box; ring gift case / proposal ring box; open ring case",
    zh_hant="首飾盒; 戒指盒; 珠寶盒 / 求婚戒盒; 打開的戒盒",
    zh_hans="首饰盒; 戒指盒; 珠宝盒 / 求婚戒盒; 打开的戒盒",
    size=log_uniform(40, 90),
    tall=uniform(0.35, 0.6, "tall"),
    open_=uniform(20, 100),
    round_=uniform(0.04, 0.3),
    ring=maybe(),
)
def ring_box(
    q: Look, *, size: float, tall: float, open_: float, round_: float, ring: bool
) -> Solid:
    h, w = tall * size, 0.05 * size
    flat = rectangle(size, size, r=round_ * size, n=q.n)
    shell = prism(flat, h, bevel=q.edge(w)) - prism(flat.offset(-w), h).translate((0, 0, w))
    slot = block(0.5 * size, 0.09 * size, h).translate((0, 0, 0.45 * h))
    cushion = prism(flat.offset(-1.01 * w), 0.8 * h, bevel=q.edge(2 * w)) - slot
    lid = shell.scale((1, 1, 0.6)).rotate((180, 0, 0)).translate((0, -size / 2, 0))
    lid = lid.translate((0, 0, 0.6 * h)).rotate((-open_, 0, 0)).translate((0, size / 2, h))
    parts = [shell, cushion, lid]
    if ring:
        band = torus(0.2 * size, 0.028 * size, 2 * q.n).rotate((90, 0, 0))
        parts.append(band.translate((0, 0, 0.9 * h)))
    return union(parts)
