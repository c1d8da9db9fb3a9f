"""Small household things; most lie or stand on z = 0."""

from functools import partial

import numpy as np

from catalog.families.profiles import (
    annulus,
    disc,
    heart,
    petals,
    rectangle,
    softened,
    stadium,
    star,
)
from catalog.families.solids import (
    Solid,
    arc,
    ball,
    block,
    circle_points,
    curve,
    loft,
    polygon,
    prism,
    rod,
    sweep,
    torus,
    tube_straight,
    turned,
    union,
    wire,
)
from catalog.families.types import Look, family, log_uniform, maybe, one_of, uniform, whole

thing = partial(family, group="everyday")
house = partial(thing, category="household")


@house(
    en="lamp shade; lampshade; pendant lamp cover / conical light shade; ceiling lamp hood",
    zh_hant="燈罩; 檯燈罩; 吊燈罩 / 錐形燈罩; 天花板燈罩",
    zh_hans="灯罩; 台灯罩; 吊灯罩 / 锥形灯罩; 天花板灯罩",
    size=log_uniform(80, 320),
    top=uniform(0.3, 0.8),
    tall=uniform(0.5, 1.0, "tall"),
    pleats=one_of(0, 0, 16, 24, 32),
    kind=one_of("cone", "dome", "bell"),
)
def lamp_shade(q: Look, *, size: float, top: float, tall: float, pleats: int, kind: str) -> Solid:
    r, h, w = size / 2, tall * size, 0.012 * size + 0.6
    line = {
        "cone": [(r, 0), (r * (1 + top) / 2, h / 2), (top * r, h)],
        "dome": [(r, 0), (0.94 * r, 0.4 * h), (0.6 * r, 0.82 * h), (0.3 * top * r, h)],
        "bell": [(r, 0), (0.72 * r, 0.28 * h), (0.6 * r, 0.6 * h), (0.5 * top * r, h)],
    }[kind]
    points = curve(line, 20)
    n = max(2 * q.n, 4 * pleats)
    a = 2 * np.pi * np.arange(n) / n
    wave = 1 + (0.03 * np.cos(pleats * a) if pleats else 0 * a)
    rings = []
    for rho, z in [*points, *(points - (w, 0))[::-1]]:
        x = np.maximum(rho * wave, 0.5)
        rings.append(np.c_[x * np.cos(a), x * np.sin(a), np.full(n, z)])
    made = loft(np.stack(rings), closed=True)
    collar = float(points[-1, 0])
    spokes = [block(2 * collar, 0.03 * r, 0.03 * r).rotate((0, 0, 60 * i)) for i in range(3)]
    hub = tube_straight(0.14 * r, 0.09 * r, 0.04 * r, q.n)
    frame = union(spokes) - rod(0.1 * r, r, q.n).translate((0, 0, -r / 2))
    return union(made, union(frame, hub).translate((0, 0, h - 0.05 * r)))


@house(
    en="comb; hair comb; pocket comb / fine-tooth comb; beard comb",
    zh_hant="梳子; 扁梳; 髮梳 / 細齒梳; 口袋梳",
    zh_hans="梳子; 扁梳; 发梳 / 细齿梳; 口袋梳",
    long=log_uniform(60, 200),
    tall=uniform(0.18, 0.4, "tall"),
    teeth=whole(14, 44, "fine"),
    thick=uniform(0.015, 0.035, "thick"),
    curved=maybe(),
    grip=one_of("none", "none", "tail"),
)
def comb(
    q: Look, *, long: float, tall: float, teeth: int, thick: float, curved: bool, grip: str
) -> Solid:
    h = tall * long
    flat = rectangle(long, h, r=0.12 * h, n=q.n)
    if curved:
        flat = flat ^ disc(1.1 * long, 4 * q.n).translate((0, -1.1 * long + h / 2))
    pitch = 0.9 * long / teeth
    gap = rectangle(0.46 * pitch, 0.68 * h)
    cuts = [gap.translate(((i + 0.5) * pitch - 0.45 * long, -0.3 * h)) for i in range(teeth)]
    flat = flat - sum(cuts[1:], cuts[0])
    if grip == "tail":
        flat = flat + stadium(0.9 * long, 0.26 * h, q.n).translate((0.8 * long, 0.3 * h))
    return prism(flat, thick * long + 0.6)


