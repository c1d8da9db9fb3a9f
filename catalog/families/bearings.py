"""Bearings and bushings. They lie on z = 0 about z."""

from functools import partial

import numpy as np

from catalog.families.fasteners import shank
from catalog.families.profiles import annulus, disc, holes, rectangle
from catalog.families.solids import (
    Solid,
    ball,
    block,
    lathe,
    polar,
    prism,
    rod,
    torus,
    tube_straight,
    union,
)
from catalog.families.types import Look, family, maybe, one_of, phrase, uniform, whole

bearing = partial(family, group="transmission", category="bearing")

BORES = one_of(3, 4, 5, 6, 8, 10, 12, 15, 17, 20, 25, 30)
BORE_SAYS = (
    phrase("{name}, {bore} mm bore", "內徑{bore}mm的{name}", "内径{bore}mm的{name}"),
    phrase("bearing {bore} mm", "{bore}mm軸承", "{bore}mm轴承"),
)


def race(q: Look, inner: float, outer: float, h: float, *, b: float) -> Solid:
    return tube_straight(outer, inner, h, 2 * q.n, bevel=b)


@bearing(
    en="deep groove ball bearing; ball bearing; radial ball bearing"
    " / single row ball race; 608 type bearing",
    zh_hant="深溝滾珠軸承; 滾珠軸承; 深溝球軸承 / 徑向滾珠軸承; 培林",
    zh_hans="深沟球轴承; 滚珠轴承; 深沟滚珠轴承 / 径向球轴承; 单列滚珠轴承",
    says=BORE_SAYS,
    bore=BORES,
    outer=uniform(1.9, 3.0, "wide"),
    wide=uniform(0.26, 0.42, "thick"),
    balls=whole(7, 13),
    closed=one_of("open", "open", "cage", "shield"),
    flange=one_of(False, False, False, True),
)
def ball_bearing(
    q: Look, *, bore: float, outer: float, wide: float, balls: int, closed: str, flange: bool
) -> Solid:
    r1, r2 = bore / 2, outer * bore / 2
    t, middle = r2 - r1, (r1 + r2) / 2
    h = wide * r2 + 0.2 * t
    b = 0.08 * t * q.bevel
    size = min(0.31 * t, 0.42 * h, 0.9 * np.pi * middle / balls)
    inner, outer_ = race(q, r1, r1 + 0.3 * t, h, b=b), race(q, r2 - 0.3 * t, r2, h, b=b)
    parts = [inner, outer_]
    if closed == "shield":
        lid = race(q, r1 + 0.25 * t, r2 - 0.25 * t, 0.82 * h, b=0).translate((0, 0, 0.09 * h))
        groove = torus(r2 - 0.38 * t, 0.025 * t, 2 * q.n, m=8)
        parts.append(lid - groove.translate((0, 0, 0.91 * h)))
    else:
        one = ball(size, q.m).translate((middle, 0, h / 2))
        parts += polar(one, balls)
        if closed == "cage":
            cage = race(q, middle - 0.09 * t, middle + 0.09 * t, 0.7 * h, b=0)
            parts.append(cage.translate((0, 0, 0.15 * h)))
        else:
            track = torus(middle, 0.34 * t, 2 * q.n).translate((0, 0, h / 2))
            parts[:2] = [union(parts[:2]) - track]
            parts.append(
                race(q, middle - 0.05 * t, middle + 0.05 * t, 0.25 * h, b=0).translate(
                    (0, 0, 0.38 * h)
                )
            )
    if flange:
        parts.append(race(q, r2 - 0.1 * t, r2 + 0.25 * t, 0.2 * h, b=0))
    return union(parts)


def rollers(q: Look, *, r: float, at: float, h: float, count: int, lift: float) -> list[Solid]:
    one = rod(r, h, q.m, bevel=0.2 * r).translate((at, 0, lift))
    return polar(one, count)


