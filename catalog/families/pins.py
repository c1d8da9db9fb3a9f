"""Pins, rivets, keys' smaller kin and retaining rings. Long ones stand on z = 0."""

from functools import partial

import numpy as np

from catalog.families.profiles import annulus, disc, rectangle
from catalog.families.solids import (
    Solid,
    arc,
    ball,
    filleted,
    lathe,
    prism,
    rod,
    sweep,
    tube_straight,
    turned,
    union,
    wire,
)
from catalog.families.types import Look, family, log_uniform, maybe, one_of, phrase, uniform

pin = partial(family, group="fasteners", category="pin")

SIZE_SAY = phrase("{d} mm {name}", "{d}mm{name}", "{d}mm{name}")


@pin(
    en="rivet; solid rivet; round head rivet / mushroom head solid rivet; snap head rivet",
    zh_hant="鉚釘; 實心鉚釘; 圓頭鉚釘 / 半圓頭實心鉚釘; 平頭鉚釘",
    zh_hans="铆钉; 实心铆钉; 圆头铆钉 / 半圆头实心铆钉; 平头铆钉",
    says=(SIZE_SAY,),
    d=one_of(2, 2.5, 3, 4, 5, 6, 8),
    length=log_uniform(1, 5, "long"),
    head=one_of("round", "flat", "csk"),
    hollow=maybe(),
)
def rivet(q: Look, *, d: float, length: float, head: str, hollow: bool) -> Solid:
    long = length * d
    match head:
        case "round":
            top = ball(0.9 * d, q.n).scale((1, 1, 0.75)).trim_by_plane((0, 0, 1), 0)
        case "flat":
            top = rod(d, 0.25 * d, q.n, bevel=q.edge(d))
        case _:
            top = turned([(0.5 * d, -0.4 * d), (0.95 * d, 0), (0.95 * d, 0.06 * d)], q.n)
    made = union(rod(d / 2, long + 0.01, q.n, bevel=q.edge(d)), top.translate((0, 0, long)))
    hole = rod(0.34 * d, 0.5 * long, q.n).translate((0, 0, -0.01))
    return made - hole if hollow else made


@pin(
    en="blind rivet; pop rivet / pull mandrel rivet; rivet with a long stem",
    zh_hant="拉釘; 抽芯鉚釘 / 盲鉚釘; 帶長芯的鉚釘",
    zh_hans="抽芯铆钉; 拉铆钉 / 盲铆钉; 带长芯的铆钉",
    says=(SIZE_SAY,),
    d=one_of(2.4, 3.2, 4, 4.8, 6.4),
    length=uniform(1.6, 5, "long"),
    stem=uniform(4, 9),
)
def blind_rivet(q: Look, *, d: float, length: float, stem: float) -> Solid:
    long = length * d
    body = tube_straight(d / 2, 0.3 * d, long, q.n)
    top = turned([(d, 0), (d, 0.1 * d), (0.4 * d, 0.28 * d)], q.n)
    core = rod(0.29 * d, (stem + length) * d, q.m, bevel=q.edge(d))
    bulb = ball(0.48 * d, q.n)
    return union(body, top.translate((0, 0, long)), core.translate((0, 0, -0.3 * d)), bulb)


@pin(
    en="cotter pin; split pin / bent wire safety pin for castle nuts; R split cotter",
    zh_hant="開口銷; 開尾銷 / 安全插銷; 雙腳彎銷",
    zh_hans="开口销; 开尾销 / 安全插销; 双脚弯销",
    says=(SIZE_SAY,),
    d=one_of(1.6, 2, 2.5, 3.2, 4, 5),
    length=log_uniform(6, 18, "long"),
    spread=uniform(0, 0.25),
)
def cotter_pin(q: Look, *, d: float, length: float, spread: float) -> Solid:
    h, r = length * d, 1.0 * d
    eye = arc(r, -65, 245, q.n)[:, [0, 2, 1]] + (0, 0, h + r)
    right = [(spread * h, 0, 0), (0.27 * d, 0, 0.45 * h), (0.27 * d, 0, h - 0.1 * d)]
    left = [(-spread * h, 0, 0.12 * h), (-0.27 * d, 0, 0.45 * h), (-0.27 * d, 0, h - 0.1 * d)]
    path = np.concatenate([right, eye, left[::-1]])
    a = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    outline = np.c_[0.25 * d * np.cos(a), 0.42 * d * np.sin(a)]
    return sweep(path, outline, up=(0, 1, 0))


