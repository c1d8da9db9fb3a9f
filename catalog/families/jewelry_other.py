"""Earrings, bangles, chains, loose stones and small accessories."""

from functools import partial

import numpy as np

from catalog.families.gems import CUTS, gem, setting
from catalog.families.jewelry_pendants import bail, puffed, upright
from catalog.families.jewelry_rings import BANDS, band_outline
from catalog.families.profiles import (
    crescent,
    disc,
    heart,
    petals,
    rectangle,
    stadium,
    star,
    superellipse,
    teardrop,
)
from catalog.families.solids import (
    Array,
    Solid,
    arc,
    ball,
    circle_points,
    curve,
    field,
    filleted,
    helix,
    lathe,
    polar,
    polygon,
    prism,
    rod,
    sweep,
    torus,
    turned,
    union,
    wire,
)
from catalog.families.types import Look, family, log_uniform, maybe, one_of, phrase, uniform, whole

jewel = partial(family, group="jewelry")
earring = partial(jewel, category="earring")
bracelet = partial(jewel, category="bracelet")
chain = partial(jewel, category="chain")
accessory = partial(jewel, category="accessory")


# --- earrings ------------------------------------------------------------------------------


@earring(
    en="hoop earring; round hoop; ring earring / circle hoop ear ring; huggie hoop",
    zh_hant="圈形耳環; 大圓耳環; 圓圈耳環 / 環狀耳飾; 耳圈",
    zh_hans="圈形耳环; 大圆耳环; 圆圈耳环 / 环状耳饰; 耳圈",
    size=log_uniform(10, 60, "large"),
    thick=uniform(0.04, 0.16, "heavy"),
    kind=one_of("wire", "flat", "twisted", "graduated", "beaded"),
    oval=uniform(0.75, 1.2),
)
def hoop_earring(q: Look, *, size: float, thick: float, kind: str, oval: float) -> Solid:
    r, t = size / 2, thick * size / 2
    path = arc(r, 100, 440, 3 * q.n)
    path[:, 1] *= oval
    outline = circle_points(t, q.m)
    scale: float | Array = 1.0
    if kind == "flat":
        outline = band_outline("flat", 3.2 * t, t) - (t / 2, 0)
    elif kind == "graduated":
        scale = 0.35 + 0.65 * np.sin(np.linspace(0, np.pi, len(path)))
    twist = 0.0
    if kind == "twisted":
        outline = superellipse(2 * t, 1.1 * t, 4, 12)
        twist = 360.0 * round(2.2 / thick / 3)
        path = arc(r, 100, 440, max(3 * q.n, int(twist / 18)))
    parts = [sweep(path, outline, scale=scale, twist=twist, up=(0, 0, 1))]
    if kind == "beaded":
        bead = ball(1.7 * t, q.m)
        parts += [bead.translate(tuple(map(float, p))) for p in path[:: max(1, len(path) // 16)]]
    post = wire(np.array([path[0], path[-1]]), 0.35 * min(t, 1.0), 8)
    return union(parts, post).rotate((90, 0, 0))


def post(q: Look, *, z: float, back: bool) -> Solid:
    """An ear post behind a stud (towards -z), with a butterfly back if wanted."""
    pin = rod(0.4, 10, 12, bevel=0.2).translate((0, 0, z - 10))
    if not back:
        return pin
    clutch = union(
        rod(1.2, 0.6, q.m),
        torus(1.4, 0.55, q.m, m=8).rotate((0, 90, 0)).translate((0, 1.6, 1.2)),
        torus(1.4, 0.55, q.m, m=8).rotate((0, 90, 0)).translate((0, -1.6, 1.2)),
    )
    return union(pin, clutch.translate((0, 0, z - 8.5)))


@earring(
    en="stud earring; diamond stud; post earring / small gem ear stud; push-back earring",
    zh_hant="耳釘; 單鑽耳釘; 針式耳環 / 小寶石耳針; 貼耳耳環",
    zh_hans="耳钉; 单钻耳钉; 针式耳环 / 小宝石耳针; 贴耳耳环",
    says=(
        phrase("{cut} {name}", "{cut}{name}", "{cut}{name}"),
        phrase("{name} with a {cut} stone", "鑲{cut}寶石的{name}", "镶{cut}宝石的{name}"),
    ),
    stone=log_uniform(3, 9, "large"),
    cut=one_of(*CUTS),
    seat=one_of("prong", "bezel"),
    back=maybe(),
)
def stud_earring(q: Look, *, stone: float, cut: str, seat: str, back: bool) -> Solid:
    head = setting(cut, stone, style=seat, n=q.n)
    plate = rod(0.22 * stone, 0.1 * stone, q.n).translate((0, 0, -0.64 * stone))
    return union(head, plate, post(q, z=-0.58 * stone, back=back))


@earring(
    en="shaped stud earring; heart stud; star stud; flower stud"
    " / small motif ear post; button earring",
    zh_hant="造型耳釘; 愛心耳釘; 星星耳釘; 花朵耳釘 / 小圖案耳針; 鈕扣耳環",
    zh_hans="造型耳钉; 爱心耳钉; 星星耳钉; 花朵耳钉 / 小图案耳针; 纽扣耳环",
    size=log_uniform(4, 14, "large"),
    shape=one_of("heart", "star", "flower", "round", "square", "moon"),
    thick=uniform(0.12, 0.35, "thick"),
    back=maybe(),
)
def motif_stud(q: Look, *, size: float, shape: str, thick: float, back: bool) -> Solid:
    flat = {
        "heart": heart(size, q.n),
        "star": star(5, size / 2),
        "flower": petals(5, size / 2, q.n),
        "round": disc(size / 2, q.n),
        "square": rectangle(0.85 * size, 0.85 * size, r=0.1 * size),
        "moon": crescent(size / 2, 2 * q.n).translate((0.28 * size, 0)),
    }[shape]
    t = thick * size
    body = prism(flat, t, bevel=q.edge(t))
    if shape == "flower":
        body = union(body, ball(0.16 * size, q.m).translate((0, 0, t)))
    return union(body, post(q, z=0.05 * t, back=back))


@earring(
    en="drop earring; dangle earring; hook earring / hanging ear wire; chandelier earring",
    zh_hant="垂墜耳環; 吊式耳環; 耳鉤耳環 / 懸掛式耳飾; 長耳墜",
    zh_hans="垂坠耳环; 吊式耳环; 耳钩耳环 / 悬挂式耳饰; 长耳坠",
    size=log_uniform(8, 26, "large"),
    shape=one_of("teardrop", "gem", "disc", "ball", "bar", "tassel"),
    links=whole(1, 5, "long"),
    cut=one_of("round", "pear", "oval", "emerald", "marquise"),
)
def drop_earring(q: Look, *, size: float, shape: str, links: int, cut: str) -> Solid:
    w = 0.45
    hook = filleted(
        [(0, 4.5, -1), (0, 4.5, 5), (0, 3.4, 9.5), (0, 0.2, 9.5), (0, 0, 5), (0, 0, 0.6)], 3, 8
    )
    parts = [
        wire(hook, w, 10),
        torus(1.0, 0.3, q.m, m=8).rotate((90, 0, 0)).translate((0, 0, -0.4)),
    ]
    z = -1.4
    for i in range(links):
        one = torus(1.1, 0.32, q.m, m=8).rotate((90, 0, 90 if i % 2 == 0 else 0))
        parts.append(one.translate((0, 0, z - 0.6)))
        z -= 1.6
    match shape:
        case "teardrop":
            low = upright(puffed(teardrop(0.32 * size, size, 2 * q.n), 0.2 * size))
            low = low.translate((0, 0.1 * size, -size / 2))
        case "gem":
            low = setting(cut, 0.5 * size, style="bezel", n=q.n).rotate((0, 0, 90))
            low = upright(low).translate((0, 0, -0.32 * size if cut == "round" else -0.4 * size))
        case "disc":
            low = upright(prism(disc(size / 2, 2 * q.n), 0.06 * size)).translate((0, 0, -size / 2))
        case "ball":
            low = ball(0.35 * size, q.n).translate((0, 0, -0.36 * size))
        case "bar":
            low = rod(0.05 * size, 1.3 * size, q.m).translate((0, 0, -1.32 * size))
        case _:
            cap = rod(0.14 * size, 0.2 * size, q.n, top=0.06 * size).translate((0, 0, -0.2 * size))
            hair = rod(0.02 * size, size, 6).translate((0.1 * size, 0, -1.15 * size))
            low = union(cap, polar(hair, 9), polar(hair.translate((-0.05 * size, 0, 0)), 5))
    return union(parts, low.translate((0, 0, z)))


@earring(
    en="ear cuff; no-piercing ear cuff / open ring for the ear edge; cartilage wrap",
    zh_hant="耳骨夾; 無耳洞耳夾 / 耳廓飾環; 耳骨環",
    zh_hans="耳骨夹; 无耳洞耳夹 / 耳廓饰环; 耳骨环",
    size=log_uniform(8, 13),
    wide=uniform(0.15, 0.5, "wide"),
    gap=uniform(40, 90),
    bands=whole(1, 4),
)
def ear_cuff(q: Look, *, size: float, wide: float, gap: float, bands: int) -> Solid:
    r, w = size / 2, wide * size
    path = arc(r, gap / 2, 360 - gap / 2, 2 * q.n)
    if bands == 1:
        return sweep(path, band_outline("domed", w, 0.11 * size), up=(0, 0, 1))
    one = wire(path, 0.06 * size, q.m)
    step = 0.14 * size
    bridge = [wire(np.array([p, p + (0, 0, step * (bands - 1))]), 0.06 * size, q.m)
              for p in (path[0], path[-1])]  # fmt: skip
    return union([one.translate((0, 0, i * step)) for i in range(bands)], bridge)


# --- bracelets -----------------------------------------------------------------------------


@bracelet(
    en="bangle; round bangle bracelet; rigid bracelet / closed arm ring; solid wrist bangle",
    zh_hant="手鐲; 圓形手鐲; 硬手環 / 閉口手鐲; 實心腕環",
    zh_hans="手镯; 圆形手镯; 硬手环 / 闭口手镯; 实心腕环",
    bore=uniform(54, 70),
    width=log_uniform(2.5, 24, "wide"),
    thick=uniform(2, 6, "thick"),
    style=one_of(*BANDS),
    oval=one_of(1.0, 1.0, 0.88),
)
def bangle(q: Look, *, bore: float, width: float, thick: float, style: str, oval: float) -> Solid:
    outline = band_outline(style, width, thick) + (bore / 2, 0)
    return lathe(outline, 3 * q.n).scale((1, oval, 1))


@bracelet(
    en="twisted bangle; rope bangle; braided bangle / spiral twist bracelet; cable bangle",
    zh_hant="扭紋手鐲; 麻花手鐲; 編織手鐲 / 螺旋扭轉手環; 繩紋手環",
    zh_hans="扭纹手镯; 麻花手镯; 编织手镯 / 螺旋扭转手环; 绳纹手环",
    bore=uniform(54, 70),
    thick=uniform(4, 10, "thick"),
    strands=one_of(2, 3, 4),
    turns=whole(8, 24),
)
def twisted_bangle(q: Look, *, bore: float, thick: float, strands: int, turns: int) -> Solid:
    r = bore / 2 + thick / 2
    t = np.linspace(0, 2 * np.pi, 10 * turns, endpoint=False)
    spread = thick / 2 * 0.52
    ropes = []
    for s in range(strands):
        a = turns * t + 2 * np.pi * s / strands
        rho = r + spread * np.cos(a)
        path = np.c_[rho * np.cos(t), rho * np.sin(t), spread * np.sin(a)]
        ropes.append(wire(path, 0.48 * (thick - spread), q.m, closed=True))
    return union(ropes)


@bracelet(
    en="cuff bracelet; open cuff; open bangle / C-shaped wrist cuff; wide arm cuff",
    zh_hant="開口手鐲; C形手環; 開口手環 / 寬版腕飾; 馬蹄形手鐲",
    zh_hans="开口手镯; C形手环; 开口手环 / 宽版腕饰; 马蹄形手镯",
    bore=uniform(52, 66),
    width=log_uniform(4, 45, "wide"),
    thick=uniform(1.6, 5, "thick"),
    gap=uniform(35, 80),
    oval=uniform(0.78, 0.95),
    ends=one_of("plain", "ball", "flared"),
    style=one_of("flat", "domed", "wire", "concave"),
)
def cuff_bracelet(
    q: Look, *, bore: float, width: float, thick: float, gap: float, oval: float, ends: str,
    style: str,
) -> Solid:  # fmt: skip
    path = arc(bore / 2, 90 + gap / 2, 450 - gap / 2, 3 * q.n)
    path[:, 1] *= oval
    outline = band_outline(style, width, thick)
    grow: float | Array = 1.0
    if ends == "flared":
        grow = 0.72 + 0.5 * np.abs(np.linspace(-1, 1, len(path))) ** 6
    made = sweep(path, outline, up=(0, 0, 1), scale=grow)
    if ends == "ball" and width < 14:
        tip = ball(0.7 * max(width, thick), q.n)
        made = union(made, [tip.translate(tuple(map(float, path[i]))) for i in (0, -1)])
    return made


@bracelet(
    en="tennis bracelet; diamond line bracelet / flexible row of diamonds; river bracelet",
    zh_hant="網球手鍊; 排鑽手鍊 / 一整排鑽石手鍊; 滿鑽手鍊",
    zh_hans="网球手链; 排钻手链 / 一整排钻石手链; 满钻手链",
    says=(phrase("{cut} {name}", "{cut}{name}", "{cut}{name}"),),
    stone=log_uniform(2.2, 5.5, "large"),
    cut=one_of("round", "princess", "oval", "emerald", "cushion"),
    bore=uniform(50, 62),
)
def tennis_bracelet(q: Look, *, stone: float, cut: str, bore: float) -> Solid:
    r, n = bore / 2, 10
    count = int(2 * np.pi * r / (1.22 * stone))
    cup = setting(cut, stone, style="bezel", n=16 if cut != "princess" else 24)
    link = (
        rod(0.16 * stone, 1.3 * stone, n)
        .rotate((90, 0, 0))
        .translate((0, 0.65 * stone, -0.4 * stone))
    )
    one = union(cup.rotate((0, 0, 90)), link).rotate((0, 90, 0)).translate((r, 0, 0))
    return union(polar(one, count))


@bracelet(
    en="bead bracelet; beaded bracelet; pearl bracelet / string of round beads; prayer beads",
    zh_hant="珠子手鍊; 串珠手鍊; 珍珠手鍊 / 圓珠手串; 佛珠手串",
    zh_hans="珠子手链; 串珠手链; 珍珠手链 / 圆珠手串; 佛珠手串",
    bead=log_uniform(4, 12, "large"),
    bore=uniform(46, 60),
    spacer=maybe(),
    squash=uniform(0.7, 1.0),
)
def bead_bracelet(q: Look, *, bead: float, bore: float, spacer: bool, squash: float) -> Solid:
    r = bore / 2 + bead / 2
    pitch = bead * squash * (1.22 if spacer else 0.99)
    count = int(2 * np.pi * r / pitch)
    one = ball(bead / 2, max(12, q.m), squash=squash).rotate((90, 0, 0)).translate((r, 0, 0))
    parts = [*polar(one, count), torus(r, 0.07 * bead, 2 * q.n, m=8)]
    if spacer:
        disc_ = rod(0.3 * bead, 0.14 * bead, q.m).rotate((90, 0, 0))
        disc_ = disc_.translate((r, 0.07 * bead, 0)).rotate((0, 0, 180 / count))
        parts += polar(disc_, count)
    return union(parts)


# --- chains --------------------------------------------------------------------------------


def link_path(long: float, wide: float, n: int, *, kind: str) -> Array:
    """(k, 3) centre line of one link in the plane of x and z, `long` along x."""
    match kind:
        case "oval":
            p = superellipse(long, wide, 2.6, n)
        case "round":
            p = circle_points(long / 2, n)
        case "square":
            p = superellipse(long, wide, 9, n)
        case _:
            side = [(long / 2, 0), (0, wide / 2), (-long / 2, 0), (0, -wide / 2)]
            p = curve(side, n, closed=True)
    return np.c_[p[:, 0], np.zeros(len(p)), p[:, 1]]


@chain(
    en="chain; cable chain; necklace chain / linked jewelry chain; row of interlocking links",
    zh_hant="鏈條; 鎖鏈; 項鍊鏈條 / 環環相扣的鍊子; 圈圈鏈",
    zh_hans="链条; 锁链; 项链链条 / 环环相扣的链子; 圈圈链",
    says=(phrase("{name} of {links} links", "{links}節的{name}", "{links}节的{name}"),),
    long=log_uniform(4, 24),
    wide=uniform(0.55, 0.9, "wide"),
    thick=uniform(0.1, 0.2, "heavy"),
    links=whole(4, 14, "long"),
    kind=one_of("oval", "oval", "round", "square"),
    roll=one_of(90.0, 90.0, 45.0),
)
def cable_chain(
    q: Look, *, long: float, wide: float, thick: float, links: int, kind: str, roll: float
) -> Solid:
    r = thick * long / 2
    path = link_path(long, max(wide, 3.2 * thick) * long, q.n, kind=kind)
    one = wire(path, r, q.m, closed=True)
    # Each link clears the next by a hair, as cast chains do.
    pitch = long - 2.1 * r
    return union(
        [
            one.rotate(((i % 2) * roll + (0 if roll == 90 else i * roll), 0, 0)).translate(
                (i * pitch, 0, 0)
            )
            for i in range(links)
        ]
    )


@chain(
    en="curb chain; flat curb link chain; Cuban link chain / gourmette chain; flat twisted chain",
    zh_hant="馬鞭鏈; 側身鏈; 古巴鏈 / 扁平扭環鏈; 坦克鏈",
    zh_hans="马鞭链; 侧身链; 古巴链 / 扁平扭环链; 坦克链",
    long=log_uniform(5, 20),
    thick=uniform(0.14, 0.24, "heavy"),
    links=whole(5, 14, "long"),
    squash=uniform(0.6, 0.9),
)
def curb_chain(q: Look, *, long: float, thick: float, links: int, squash: float) -> Solid:
    r = thick * long / 2
    path = link_path(long, 0.8 * long, q.n, kind="oval")
    # Each link is twisted, so that all lie flat.
    a = 0.7 * path[:, 0] / (long / 2)
    z = path[:, 2].copy()
    path[:, 1], path[:, 2] = z * np.sin(a), z * np.cos(a)
    one = wire(path, r, q.m, closed=True).rotate((52, 0, 0))
    pitch = 0.62 * long
    return union([one.translate((i * pitch, 0, 0)) for i in range(links)]).scale((1, 1, squash))


@chain(
    en="lobster clasp; lobster claw clasp; necklace clasp / trigger clasp; bracelet fastener",
    zh_hant="龍蝦扣; 問號扣; 項鍊扣頭 / 彈簧勾扣; 手鍊扣",
    zh_hans="龙虾扣; 问号扣; 项链扣头 / 弹簧勾扣; 手链扣",
    size=log_uniform(8, 24),
    wide=uniform(0.42, 0.6, "wide"),
    thick=uniform(0.14, 0.22, "heavy"),
)
def lobster_clasp(q: Look, *, size: float, wide: float, thick: float) -> Solid:
    w, r = wide * size, thick * size / 2
    claw = curve(
        [(-0.12 * w, 0, 0.06 * size), (-0.5 * w, 0, 0.3 * size), (-0.46 * w, 0, 0.72 * size),
         (0, 0, size), (0.4 * w, 0, 0.82 * size), (0.42 * w, 0, 0.62 * size)], 40,
    )  # fmt: skip
    swell = 0.75 + 0.6 * np.sin(np.linspace(0, np.pi, 40))
    gate = curve(
        [(0.1 * w, 0, 0.06 * size), (0.36 * w, 0, 0.24 * size), (0.42 * w, 0, 0.64 * size)], 16
    )
    ring = torus(0.16 * size, 0.55 * r, q.n, m=q.m).rotate((90, 0, 0))
    lever = ball(1.2 * r, q.m).translate((0.5 * w, 0, 0.34 * size))
    return union(
        wire(claw, r, q.m, scale=swell),
        wire(gate, 0.8 * r, q.m),
        ball(1.3 * r, q.m).translate((0, 0, 0.07 * size)),
        lever,
        ring.translate((0, 0, -0.12 * size)),
    )


# --- accessories ---------------------------------------------------------------------------


@accessory(
    en="brooch; flower brooch; lapel pin / ornamental pin; dress brooch with a pin",
    zh_hant="胸針; 花朵胸針; 別針飾品 / 裝飾胸花; 衣領別針",
    zh_hans="胸针; 花朵胸针; 别针饰品 / 装饰胸花; 衣领别针",
    size=log_uniform(22, 55),
    leaves=whole(5, 9),
    shape=one_of("flower", "flower", "leaf", "butterfly", "bow"),
    stones=maybe(),
)
def brooch(q: Look, *, size: float, leaves: int, shape: str, stones: bool) -> Solid:
    r = size / 2
    drop = puffed(teardrop(0.22 * size, 0.52 * size, q.n), 0.12 * size)
    leaf = drop.rotate((0, 0, 180)).translate((0, 0.24 * size, 0))
    match shape:
        case "flower":
            inner = leaf.scale((0.62, 0.62, 1)).translate((0, 0, 0.05 * size))
            front = [*polar(leaf, leaves), *polar(inner.rotate((0, 0, 180 / leaves)), leaves)]
        case "leaf":
            stem = wire(curve([(0, -r, 2), (0.05 * r, 0, 3), (0, r, 2)], 24), 0.03 * size, 8)
            blade = leaf.scale((0.6, 0.6, 0.8))
            front = [stem]
            for i in range(5):
                y = -0.6 * r + 0.32 * r * i
                front += [blade.rotate((0, 0, s * 52)).translate((0, y, 0)) for s in (-1, 1)]
            front.append(blade.translate((0, 0.62 * r, 0)))
        case "butterfly":
            big, small = leaf.scale((1.15, 1, 1)), leaf.scale((0.9, 0.72, 1))
            front = [big.rotate((0, 0, s * 55)) for s in (-1, 1)]
            front += [small.rotate((0, 0, s * 122)) for s in (-1, 1)]
            front.append(ball(0.06 * size, q.m).scale((1, 5, 1)).translate((0, 0, 0.06 * size)))
        case _:
            front = [leaf.scale((1.3, 1, 1)).rotate((0, 0, s * 90)) for s in (-1, 1)]
            front += [leaf.scale((0.6, 1, 0.7)).rotate((0, 0, s * 155)) for s in (-1, 1)]
    knot = ball(0.1 * size, q.n, squash=0.8).translate((0, 0, 0.1 * size))
    if stones:
        knot = setting("round", 0.2 * size, style="bezel", n=q.n).translate((0, 0, 0.16 * size))
    z = -0.06 * size
    needle = wire(np.array([(-0.36 * size, 0, z), (0.36 * size, 0, z)]), 0.012 * size, 8)
    feet = [rod(0.03 * size, 0.12 * size, 10).translate((s * 0.33 * size, 0, z)) for s in (-1, 1)]
    beam = rectangle(0.72 * size, 0.05 * size)
    return union(front, knot, needle, feet, prism(beam, 0.05 * size))


@accessory(
    en="cufflink; shirt cufflink; button cuff link / sleeve fastener; suit cuff stud",
    zh_hant="袖扣; 襯衫袖扣; 袖釦 / 西裝袖口飾扣; 法式袖釘",
    zh_hans="袖扣; 衬衫袖扣; 袖钉 / 西装袖口饰扣; 法式袖扣",
    size=log_uniform(12, 20),
    face=one_of("round", "square", "octagon", "oval"),
    stone=maybe(),
    back=one_of("bullet", "disc", "whale"),
)
def cufflink(q: Look, *, size: float, face: str, stone: bool, back: str) -> Solid:
    flat = {
        "round": disc(size / 2, 2 * q.n),
        "square": rectangle(0.9 * size, 0.9 * size, r=0.08 * size),
        "octagon": disc(0.52 * size, 8).rotate(22.5),
        "oval": polygon(circle_points(0.55 * size, 2 * q.n, y=0.4 * size)),
    }[face]
    t = 0.2 * size
    head = prism(flat, t, bevel=q.edge(2 * t))
    if stone:
        top = ball(0.36 * size, q.n, squash=0.4)
        head = union(head, top.translate((0, 0, t)))
    else:
        head = head - prism(flat.offset(-0.08 * size), t).translate((0, 0, 0.85 * t))
    neck = rod(0.09 * size, size, q.m).translate((0, 0, -size))
    match back:
        case "bullet":
            foot = rod(0.16 * size, 0.95 * size, q.n, bevel=0.1 * size).rotate((0, 90, 0))
            foot = foot.translate((-0.475 * size, 0, -size))
        case "disc":
            foot = rod(0.34 * size, 0.12 * size, q.n, bevel=0.03 * size).translate(
                (0, 0, -1.05 * size)
            )
        case _:
            tail = prism(stadium(0.9 * size, 0.26 * size), 0.12 * size, bevel=0.02 * size)
            foot = tail.translate((0, 0, -1.05 * size))
    return union(head, neck, foot)


@accessory(
    en="tie bar; tie clip; necktie clasp / slide-on tie clip; men's tie pin bar",
    zh_hant="領帶夾; 領帶針; 男士領夾 / 滑入式領帶夾; 領帶扣",
    zh_hans="领带夹; 领带针; 男士领夹 / 滑入式领带夹; 领带扣",
    long=log_uniform(38, 65, "long"),
    wide=uniform(0.07, 0.16, "wide"),
    gap=uniform(0.06, 0.11),
    motif=one_of("plain", "grooves", "gem"),
)
def tie_bar(q: Look, *, long: float, wide: float, gap: float, motif: str) -> Solid:
    w, g, t = wide * long, gap * long, 0.022 * long
    side = [(0.28 * long, 0.0), (-0.5 * long, 0.0), (-0.5 * long, g), (0.5 * long, g)]
    line = filleted(side, 0.5 * g, 8)
    path = np.c_[line[:, 0], np.zeros(len(line)), line[:, 1]]
    half = np.array([(-t, -w), (t, -w), (t, w), (-t, w)]) / 2
    made = sweep(path, half, up=(0, 1, 0))
    if motif == "grooves":
        cut = prism(rectangle(0.03 * long, 2 * w), t).translate((0, 0, g + 0.2 * t))
        made = made - union([cut.translate((x * long, 0, 0)) for x in (-0.3, 0, 0.3)])
    elif motif == "gem":
        stone = setting("round", 0.7 * w, style="bezel", n=q.n)
        made = union(made, stone.translate((0.36 * long, 0, g + 0.4 * w)))
    return made


@accessory(
    en="bead; round bead; pierced ornamental bead / jewelry bead with a hole; spacer bead",
    zh_hant="珠子; 圓珠; 穿孔珠 / 有孔的飾品珠; 隔珠",
    zh_hans="珠子; 圆珠; 穿孔珠 / 有孔的饰品珠; 隔珠",
    size=log_uniform(4, 18),
    kind=one_of("round", "melon", "barrel", "cube", "faceted"),
    hole=uniform(0.12, 0.34, "wide"),
)
def bead(q: Look, *, size: float, kind: str, hole: float) -> Solid:
    r = size / 2
    match kind:
        case "round":
            body = ball(r, 2 * q.n)
        case "melon":
            t = np.radians(np.linspace(-80, 80, 15))
            a = np.linspace(0, 2 * np.pi, 96, endpoint=False)
            groove = 1 - 0.12 * (1 - np.abs(np.cos(6 * a)))
            body = field(r * np.cos(t)[:, None] * groove, 0.8 * r * np.sin(t))
        case "barrel":
            body = turned(curve([(0.55 * r, -1.2 * r), (r, 0), (0.55 * r, 1.2 * r)], 16), q.n)
        case "cube":
            body = prism(rectangle(1.6 * r, 1.6 * r), 1.6 * r, bevel=0.25 * r)
            body = body.translate((0, 0, -0.8 * r))
        case _:
            body = ball(r, 8).refine(1)
    return body - rod(hole * r, 4 * r, q.m).translate((0, 0, -2 * r))


@accessory(
    en="bail; pinch bail; jump ring and bail / pendant clasp hanger; jewelry finding",
    zh_hant="扣頭; 瓜子扣; 吊墜扣 / 墜頭連接扣; 飾品配件扣",
    zh_hans="扣头; 瓜子扣; 吊坠扣 / 坠头连接扣; 饰品配件扣",
    size=log_uniform(20, 60),
    kind=one_of("loop", "tube"),
    ring=maybe(),
)
def pendant_bail(q: Look, *, size: float, kind: str, ring: bool) -> Solid:
    made = bail(q, kind, size=size, z=0.0)
    r = 0.1 * size
    if ring:
        made = union(made, torus(r, 0.2 * r, q.n).rotate((90, 0, 0)).translate((0, 0, -0.6 * r)))
    return made


@accessory(
    en="charm; small figure charm; bracelet charm / dangling mini charm; cute shaped charm",
    zh_hant="小墜飾; 手鍊吊飾; 造型小墜 / 可愛吊飾; 迷你掛墜",
    zh_hans="小坠饰; 手链吊饰; 造型小坠 / 可爱吊饰; 迷你挂坠",
    size=log_uniform(8, 20),
    shape=one_of("paw", "key", "bell", "anchor", "cherry", "crown"),
)
def charm(q: Look, *, size: float, shape: str) -> Solid:
    t, r = 0.14 * size, size / 2
    match shape:
        case "paw":
            pad = polygon(circle_points(0.3 * size, q.n, y=0.24 * size)).translate((0, -0.2 * size))
            toes = [(-0.34, 0.08), (-0.13, 0.3), (0.13, 0.3), (0.34, 0.08)]
            flat = pad + rectangle(0.16 * size, 0.3 * size).translate((0, 0.1 * size))
            for x, y in toes:
                toe = disc(0.13 * size, q.n).translate((x * size, y * size))
                stalk = disc(0.05 * size, 8)
                flat = flat + toe + (stalk + stalk.translate((x * size, y * size))).hull()
            body = upright(prism(flat, t, bevel=q.edge(t)).translate((0, 0, -t / 2)))
        case "key":
            bow = disc(0.24 * size, q.n) - disc(0.13 * size, q.n)
            bit = rectangle(0.12 * size, 0.1 * size)
            flat = bow.translate((0, 0.28 * size)) + rectangle(0.1 * size, 0.65 * size).translate(
                (0, -0.2 * size)
            )
            for y in (-0.46, -0.28):
                flat = flat + bit.translate((0.1 * size, y * size))
            body = upright(prism(flat, t).translate((0, 0, -t / 2)))
        case "bell":
            shape_ = [
                (0.5, -0.5),
                (0.46, -0.42),
                (0.3, -0.1),
                (0.26, 0.2),
                (0.12, 0.42),
                (0.02, 0.5),
            ]
            cup = turned(curve(np.array(shape_) * size, 24), q.n)
            body = union(cup, ball(0.12 * size, q.m).translate((0, 0, -0.52 * size)))
        case "anchor":
            hooks = arc(0.36 * size, 200, 340, q.n)[:, [0, 2, 1]] + (0, 0, -0.1 * size)
            stem = rod(0.06 * size, 0.9 * size, q.m).translate((0, 0, -0.45 * size))
            bar = rod(0.05 * size, 0.5 * size, q.m).rotate((0, 90, 0))
            tips = [ball(0.09 * size, q.m).translate(tuple(map(float, hooks[i]))) for i in (0, -1)]
            body = union(
                stem, wire(hooks, 0.07 * size, q.m), tips, bar.translate((-r / 2, 0, 0.25 * size))
            )
        case "cherry":
            balls = [
                ball(0.22 * size, q.n).translate((s * 0.25 * size, 0, -0.28 * size))
                for s in (-1, 1)
            ]
            stems = [
                wire(curve([(s * 0.25 * size, 0, -0.1 * size), (s * 0.16 * size, 0, 0.2 * size),
                            (0, 0, r)], 12), 0.035 * size, 8)
                for s in (-1, 1)
            ]  # fmt: skip
            body = union(balls, stems)
        case _:
            flat = polygon(np.array([(-0.5, -0.35), (0.5, -0.35), (0.5, 0.3), (0.25, 0), (0, 0.5),
                                     (-0.25, 0), (-0.5, 0.3)]) * size)  # fmt: skip
            body = upright(prism(flat, t, bevel=q.edge(t)).translate((0, 0, -t / 2)))
            balls = [(0.5, 0.33), (0, 0.53), (-0.5, 0.33)]
            grain = ball(0.07 * size, q.m)
            body = union(body, [grain.translate((x * size, 0, z * size)) for x, z in balls])
    return union(body, bail(q, "ring", size=1.1 * size, z=0.5 * size))


@jewel(
    category="gem",
    en="gemstone; loose diamond; faceted gem; cut stone / loose jewel without a setting; brilliant",
    zh_hant="寶石; 裸鑽; 切割寶石; 裸石 / 未鑲嵌的寶石; 刻面寶石",
    zh_hans="宝石; 裸钻; 切割宝石; 裸石 / 未镶嵌的宝石; 刻面宝石",
    says=(
        phrase("{cut} {name}", "{cut}{name}", "{cut}{name}"),
        phrase("{cut} diamond", "{cut}鑽石", "{cut}钻石"),
    ),
    size=log_uniform(3, 20),
    cut=one_of(*CUTS),
    facets=one_of(12, 16, 16, 20, 24, 32),
)
def gemstone(q: Look, *, size: float, cut: str, facets: int) -> Solid:
    return gem(cut, size, max(facets, 24) if cut in ("cabochon", "heart") else facets)


@bracelet(
    en="spiral bracelet; coil bangle; wrap bracelet / snake coil arm ring; spring shaped bangle",
    zh_hant="螺旋手環; 纏繞手鐲; 蛇形手鐲 / 多圈彈簧手環; 盤繞臂環",
    zh_hans="螺旋手环; 缠绕手镯; 蛇形手镯 / 多圈弹簧手环; 盘绕臂环",
    bore=uniform(52, 66),
    thick=uniform(2.5, 6, "thick"),
    turns=uniform(1.4, 3.4, "long"),
    ends=one_of("ball", "snake", "taper"),
)
def spiral_bracelet(q: Look, *, bore: float, thick: float, turns: float, ends: str) -> Solid:
    path = helix(bore / 2 + thick / 2, 1.7 * thick, turns, 2 * q.n)
    share = np.linspace(0, 1, len(path))
    scale = np.ones(len(path))
    if ends == "taper":
        scale = np.minimum(1, 0.15 + 5 * np.minimum(share, 1 - share))
    elif ends == "snake":
        scale = np.minimum(1, 0.15 + 2.2 * share)
    made = wire(path, thick / 2, q.m, scale=scale)
    tips = {"ball": (0, -1), "snake": (-1,), "taper": ()}[ends]
    head = ball(0.85 * thick, q.n)
    return union(made, [head.translate(tuple(map(float, path[i]))) for i in tips])