@bearing(
    en="cylindrical roller bearing; roller bearing / bearing with cylinder rollers; NU bearing",
    zh_hant="圓柱滾子軸承; 滾柱軸承 / 滾子軸承; 圓柱滾柱軸承",
    zh_hans="圆柱滚子轴承; 滚柱轴承 / 滚子轴承; 圆柱滚柱轴承",
    says=BORE_SAYS,
    bore=BORES,
    outer=uniform(1.9, 2.7, "wide"),
    wide=uniform(0.4, 0.7, "thick"),
    count=whole(9, 18),
)
def roller_bearing(q: Look, *, bore: float, outer: float, wide: float, count: int) -> Solid:
    r1, r2 = bore / 2, outer * bore / 2
    t, middle = r2 - r1, (r1 + r2) / 2
    h, b = wide * r2 + 0.2 * t, 0.08 * t * q.bevel
    size = min(0.24 * t, 0.85 * np.pi * middle / count)
    cage = race(q, middle - 0.07 * t, middle + 0.07 * t, 0.12 * h, b=0)
    return union(
        race(q, r1, middle - 0.9 * size, h, b=b),
        race(q, middle + 0.9 * size, r2, h, b=b),
        rollers(q, r=size, at=middle, h=0.84 * h, count=count, lift=0.08 * h),
        cage.translate((0, 0, 0.05 * h)),
        cage.translate((0, 0, 0.83 * h)),
    )


@bearing(
    en="needle roller bearing; needle bearing / drawn cup needle bearing; thin long roller bearing",
    zh_hant="滾針軸承; 針狀軸承 / 衝壓外圈滾針軸承; 細長滾子軸承",
    zh_hans="滚针轴承; 针状轴承 / 冲压外圈滚针轴承; 细长滚子轴承",
    says=BORE_SAYS,
    bore=BORES,
    wall=uniform(0.16, 0.26, "thick"),
    length=uniform(0.7, 1.6, "long"),
    count=whole(14, 28),
)
def needle_bearing(q: Look, *, bore: float, wall: float, length: float, count: int) -> Solid:
    r1, t, h = bore / 2, wall * bore, length * bore
    size = min(0.28 * t, 0.85 * np.pi * (r1 + 0.3 * t) / count)
    at = r1 + size
    b = q.edge(t)
    cup = race(q, at + 0.75 * size, r1 + t, h, b=b)
    lip = race(q, r1 + 0.4 * size, r1 + 0.9 * t, 0.06 * h, b=0)
    return union(
        cup,
        rollers(q, r=size, at=at, h=0.84 * h, count=count, lift=0.08 * h),
        lip,
        lip.translate((0, 0, 0.94 * h)),
    )


@bearing(
    en="thrust ball bearing; axial ball bearing; thrust bearing"
    " / flat washer ball race; two-washer axial bearing",
    zh_hant="止推滾珠軸承; 推力球軸承; 平面軸承 / 軸向滾珠軸承; 止推軸承",
    zh_hans="推力球轴承; 止推滚珠轴承; 平面轴承 / 轴向球轴承; 止推轴承",
    says=BORE_SAYS,
    bore=BORES,
    outer=uniform(1.7, 2.4, "wide"),
    balls=whole(8, 16),
)
def thrust_bearing(q: Look, *, bore: float, outer: float, balls: int) -> Solid:
    r1, r2 = bore / 2, outer * bore / 2
    t, middle = r2 - r1, (r1 + r2) / 2
    size = min(0.3 * t, 0.9 * np.pi * middle / balls)
    plate, b = 0.55 * size, q.edge(0.5 * t)
    low = race(q, r1, r2, plate, b=b)
    gap = plate + 1.4 * size
    cage = race(q, r1 + 0.12 * t, r2 - 0.12 * t, 0.3 * size, b=0)
    return union(
        low,
        low.translate((0, 0, gap)),
        polar(ball(size, q.m).translate((middle, 0, plate + 0.7 * size)), balls),
        cage.translate((0, 0, plate + 0.55 * size)),
    )