@pin(
    en="dowel pin; cylindrical pin; parallel pin / locating pin; solid straight pin",
    zh_hant="定位銷; 圓柱銷; 平行銷 / 銷子; 直銷",
    zh_hans="定位销; 圆柱销; 平行销 / 销子; 直销",
    says=(SIZE_SAY,),
    d=one_of(2, 3, 4, 5, 6, 8, 10, 12),
    length=log_uniform(1.8, 9, "long"),
    taper=one_of(1.0, 1.0, 0.85),
    end=one_of("chamfer", "round"),
)
def dowel_pin(q: Look, *, d: float, length: float, taper: float, end: str) -> Solid:
    h, r = length * d, d / 2
    if end == "round":
        dome = ball(r, q.n).scale((1, 1, 0.4))
        return union(
            rod(taper * r, h, q.n, top=r),
            dome.translate((0, 0, h)),
            dome.scale((taper, taper, 1)),
        )
    return rod(taper * r, h, q.n, top=r, bevel=0.2 * r)


@pin(
    en="roll pin; spring pin; slotted spring pin / split tubular pin; tension pin",
    zh_hant="彈簧銷; 開槽彈性銷; 彈性圓柱銷 / 空心開縫銷; 捲銷",
    zh_hans="弹簧销; 开槽弹性销; 弹性圆柱销 / 空心开缝销; 卷销",
    says=(SIZE_SAY,),
    d=one_of(2, 3, 4, 5, 6, 8, 10),
    length=log_uniform(2.5, 9, "long"),
    wall=uniform(0.12, 0.25, "thick"),
)
def roll_pin(q: Look, *, d: float, length: float, wall: float) -> Solid:
    r, t, h = d / 2, wall * d, length * d
    b = 0.5 * t
    outline = [(r - t, 0), (r - b, 0), (r, 2 * b), (r, h - 2 * b), (r - b, h), (r - t, h)]
    return lathe(outline, q.n, degrees=332)


@pin(
    en="clevis pin; hinge pin with head / cross-drilled headed pin; fork pin",
    zh_hant="帶頭插銷; 叉銷; 平頭銷 / 有孔帶頭銷; 鉸鏈銷",
    zh_hans="带头插销; 叉销; 平头销 / 有孔带头销; 铰链销",
    says=(SIZE_SAY,),
    d=one_of(4, 5, 6, 8, 10, 12, 16),
    length=log_uniform(2, 7, "long"),
    hole=maybe(),
)
def clevis_pin(q: Look, *, d: float, length: float, hole: bool) -> Solid:
    h = length * d
    made = union(
        rod(d / 2, h + 0.01, q.n, bevel=0.1 * d),
        rod(0.78 * d, 0.35 * d, q.n, bevel=q.edge(d)).translate((0, 0, h)),
    )
    cut = Solid.cylinder(2 * d, 0.14 * d, 0.14 * d, q.m, True).rotate((90, 0, 0))
    return made - cut.translate((0, 0, 0.45 * d)) if hole else made


