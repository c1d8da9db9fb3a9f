"""Bangles, bracelets and chains. Bangles lie about z; a chain runs along x."""

from functools import partial

import numpy as np

from catalog.families.gems import setting
from catalog.families.jewelry_parts import BANDS, band_outline
from catalog.families.profiles import (
    superellipse,
)
from catalog.families.solids import (
    Array,
    Solid,
    arc,
    ball,
    circle_points,
    curve,
    helix,
    lathe,
    polar,
    rod,
    sweep,
    torus,
    union,
    wire,
)
from catalog.families.types import Look, family, log_uniform, maybe, one_of, phrase, uniform, whole

jewel = partial(family, group="jewelry")
bracelet = partial(jewel, category="bracelet")
chain = partial(jewel, category="chain")


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
    thick=uniform(0.13, 0.22, "heavy"),
    links=whole(4, 10, "long"),
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
    pitch = 0.68 * long
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