@house(
    en="key ring; keychain; split ring keyring / key fob tag; key tag with a ring",
    zh_hant="鑰匙圈; 鑰匙扣; 鎖匙圈 / 鑰匙吊牌; 開口鑰匙環",
    zh_hans="钥匙圈; 钥匙扣; 锁匙圈 / 钥匙吊牌; 开口钥匙环",
    size=log_uniform(20, 40),
    tag=one_of("none", "round", "rectangle", "heart", "house"),
    thick=uniform(0.06, 0.12, "thick"),
)
def key_ring(q: Look, *, size: float, tag: str, thick: float) -> Solid:
    r, t = size / 2, thick * size
    turn = np.linspace(0, 4 * np.pi - 0.6, 4 * q.n)
    coil = np.c_[r * np.cos(turn), r * np.sin(turn), 0.5 * t * turn / (2 * np.pi)]
    half = np.array([(-0.6, -0.24), (0.6, -0.24), (0.6, 0.24), (-0.6, 0.24)]) * t
    parts = [sweep(coil, half, up=(0, 0, 1))]
    flats = {
        "round": disc(0.7 * size, 2 * q.n),
        "rectangle": rectangle(1.5 * size, 0.8 * size, r=0.12 * size),
        "heart": heart(1.3 * size, q.n).rotate(90),
        "house": polygon(np.array([(-0.7, -0.5), (0.3, -0.5), (0.3, 0.5), (-0.7, 0.5)]) * size)
        + polygon(np.array([(0.25, -0.62), (0.85, 0), (0.25, 0.62)]) * size),
    }
    if tag != "none":
        flat = flats[tag]
        x0, _, x1, _ = flat.bounds()
        eye = disc(0.14 * size, q.n).translate((x1 + 0.02 * size, 0))
        plate = prism(
            flat + eye - disc(0.07 * size, q.m).translate((x1 + 0.02 * size, 0)), t, bevel=q.edge(t)
        )
        link = torus(0.16 * size, 0.03 * size, q.n, m=8).rotate((90, 0, 0))
        x = -r - 0.3 * size
        parts.append(plate.translate((x - x1, 0, -0.3 * t)))
        parts.append(link.translate((x + 0.14 * size, 0, 0)))
        if tag == "house":
            parts[-2] = parts[-2] - block(0.24 * size, 0.2 * size, 9 * t).translate(
                (x - 1.4 * size, 0, -4 * t)
            )
    return union(parts)


@house(
    en="soap dish; soap holder / draining soap tray; bathroom soap stand",
    zh_hant="肥皂盒; 皂盤 / 瀝水皂架; 浴室肥皂托",
    zh_hans="肥皂盒; 皂碟 / 沥水皂架; 浴室肥皂托",
    long=log_uniform(80, 140),
    deep=uniform(0.6, 0.8),
    tall=uniform(0.12, 0.24, "tall"),
    slots=whole(3, 8),
    oval=maybe(),
)
def soap_dish(q: Look, *, long: float, deep: float, tall: float, slots: int, oval: bool) -> Solid:
    y, h, w = deep * long, tall * long, 0.03 * long
    flat = (
        polygon(circle_points(long / 2, 2 * q.n, y=y / 2))
        if oval
        else rectangle(long, y, r=0.12 * long)
    )
    made = prism(flat, h, bevel=q.edge(w)) - prism(flat.offset(-w), h).translate((0, 0, w))
    pitch = 0.7 * long / slots
    slot = prism(stadium(0.5 * y, 0.45 * pitch, q.m).rotate(90), 3 * w)
    cuts = [slot.translate(((i - (slots - 1) / 2) * pitch, 0, -w)) for i in range(slots)]
    foot = ball(0.05 * long, q.m)
    feet = [foot.translate((a * 0.28 * long, b * 0.25 * y, 0)) for a in (-1, 1) for b in (-1, 1)]
    return union(made - union(cuts), feet)