@bearing(
    en="tapered roller bearing; cone bearing; conical roller bearing / wheel hub cone and cup;"
    " timken style bearing",
    zh_hant="圓錐滾子軸承; 錐形軸承; 斜滾子軸承 / 錐形滾柱軸承; 輪轂錐軸承",
    zh_hans="圆锥滚子轴承; 锥形轴承; 斜滚子轴承 / 锥形滚柱轴承; 轮毂锥轴承",
    says=BORE_SAYS,
    bore=BORES,
    outer=uniform(1.9, 2.5, "wide"),
    wide=uniform(0.45, 0.7, "thick"),
    count=whole(12, 20),
)
def tapered_bearing(q: Look, *, bore: float, outer: float, wide: float, count: int) -> Solid:
    r1, r2 = bore / 2, outer * bore / 2
    t, h = r2 - r1, wide * outer * bore / 2 + 0.3 * (r2 - r1)
    low, high, lean = r1 + 0.48 * t, r1 + 0.64 * t, np.degrees(np.arctan2(0.16 * t, h))
    size = min(0.2 * t, 0.8 * np.pi * low / count)
    one = rod(0.8 * size, 0.86 * h, q.m, top=size)
    one = one.rotate((0, lean, 0)).translate((low, 0, 0.1 * h))
    cone = lathe(
        [(r1, 0), (low - 0.5 * size, 0), (high - 0.8 * size, h), (high, h), (high, 1.06 * h),
         (r1, 1.06 * h)], 2 * q.n,
    )  # fmt: skip
    cup = lathe(
        [(low + 0.8 * size, 0), (r2, 0), (r2, 0.8 * h), (high + 0.5 * size, 0.8 * h)], 2 * q.n
    )
    return union(cone, cup, polar(one, count))


@bearing(
    en="pillow block bearing; plummer block; mounted bearing unit"
    " / bearing housing with two bolt holes; shaft support block",
    zh_hant="帶座軸承; 立式軸承座; 軸承座 / 枕形軸承座; 雙孔固定軸承座",
    zh_hans="带座轴承; 立式轴承座; 轴承座 / 枕形轴承座; 双孔固定轴承座",
    says=BORE_SAYS[:1],
    bore=BORES,
    long=uniform(4.6, 6.2, "long"),
    wide=uniform(1.1, 1.6, "wide"),
    balls=maybe(),
)
def pillow_block(q: Look, *, bore: float, long: float, wide: float, balls: bool) -> Solid:
    w, x, foot, axis = wide * bore, long * bore, 0.55 * bore, 1.6 * bore
    base = block(x, w, foot, round_=0.3 * w, bevel=q.edge(foot), n=8)
    slot = prism(rectangle(0.75 * bore, 0.5 * bore, r=0.24 * bore), 2 * foot)
    cut = union([slot.translate((s * 0.39 * x, 0, -0.1)) for s in (-1, 1)])
    shell = rod(1.35 * bore, 0.8 * w, 2 * q.n, bevel=q.edge(bore)).rotate((90, 0, 0))
    shell = shell.translate((0, 0.4 * w, axis))
    skirt = block(2.5 * bore, 0.8 * w, axis)
    hole = Solid.cylinder(2 * w, 1.0 * bore, 1.0 * bore, 2 * q.n, True).rotate((90, 0, 0))
    body = union(base - cut, shell, skirt) - hole.translate((0, 0, axis))
    ring = race(q, 0.5 * bore, 0.72 * bore, 1.1 * w, b=q.edge(0.3 * bore))
    lid = race(q, 0.7 * bore, 1.02 * bore, 0.6 * w, b=0).translate((0, 0, 0.25 * w))
    insert = union(ring, lid)
    if balls:
        insert = insert - torus(0.86 * bore, 0.1 * bore, 2 * q.n).translate((0, 0, 0.87 * w))
    return union(body, insert.rotate((90, 0, 0)).translate((0, 0.55 * w, axis)))


