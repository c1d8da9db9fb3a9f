"""Nuts, washers, pins and rivets. Their axis is z; they rest on z = 0."""

from functools import partial

import numpy as np

from catalog.families.fasteners import PITCH, SIZES, hex_head
from catalog.families.profiles import disc, lobes, teeth_ring
from catalog.families.solids import (
    Solid,
    arc,
    ball,
    block,
    hull,
    lathe,
    polar,
    prism,
    rod,
    sweep,
    thread,
    tube_straight,
    turned,
    union,
)
from catalog.families.types import Look, family, log_uniform, maybe, one_of, phrase, uniform, whole

nut = partial(family, group="fasteners", category="nut")
washer = partial(family, group="fasteners", category="washer")
pin = partial(family, group="fasteners", category="pin")

M_SAY = phrase("M{d} {name}", "M{d}{name}", "M{d}{name}")
THREADED = one_of(True, True, False)


def tapped(q: Look, body: Solid, *, d: float, h: float, threaded: bool, low: float = 0.0) -> Solid:
    """A body with a threaded (or plain) hole from z = low to its height h, mouths chamfered."""
    pitch = PITCH.get(d, 0.15 * d)
    r = d / 2
    long = h - low + 0.2 * d
    tap = (
        thread(d, pitch, long, max(16, q.m * 3 // 2)) if threaded else rod(0.92 * r, long, 2 * q.m)
    )
    cut = [tap.translate((0, 0, low - 0.1 * d))]
    if q.bevel:
        mouth = turned([(1.15 * r, -0.07 * r), (0.8 * r, 0.28 * r)], 2 * q.m)
        cut.append(mouth.mirror((0, 0, 1)).translate((0, 0, h)))
        if low == 0:
            cut.append(mouth)
    return body - union(cut)


def hexagon(q: Look, across: float, h: float) -> Solid:
    """A hexagon with both rims turned off."""
    top = hex_head(q, across, h)
    return top ^ hex_head(q, across, h).mirror((0, 0, 1)).translate((0, 0, h))


@nut(
    en="hex nut; hexagon nut; six-sided nut / hexagonal machine nut; M nut with six flats",
    zh_hant="六角螺帽; 六角螺母; 螺帽 / 外六角螺帽; 六邊形螺帽",
    zh_hans="六角螺母; 六角螺帽; 螺母 / 外六角螺母; 六边形螺母",
    says=(M_SAY,),
    d=SIZES,
    height=uniform(0.5, 1.1, "tall"),
    threaded=THREADED,
)
def hex_nut(q: Look, *, d: float, height: float, threaded: bool) -> Solid:
    h = height * d
    return tapped(q, hexagon(q, 1.65 * d, h), d=d, h=h, threaded=threaded)


@nut(
    en="flange nut; hex flange nut; nut with a built-in washer"
    " / serrated flange lock nut; collar nut",
    zh_hant="法蘭螺帽; 六角法蘭面螺帽; 帶墊螺帽 / 防滑法蘭螺帽; 凸緣螺帽",
    zh_hans="法兰螺母; 六角法兰面螺母; 带垫螺母 / 防滑法兰螺母; 凸缘螺母",
    says=(M_SAY,),
    d=SIZES,
    flange=uniform(2.0, 2.6, "wide"),
    threaded=THREADED,
    serrated=maybe(),
)
def flange_nut(q: Look, *, d: float, flange: float, threaded: bool, serrated: bool) -> Solid:
    r, h = flange * d / 2, d
    skirt = turned([(r, 0), (r, 0.1 * d), (0.78 * d, 0.36 * d)], q.n)
    body = union(skirt, hexagon(q, 1.55 * d, h))
    if serrated and q.details:
        groove = block(r, 0.06 * d, 0.12 * d).translate((0.75 * r + 0.2 * d, 0, -0.06 * d))
        body = body - union(polar(groove, 24))
    return tapped(q, body, d=d, h=h, threaded=threaded)


@nut(
    en="cap nut; acorn nut; dome nut / blind nut with a rounded top; crown hex nut",
    zh_hant="蓋形螺帽; 蓋帽螺帽; 圓頭螺帽 / 半球頂螺帽; 橡實螺帽",
    zh_hans="盖形螺母; 盖帽螺母; 圆头螺母 / 半球顶螺母; 橡子螺母",
    says=(M_SAY,),
    d=SIZES,
    dome=uniform(0.55, 0.8, "tall"),
    threaded=THREADED,
)
def cap_nut(q: Look, *, d: float, dome: float, threaded: bool) -> Solid:
    h = 0.8 * d
    top = ball(0.74 * d, q.n).scale((1, 1, dome / 0.62)).trim_by_plane((0, 0, 1), 0)
    body = union(hex_head(q, 1.65 * d, h), top.translate((0, 0, h - 0.05 * d)))
    hole = tapped(q, rod(2 * d, d, 8), d=d, h=d, threaded=threaded)
    return body - (rod(1.9 * d, 0.96 * d, 8) - hole)


@nut(
    en="wing nut; butterfly nut; thumb nut with two wings / finger tightened nut; winged nut",
    zh_hant="蝶形螺帽; 蝴蝶螺帽; 元寶螺帽 / 羊角螺帽; 手轉雙翼螺帽",
    zh_hans="蝶形螺母; 蝴蝶螺母; 元宝螺母 / 羊角螺母; 手拧双翼螺母",
    says=(M_SAY,),
    d=one_of(3, 4, 5, 6, 8, 10, 12),
    span=uniform(1.6, 2.4, "wide"),
    threaded=THREADED,
)
def wing_nut(q: Look, *, d: float, span: float, threaded: bool) -> Solid:
    h = 1.05 * d
    ear = disc(0.62 * d, q.n).translate((span * d, 1.35 * d))
    wing = (ear + disc(0.3 * d, q.m).translate((0.5 * d, 0.35 * d))).hull()
    flat = prism(wing, 0.36 * d, bevel=q.edge(d)).rotate((90, 0, 0)).translate((0, 0.18 * d, 0))
    hub = rod(0.95 * d, h, q.n, top=0.75 * d, bevel=q.edge(d))
    return tapped(q, union(hub, polar(flat, 2)), d=d, h=h, threaded=threaded)


@nut(
    en="square nut; four-sided nut / nut with a square body; machine square nut",
    zh_hant="四角螺帽; 方形螺帽 / 四方螺母; 正方形螺帽",
    zh_hans="四方螺母; 方形螺母 / 方螺帽; 正方形螺母",
    says=(M_SAY,),
    d=SIZES,
    height=uniform(0.4, 0.9, "tall"),
    threaded=THREADED,
)
def square_nut(q: Look, *, d: float, height: float, threaded: bool) -> Solid:
    h = height * d
    body = block(1.7 * d, 1.7 * d, h)
    if q.bevel:
        body = body ^ turned([(2 * d, 0), (2 * d, h - 0.55 * d), (0.85 * d, h + 0.12 * d)], q.n)
    return tapped(q, body, d=d, h=h, threaded=threaded)


@nut(
    en="T-nut; tee nut; pronged T-nut / furniture tee nut with spikes; drive-in nut",
    zh_hant="爪型螺帽; 四爪螺帽; T型爪螺帽 / 木工爪釘螺帽; 打入式螺帽",
    zh_hans="四爪螺母; 爪型螺母; T型爪螺母 / 木工倒刺螺母; 打入式螺母",
    says=(M_SAY,),
    d=one_of(3, 4, 5, 6, 8, 10),
    barrel=uniform(1.0, 2.2, "tall"),
    prongs=one_of(3, 4, 6),
    threaded=THREADED,
)
def t_nut(q: Look, *, d: float, barrel: float, prongs: int, threaded: bool) -> Solid:
    h, t = barrel * d, 0.16 * d
    spike = hull(
        block(0.14 * d, 0.5 * d, 0.1 * d),
        block(0.12 * d, 0.04 * d, 0.1 * d).translate((0, 0, 0.9 * d)),
    )
    plate = prism(disc(1.45 * d, q.n), t, bevel=q.edge(t))
    body = union(
        plate, rod(0.68 * d, h, q.n), polar(spike.translate((1.36 * d, 0, 0.5 * t)), prongs)
    )
    return tapped(q, body, d=d, h=h, threaded=threaded)


@nut(
    en="castle nut; castellated nut; slotted hex nut / crown nut for a cotter pin; axle nut",
    zh_hant="槽形螺帽; 開槽六角螺帽; 城堡螺帽 / 插銷用冠狀螺帽; 皇冠螺帽",
    zh_hans="槽形螺母; 开槽六角螺母; 城堡螺母 / 开口销用冠形螺母; 皇冠螺母",
    says=(M_SAY,),
    d=SIZES,
    crown=uniform(0.3, 0.5, "tall"),
    threaded=THREADED,
)
def castle_nut(q: Look, *, d: float, crown: float, threaded: bool) -> Solid:
    base, h = 0.8 * d, (0.8 + crown) * d
    body = union(hexagon(q, 1.6 * d, base), rod(0.78 * d, h, q.n, bevel=q.edge(d)))
    slots = polar(block(2 * d, 0.28 * d, d).translate((0, 0, base)), 3, sweep=180)
    return tapped(q, body, d=d, h=h, threaded=threaded) - union(slots)


@nut(
    en="knurled nut; thumb nut; round knurled nut / finger nut with ribbed rim; knurled thumb nut",
    zh_hant="滾花螺帽; 手轉螺帽; 圓形滾花螺帽 / 壓花手擰螺帽; 帶紋圓螺帽",
    zh_hans="滚花螺母; 手拧螺母; 圆形滚花螺母 / 压花手拧螺母; 带纹圆螺母",
    says=(M_SAY,),
    d=one_of(3, 4, 5, 6, 8, 10),
    wide=uniform(1.8, 3.2, "wide"),
    height=uniform(0.5, 1.1, "tall"),
    threaded=THREADED,
    collar=maybe(),
)
def knurled_nut(
    q: Look, *, d: float, wide: float, height: float, threaded: bool, collar: bool
) -> Solid:
    h, r = height * d, wide * d / 2
    body = prism(lobes(32, r, 0.94 * r, 128), h, bevel=q.edge(h))
    if collar:
        body = union(body, rod(0.72 * r, 1.4 * h, q.n, bevel=q.edge(h)))
        h = 1.4 * h
    return tapped(q, body, d=d, h=h, threaded=threaded)


@nut(
    en="threaded insert; heat-set insert; brass insert nut / knurled melt-in insert; embedded nut",
    zh_hant="熱熔螺母; 銅嵌件; 螺紋嵌件 / 熱壓銅螺帽; 滾花埋入螺母",
    zh_hans="热熔螺母; 铜嵌件; 螺纹镶嵌件 / 热压铜螺母; 滚花预埋螺母",
    says=(M_SAY,),
    d=one_of(2, 2.5, 3, 4, 5, 6, 8),
    length=uniform(1.0, 2.2, "long"),
    threaded=THREADED,
)
def threaded_insert(q: Look, *, d: float, length: float, threaded: bool) -> Solid:
    h, r = length * d, 0.8 * d
    band = lobes(24, r, 0.9 * r, 96)
    low = prism(band, 0.36 * h, twist=18, steps=4)
    high = prism(band, 0.36 * h, twist=-18, steps=4)
    core = rod(0.82 * r, h, q.n, bevel=q.edge(d))
    body = union(core, low.translate((0, 0, 0.1 * h)), high.translate((0, 0, 0.56 * h)))
    return tapped(q, body, d=d, h=h, threaded=threaded)


@nut(
    en="standoff; hex standoff; PCB spacer post / male female hex pillar; threaded board spacer",
    zh_hant="六角銅柱; 隔離柱; 六角支撐柱 / 單頭銅柱; 電路板隔離螺柱",
    zh_hans="六角铜柱; 隔离柱; 六角支撑柱 / 单头铜柱; 电路板隔离螺柱",
    says=(M_SAY,),
    d=one_of(2, 2.5, 3, 4, 5, 6),
    length=log_uniform(1.5, 10, "long"),
    body=one_of("hexagon", "round"),
    stud=maybe(),
    threaded=THREADED,
)
def standoff(q: Look, *, d: float, length: float, body: str, stud: bool, threaded: bool) -> Solid:
    h = length * d
    post = hexagon(q, 1.75 * d, h) if body == "hexagon" else rod(0.9 * d, h, q.n, bevel=q.edge(d))
    deep = min(h, 2.2 * d)
    made = tapped(q, post, d=d, h=h, threaded=threaded, low=h - deep if deep < h else 0)
    if stud:
        tail = thread(d, PITCH.get(d, 0.15 * d), 2 * d, 24) if threaded else rod(d / 2, 2 * d, q.m)
        made = union(made, tail.translate((0, 0, -1.95 * d)), rod(0.6 * d, 0.3 * d, q.m))
    return made


# --- washers -------------------------------------------------------------------------------


@washer(
    en="flat washer; plain washer; round washer / thin metal ring for bolts; type A washer",
    zh_hant="平墊圈; 華司; 平華司 / 圓形平墊片; 螺絲用薄墊圈",
    zh_hans="平垫圈; 平垫片; 介子 / 圆形平垫片; 螺丝用薄垫圈",
    says=(M_SAY,),
    d=SIZES,
    outer=uniform(1.8, 2.3, "wide"),
    thick=uniform(0.14, 0.24, "thick"),
)
def flat_washer(q: Look, *, d: float, outer: float, thick: float) -> Solid:
    return tube_straight(outer * d / 2, 0.53 * d, thick * d, 2 * q.n, bevel=q.edge(0.6 * d * thick))


@washer(
    en="fender washer; large flat washer; penny washer / oversized repair washer; mudguard washer",
    zh_hant="大平墊圈; 加大墊圈; 大外徑華司 / 擋泥板墊圈; 寬邊墊片",
    zh_hans="大平垫圈; 加大垫圈; 大外径垫片 / 挡泥板垫圈; 宽边垫片",
    says=(M_SAY,),
    d=SIZES,
    outer=uniform(3, 5.5, "wide"),
    thick=uniform(0.12, 0.3, "thick"),
)
def fender_washer(q: Look, *, d: float, outer: float, thick: float) -> Solid:
    return tube_straight(outer * d / 2, 0.54 * d, thick * d, 2 * q.n, bevel=q.edge(thick * d))


@washer(
    en="spring washer; split lock washer; helical spring washer"
    " / split ring washer; single coil lock washer",
    zh_hant="彈簧墊圈; 彈簧華司; 開口彈簧墊圈 / 開口鎖緊墊圈; 防鬆彈墊",
    zh_hans="弹簧垫圈; 弹垫; 开口弹簧垫圈 / 开口锁紧垫圈; 防松弹垫",
    says=(M_SAY,),
    d=SIZES,
    rise=uniform(0.1, 0.35, "tall"),
    wire_=uniform(0.24, 0.36, "thick"),
)
def spring_washer(q: Look, *, d: float, rise: float, wire_: float) -> Solid:
    w, t = wire_ * d, 0.24 * d
    path = arc(0.54 * d + w / 2, 6, 350, 2 * q.n)
    path[:, 2] = np.linspace(0, rise * d, len(path))
    half = np.array([(-w, -t), (w, -t), (w, t), (-w, t)]) / 2
    return sweep(path, half, up=(0, 0, 1)).translate((0, 0, t / 2))


@washer(
    en="toothed lock washer; star washer; tooth washer / shakeproof washer; serrated washer",
    zh_hant="齒形墊圈; 多齒墊圈; 星形華司 / 鋸齒防鬆墊圈; 多齒鎖緊墊片",
    zh_hans="齿形垫圈; 多齿垫圈; 星形垫圈 / 锯齿防松垫圈; 多齿锁紧垫片",
    says=(
        M_SAY,
        phrase("{name} with {teeth} teeth", "{teeth}齒的{name}", "{teeth}齿的{name}"),
    ),
    d=SIZES,
    teeth=whole(8, 20),
    side=one_of("external", "internal"),
)
def tooth_washer(q: Look, *, d: float, teeth: int, side: str) -> Solid:
    t = 0.1 * d
    if side == "external":
        flat = teeth_ring(teeth, 1.05 * d, 0.78 * d, top=0.55, foot=0.72) - disc(0.53 * d, q.n)
    else:
        flat = disc(1.05 * d, q.n) - teeth_ring(teeth, 0.82 * d, 0.55 * d, top=0.3, foot=0.4)
    made = prism(flat, t)

    def bent(points: np.ndarray) -> np.ndarray:
        r = np.hypot(points[:, 0], points[:, 1])
        a = np.arctan2(points[:, 1], points[:, 0])
        tooth = np.clip((r - 0.78 * d) / (0.27 * d), 0, 1)
        if side == "internal":
            tooth = np.clip((0.82 * d - r) / (0.27 * d), 0, 1)
        points[:, 2] += 0.9 * t * tooth * np.sign(np.sin(teeth * a + 1e-3))
        return points

    return made.warp_batch(bent)


@washer(
    en="wave washer; wave spring washer; crinkle washer / curved spring washer; wavy disc",
    zh_hant="波形墊圈; 波浪墊圈; 波形彈簧墊圈 / 彎曲彈簧華司; 波浪形墊片",
    zh_hans="波形垫圈; 波浪垫圈; 波形弹簧垫圈 / 弯曲弹簧垫片; 波浪形垫片",
    says=(M_SAY,),
    d=SIZES,
    waves=one_of(2, 3, 4),
    rise=uniform(0.12, 0.3, "tall"),
    outer=uniform(1.5, 2.1),
)
def wave_washer(q: Look, *, d: float, waves: int, rise: float, outer: float) -> Solid:
    n = 2 * q.n
    a = np.linspace(0, 2 * np.pi, n, endpoint=False)
    z = rise * d * (1 + np.sin(waves * a)) / 2
    r = 0.54 * d + (outer - 1.08) * d / 4
    path = np.c_[r * np.cos(a), r * np.sin(a), z]
    w, t = (outer - 1.08) * d / 4, 0.05 * d
    return sweep(path, [(-w, -t), (w, -t), (w, t), (-w, t)], closed=True, up=(0, 0, 1))


@washer(
    en="conical washer; Belleville washer; disc spring / dished spring washer; cup spring",
    zh_hant="盤形彈簧; 碟形墊圈; 錐形墊圈 / 貝勒維爾墊圈; 碗形彈簧華司",
    zh_hans="碟形弹簧; 碟形垫圈; 锥形垫圈 / 贝氏垫圈; 碗形弹簧垫片",
    says=(M_SAY,),
    d=SIZES,
    rise=uniform(0.08, 0.3, "tall"),
    outer=uniform(1.9, 2.8, "wide"),
)
def conical_washer(q: Look, *, d: float, rise: float, outer: float) -> Solid:
    r, t, h = outer * d / 2, 0.12 * d, rise * d
    return lathe([(0.54 * d, h), (r, 0), (r, t), (0.54 * d, h + t)], 2 * q.n)