@house(
    en="clothes hanger; coat hanger / garment hanger with a hook; wardrobe hanger",
    zh_hant="衣架; 掛衣架 / 帶鉤衣架; 衣櫃用衣架",
    zh_hans="衣架; 挂衣架 / 带钩衣架; 衣柜用衣架",
    wide=log_uniform(180, 460, "wide"),
    slope=uniform(0.16, 0.34),
    thick=uniform(0.012, 0.03, "thick"),
    bar=maybe(),
)
def clothes_hanger(q: Look, *, wide: float, slope: float, thick: float, bar: bool) -> Solid:
    x, z, r = wide / 2, slope * wide, thick * wide
    line = [(-x, 0, 0), (-0.5 * x, 0, 0.62 * z), (0, 0, z), (0.5 * x, 0, 0.62 * z), (x, 0, 0)]
    parts = [wire(curve(line, 48), r, q.m)]
    parts += [ball(r, q.m).translate((s * x, 0, 0)) for s in (-1, 1)]
    if bar:
        parts.append(rod(0.7 * r, 2 * x, q.m).rotate((0, 90, 0)).translate((-x, 0, 0)))
    hook = arc(0.09 * wide, -75, 190, q.n)[:, [0, 2, 1]] + (0, 0, z + 0.22 * wide)
    stem = np.concatenate([[(0, 0, z - r), (0, 0, z + 0.1 * wide)], hook])
    parts.append(wire(stem, 0.5 * r, q.m))
    return union(parts)


@house(
    en="cookie cutter; biscuit cutter / dough shape cutter; pastry mould",
    zh_hant="餅乾模; 餅乾切模 / 麵團壓模; 糕點模具",
    zh_hans="饼干模; 饼干切模 / 面团压模; 糕点模具",
    size=log_uniform(30, 110),
    shape=one_of("heart", "star", "flower", "round", "tree", "gingerbread"),
    tall=uniform(0.15, 0.4, "tall"),
    handle=maybe(),
)
def cookie_cutter(q: Look, *, size: float, shape: str, tall: float, handle: bool) -> Solid:
    r, t = size / 2, 0.02 * size + 0.3
    tree = [
        (0, 1),
        (0.35, 0.5),
        (0.2, 0.5),
        (0.55, 0),
        (0.35, 0),
        (0.75, -0.6),
        (0.15, -0.6),
        (0.15, -0.95),
    ]
    points = np.array(tree + [(-x, y) for x, y in tree[::-1]])
    man = disc(0.3 * r, q.n).translate((0, 0.66 * r)) + rectangle(
        1.7 * r, 0.36 * r, r=0.17 * r
    ).translate((0, 0.22 * r))
    limb = rectangle(0.38 * r, 1.1 * r, r=0.18 * r)
    man = man + rectangle(0.6 * r, 0.9 * r, r=0.2 * r)
    man = (
        man
        + limb.rotate(-20).translate((-0.3 * r, -0.5 * r))
        + limb.rotate(20).translate((0.3 * r, -0.5 * r))
    )
    flat = {
        "heart": heart(size, 2 * q.n),
        "star": star(5, r, inner=0.5),
        "flower": petals(6, r, 2 * q.n),
        "round": disc(r, 2 * q.n),
        "tree": polygon(points * r),
        "gingerbread": softened(man, 0.04 * r),
    }[shape]
    h = tall * size
    wall = prism(flat.offset(t) - flat, h)
    lip = prism(flat.offset(3.5 * t) - flat, 2 * t)
    parts = [wall, lip]
    if handle:
        parts.append(prism(rectangle(0.18 * size, 2 * size) ^ flat.offset(t), 2 * t))
    return union(parts)