@bearing(
    en="flange bearing unit; four-bolt flange bearing; square flange mounted bearing"
    " / bearing housing with four holes; UCF bearing",
    zh_hant="法蘭軸承座; 四孔方形軸承座; 菱形軸承座 / 方形凸緣軸承; 牆面固定軸承座",
    zh_hans="法兰轴承座; 四孔方形轴承座; 菱形轴承座 / 方形凸缘轴承; 墙面固定轴承座",
    says=BORE_SAYS[:1],
    bore=BORES,
    size=uniform(3.2, 4.2, "wide"),
    kind=one_of("square", "oval"),
    tall=uniform(0.9, 1.4, "tall"),
)
def flange_bearing(q: Look, *, bore: float, size: float, kind: str, tall: float) -> Solid:
    s, h = size * bore, tall * bore
    if kind == "square":
        flat = rectangle(s, s, r=0.18 * s, n=q.n)
        at = [(x * 0.36 * s, y * 0.36 * s) for x in (-1, 1) for y in (-1, 1)]
    else:
        ends = [disc(0.16 * s, q.n).translate((x * 0.5 * s, 0)) for x in (-1, 1)]
        flat = (ends[0] + ends[1] + disc(0.4 * s, 2 * q.n)).hull()
        at = [(0.5 * s, 0), (-0.5 * s, 0)]
    plate = prism(holes(flat, at, 0.2 * bore, q.m), 0.38 * bore, bevel=q.edge(0.5 * bore))
    dome = rod(1.3 * bore, 0.8 * h, 2 * q.n, top=1.15 * bore, bevel=q.edge(bore))
    hole = rod(0.95 * bore, 3 * h, q.n).translate((0, 0, -h))
    ring = race(q, 0.5 * bore, 0.72 * bore, 1.2 * h, b=q.edge(0.3 * bore))
    lid = race(q, 0.7 * bore, 1.0 * bore, 0.62 * h, b=0).translate((0, 0, 0.06 * h))
    return union(union(plate, dome) - hole, ring, lid)


@bearing(
    en="linear bearing; linear ball bushing; LM bearing / long slotted bushing for a rail;"
    " linear motion sleeve",
    zh_hant="線性軸承; 直線軸承; 直線滾珠襯套 / 滑軌用長筒軸承; 直線運動襯套",
    zh_hans="直线轴承; 线性轴承; 直线滚珠衬套 / 光轴用长筒轴承; 直线运动衬套",
    says=BORE_SAYS[:1],
    bore=BORES,
    outer=uniform(1.7, 2.2, "wide"),
    length=uniform(2.2, 5, "long"),
    flange=one_of("none", "none", "round"),
)
def linear_bearing(q: Look, *, bore: float, outer: float, length: float, flange: str) -> Solid:
    r1, r2, h = bore / 2, outer * bore / 2, length * bore
    t = r2 - r1
    body = race(q, r1 + 0.35 * t, r2, h, b=q.edge(t))
    ring_cut = tube_straight(r2 + 1, r2 - 0.08 * t, 0.04 * h, 2 * q.n)
    body = body - union(ring_cut.translate((0, 0, 0.1 * h)), ring_cut.translate((0, 0, 0.86 * h)))
    liner = race(q, r1 + 0.2 * t, r1 + 0.4 * t, 0.96 * h, b=0).translate((0, 0, 0.02 * h))
    bead = ball(0.2 * t, 8)
    at = np.linspace(0.1 * h, 0.9 * h, max(5, int(0.8 * h / (0.42 * t))))
    row = union([bead.translate((r1 + 0.2 * t, 0, float(z))) for z in at])
    made = union(body, liner, polar(row, 5))
    if flange == "round":
        flat = annulus(r2 + 0.75 * bore, r2 - 0.1 * t, 2 * q.n)
        flat = holes(flat, [(0, r2 + 0.4 * bore), (0, -r2 - 0.4 * bore), (r2 + 0.4 * bore, 0),
                            (-r2 - 0.4 * bore, 0)], 0.16 * bore, q.m)  # fmt: skip
        made = union(made, prism(flat, 0.35 * bore, bevel=q.edge(0.35 * bore)))
    return made