@pin(
    en="hitch pin; R clip; hairpin cotter / spring retaining clip with one straight leg; beta pin",
    zh_hant="R型銷; 髮夾銷; 彈簧插銷 / 貝他銷; 單直腳彈簧夾銷",
    zh_hans="R型销; 发夹销; 弹簧插销 / 贝塔销; 单直脚弹簧夹销",
    says=(SIZE_SAY,),
    d=one_of(1.5, 2, 2.5, 3, 4, 5),
    length=uniform(12, 20, "long"),
    loops=one_of(1, 2),
)
def hitch_pin(q: Look, *, d: float, length: float, loops: int) -> Solid:
    h, r = length * d, 2.0 * d
    coil = np.linspace(0, 2 * np.pi * (loops - 0.5) + 0.0, q.n * loops)
    eye = np.c_[-r * np.cos(coil), 1.05 * d * coil / (2 * np.pi), r * np.sin(coil)]
    path = np.concatenate(
        [
            [(-r, 0, -0.98 * h), (-r, 0, -0.3 * h)],
            eye,
            [
                (r * 0.9, eye[-1, 1], -0.2 * h),
                (-r * 0.1, eye[-1, 1] * 0.6, -0.36 * h),
                (-r * 0.35, eye[-1, 1] * 0.4, -0.45 * h),
                (r * 0.3, 0, -0.58 * h),
                (-r * 0.2, 0, -0.74 * h),
                (r * 0.5, 0, -0.92 * h),
            ],
        ]
    )
    return wire(filleted(path, 1.5 * d, 4), d / 2, q.m)


@pin(
    en="circlip; retaining ring; snap ring / C clip with eyelets; spring circlip",
    zh_hant="扣環; C型扣環; 卡簧 / 卡環; 帶孔擋圈",
    zh_hans="卡簧; C型挡圈; 弹性挡圈 / 卡环; 带孔挡圈",
    says=(SIZE_SAY, phrase("{side} {name}", "{side}{name}", "{side}{name}")),
    d=one_of(8, 10, 12, 16, 20, 25, 30, 40),
    side=one_of("external", "internal"),
    wide=uniform(0.09, 0.15, "wide"),
)
def retaining_ring(q: Look, *, d: float, side: str, wide: float) -> Solid:
    r, w, t = d / 2, wide * d, 0.05 * d
    # Thicker opposite the gap: circles of different centres.
    out = 1 if side == "external" else -1
    body = disc(r + w, 2 * q.n).translate((-0.3 * w, 0)) - disc(r, 2 * q.n)
    if side == "internal":
        body = disc(r, 2 * q.n) - disc(r - w, 2 * q.n).translate((0.3 * w, 0))
    gap = rectangle(3 * w, 0.42 * r).translate((r, 0))
    lugs = disc(0.85 * w, q.n)
    hole = disc(0.38 * w, q.m)
    x = r + out * 0.75 * w
    y = 0.21 * r + 0.85 * w
    a = [(x - 0.1 * w, y), (x - 0.1 * w, -y)]
    flat = body - gap + sum((lugs.translate(p) for p in a[1:]), lugs.translate(a[0]))
    return prism(flat - hole.translate(a[0]) - hole.translate(a[1]), t)


@pin(
    en="E-clip; E ring; E-shaped retaining ring / three-lug snap clip; shaft E circlip",
    zh_hant="E型扣環; E型環; E扣 / E形卡簧; 三爪開口擋圈",
    zh_hans="E型挡圈; E型卡簧; E扣 / E形卡环; 三爪开口挡圈",
    says=(SIZE_SAY,),
    d=one_of(2, 3, 4, 5, 6, 8, 10, 12),
    wide=uniform(2.0, 2.6, "wide"),
    thick=uniform(0.1, 0.18, "thick"),
)
def e_clip(q: Look, *, d: float, wide: float, thick: float) -> Solid:
    outer, r = wide * d / 2, d / 2
    ring = annulus(outer, 0.72 * outer, q.n * 2)
    lug = rectangle(0.62 * outer, 0.5 * d)
    arms = sum(
        (lug.translate((0.62 * outer, 0)).rotate(a) for a in (180, 62)),
        lug.translate((0.62 * outer, 0)).rotate(-62),
    )
    mouth = rectangle(2 * outer, 0.95 * d).translate((outer, 0))
    return prism(ring + arms - mouth - disc(r, q.n), thick * d, bevel=q.edge(0.4 * thick * d))