@house(
    en="spool; cable reel; thread bobbin / wire drum with two flanges; filament spool",
    zh_hant="線軸; 捲線盤; 線捲筒 / 雙凸緣線盤; 耗材線盤",
    zh_hans="线轴; 绕线盘; 线卷筒 / 双凸缘线盘; 耗材线盘",
    size=log_uniform(20, 200),
    core=uniform(0.25, 0.6),
    wide=uniform(0.3, 1.3, "wide"),
    windows=one_of(0, 0, 3, 5, 6),
    wound=maybe(),
)
def spool(q: Look, *, size: float, core: float, wide: float, windows: int, wound: bool) -> Solid:
    r, h, t = size / 2, wide * size, 0.05 * size
    flat = disc(r, 2 * q.n)
    if windows:
        gap = annulus(0.86 * r, (core + 0.14) * r, 2 * q.n)
        if core < 0.55:
            bars = sum(
                (
                    rectangle(2 * r, 0.18 * r).translate((r, 0)).rotate(360 * i / windows)
                    for i in range(windows)
                ),
                rectangle(0.1, 0.1),
            )
            flat = flat - (gap - bars)
    side = prism(flat, t, bevel=q.edge(t))
    parts = [side, side.translate((0, 0, h - t)), rod(core * r, h, 2 * q.n)]
    if wound:
        z = np.linspace(t, h - t, 2 * int(h / (0.06 * size)) + 1)
        rho = 0.8 * r + 0.02 * size * (np.arange(len(z)) % 2)
        parts.append(turned(np.c_[rho, z], 2 * q.n))
    return union(parts) - rod(0.5 * core * r, 3 * h, q.n).translate((0, 0, -h))


@house(
    en="key; door key; house key / toothed metal key; antique skeleton key",
    zh_hant="鑰匙; 門鑰匙; 家門鑰匙 / 鋸齒鑰匙; 復古鑰匙",
    zh_hans="钥匙; 门钥匙; 家门钥匙 / 锯齿钥匙; 复古钥匙",
    long=log_uniform(30, 90),
    kind=one_of("flat", "flat", "antique"),
    bow=one_of("round", "square", "trefoil"),
    cuts=whole(4, 8),
    code=whole(0, 999),
)
def door_key(q: Look, *, long: float, kind: str, bow: str, cuts: int, code: int) -> Solid:
    w = 0.36 * long
    heads = {
        "round": disc(w / 2, 2 * q.n),
        "square": rectangle(0.9 * w, 0.9 * w, r=0.16 * w, n=q.n),
        "trefoil": petals(3, 0.55 * w, 2 * q.n).rotate(180),
    }
    head = heads[bow]
    if kind == "antique":
        ring = prism(head - head.offset(-0.12 * w), 0.12 * w, bevel=q.edge(0.1 * w))
        stem = rod(0.075 * w, 0.75 * long, q.n).rotate((0, 90, 0)).translate((0.4 * w, 0, 0.06 * w))
        bit = rectangle(0.32 * w, 0.42 * w) - rectangle(0.08 * w, 0.2 * w).translate((0, -0.2 * w))
        tooth = prism(bit, 0.1 * w).translate((0.36 * w + 0.68 * long, -0.24 * w, 0.01 * w))
        bead = ball(0.11 * w, q.m).translate((0.55 * w, 0, 0.06 * w))
        return union(ring, stem, tooth, bead)
    rng = np.random.default_rng(code)
    depth = 0.04 * w + 0.14 * w * rng.integers(0, 4, cuts) / 3
    x0, x1 = 0.62 * w, long - 0.5 * w - 0.1 * long
    step = (x1 - x0) / cuts
    edge: list[tuple[float, float]] = []
    for i, d in enumerate(depth):
        x = x0 + i * step
        edge += [(x, 0.14 * w), (x + 0.35 * step, 0.14 * w - d), (x + 0.65 * step, 0.14 * w - d)]
    blade = polygon(
        [
            (0.2 * w, -0.14 * w),
            (x1, -0.14 * w),
            (x1 + 0.14 * w, 0),
            (x1, 0.14 * w),
            *edge[::-1],
            (0.2 * w, 0.14 * w),
        ]
    )
    hole = disc(0.1 * w, q.n).translate((-0.3 * w, 0))
    groove = block(x1 - 0.5 * w, 0.05 * w, 0.05 * w).translate(
        ((x1 + 0.5 * w) / 2, -0.04 * w, 0.06 * w)
    )
    return prism(head + blade - hole, 0.09 * w, bevel=0) - groove