@bearing(
    en="bushing; plain bearing; sleeve bearing / cylindrical bronze sleeve; journal bush",
    zh_hant="襯套; 滑動軸承; 軸套 / 圓筒銅套; 無油襯套",
    zh_hans="衬套; 滑动轴承; 轴套 / 圆筒铜套; 无油衬套",
    says=BORE_SAYS[:1],
    bore=BORES,
    wall=uniform(0.1, 0.3, "thick"),
    length=uniform(0.7, 2.4, "long"),
    groove=one_of("none", "none", "ring", "holes"),
)
def bushing(q: Look, *, bore: float, wall: float, length: float, groove: str) -> Solid:
    r, t, h = bore / 2, wall * bore, length * bore
    made = race(q, r, r + t, h, b=max(q.edge(2 * t), 0))
    if groove == "ring":
        made = made - torus(r + t, 0.3 * t, 2 * q.n).translate((0, 0, h / 2))
    elif groove == "holes":
        hole = Solid.cylinder(3 * bore, 0.1 * bore, 0.1 * bore, q.m, True).rotate((90, 0, 0))
        made = made - union(polar(hole.translate((0, 0, h / 2)), 2, sweep=180))
    return made


@bearing(
    en="flanged bushing; flange bush; collared sleeve bearing / top hat bushing; shouldered bush",
    zh_hant="法蘭襯套; 凸緣襯套; 帶肩軸套 / 帽形襯套; 翻邊銅套",
    zh_hans="法兰衬套; 凸缘衬套; 带肩轴套 / 帽形衬套; 翻边铜套",
    says=BORE_SAYS[:1],
    bore=BORES,
    wall=uniform(0.1, 0.25, "thick"),
    length=uniform(0.7, 2, "long"),
    collar=uniform(0.2, 0.45, "wide"),
)
def flanged_bushing(q: Look, *, bore: float, wall: float, length: float, collar: float) -> Solid:
    r, t, h = bore / 2, wall * bore, length * bore
    brim = race(q, r, r + t + collar * bore, t, b=q.edge(t))
    return union(race(q, r, r + t, h, b=q.edge(2 * t)), brim)


@bearing(
    en="rod end bearing; heim joint; rose joint / spherical eye end with a threaded stud;"
    " ball joint rod end",
    zh_hant="魚眼軸承; 桿端關節軸承; 關節軸承 / 魚眼接頭; 球頭桿端",
    zh_hans="鱼眼轴承; 杆端关节轴承; 关节轴承 / 鱼眼接头; 球头杆端",
    says=BORE_SAYS[:1],
    bore=BORES,
    wide=uniform(0.7, 1.0, "thick"),
    stud=uniform(2.4, 4.2, "long"),
    threaded=maybe(),
)
def rod_end(q: Look, *, bore: float, wide: float, stud: float, threaded: bool) -> Solid:
    w, r = wide * bore, 1.35 * bore
    inner = ball(0.86 * bore, q.n) ^ rod(bore, 1.15 * w, q.n).translate((0, 0, -0.575 * w))
    eye = rod(r, 0.8 * w, 2 * q.n, bevel=q.edge(bore)).translate((0, 0, -0.4 * w))
    eye = eye - ball(0.92 * bore, q.n)
    neck = rod(0.5 * bore, 0.9 * bore, q.n, top=0.7 * bore)
    tail = shank(q, d=bore, length=stud * bore, style="helical" if threaded else "plain")
    arm = union(tail, neck.translate((0, 0, stud * bore - 0.01)))
    arm = arm.rotate((-90, 0, 0)).translate((0, -stud * bore - 0.9 * bore - 0.75 * bore, 0))
    pin = rod(bore / 2, 4 * w, q.n).translate((0, 0, -2 * w))
    rim = torus(0.89 * bore, 0.05 * bore, q.n)
    return (union(arm - ball(0.92 * bore, q.n), eye, inner, rim) - pin).rotate((90, 0, 0))