@house(
    en="bell; hand bell; brass bell / jingle bell; dinner bell with a handle",
    zh_hant="鈴鐺; 手搖鈴; 搖鈴 / 鐘形鈴; 有柄銅鈴",
    zh_hans="铃铛; 手摇铃; 摇铃 / 钟形铃; 有柄铜铃",
    size=log_uniform(15, 110),
    tall=uniform(0.8, 1.2, "tall"),
    grip=one_of("loop", "stick", "none"),
    flare=uniform(0.5, 0.8),
)
def hand_bell(q: Look, *, size: float, tall: float, grip: str, flare: float) -> Solid:
    r, h, w = size / 2, tall * size, 0.05 * size
    line = curve(
        [
            (r, 0),
            (flare * r, 0.28 * h),
            (0.92 * flare * r, 0.6 * h),
            (0.55 * flare * r, 0.9 * h),
            (0.05 * r, h),
        ],
        28,
    )
    cup = turned(line, 2 * q.n) - turned(
        np.c_[np.maximum(line[:-3, 0] - w, 0.02), line[:-3, 1]], 2 * q.n
    ).translate((0, 0, -0.02 * h))
    clapper = union(rod(0.04 * r, 0.9 * h, q.m), ball(0.2 * r, q.m).translate((0, 0, 0.06 * h)))
    parts = [cup, clapper.translate((0, 0, 0.02 * h))]
    if grip == "loop":
        loop = torus(0.26 * r, 0.08 * r, q.n).rotate((90, 0, 0))
        parts.append(loop.translate((0, 0, h + 0.24 * r)))
    elif grip == "stick":
        shape = [(0.12, 0), (0.2, 0.12), (0.13, 0.3), (0.22, 0.7), (0.16, 0.95), (0.02, 1.0)]
        parts.append(
            turned(curve(np.array(shape) * (r, size), 30), q.n).translate((0, 0, 0.97 * h))
        )
    return union(parts)


@house(
    en="padlock; lock with shackle / security lock; luggage lock",
    zh_hant="掛鎖; 鎖頭 / 安全鎖; 行李鎖",
    zh_hans="挂锁; 锁头 / 安全锁; 行李锁",
    size=log_uniform(18, 70),
    tall=uniform(0.6, 1.0),
    bow=uniform(0.5, 1.2, "tall"),
    shape=one_of("square", "round"),
    opened=one_of(False, False, True),
)
def padlock(q: Look, *, size: float, tall: float, bow: float, shape: str, opened: bool) -> Solid:
    h, t, r = tall * size, 0.36 * size, 0.07 * size
    if shape == "round":
        flat, h = disc(size / 2, 2 * q.n).translate((0, size / 2)), 0.95 * size
    else:
        flat = rectangle(size, h, r=0.1 * size, n=q.n).translate((0, h / 2))
    body = prism(flat, t, bevel=q.edge(0.5 * t)).rotate((90, 0, 0)).translate((0, t / 2, 0))
    hole = prism(
        disc(0.06 * size, q.n) + rectangle(0.05 * size, 0.2 * size).translate((0, -0.1 * size)),
        size,
    )
    body = body - hole.rotate((90, 0, 0)).translate((0, -0.3 * t, 0.5 * h))
    x, lift = 0.3 * size, 0.3 * size if opened else 0.0
    legs = bow * size
    low = 0.5 * h if shape == "round" else 0.7 * h
    top = arc(x, 0, 180, q.n)[:, [0, 2, 1]] + (0, 0, legs - x + h)
    path = np.concatenate(
        [[(x, 0, h + (0.05 * size if opened else -0.3 * h))], top, [(-x, 0, low)]]
    )
    return union(body, wire(path, r, q.m).translate((0, 0, lift * 0.5)))
