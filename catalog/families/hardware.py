"""Hinges, wheels, handles and knobs."""

from functools import partial

import numpy as np

from catalog.families.fasteners import shank
from catalog.families.gears import bored
from catalog.families.profiles import disc, holes, lobes, rectangle
from catalog.families.solids import (
    Solid,
    ball,
    block,
    curve,
    filleted,
    hull,
    lathe,
    polar,
    prism,
    rod,
    sweep,
    tube_straight,
    turned,
    union,
    wire,
)
from catalog.families.types import Look, family, log_uniform, maybe, one_of, phrase, uniform, whole

thing = partial(family, group="structure")
ware = partial(thing, category="hardware")
knob_ = partial(thing, category="knob")


@ware(
    en="hinge; butt hinge; door hinge / folding hinge with two leaves; cabinet hinge",
    zh_hant="鉸鏈; 合頁; 門鉸鏈 / 蝴蝶鉸鏈; 櫃門活頁",
    zh_hans="铰链; 合页; 门铰链 / 蝴蝶铰链; 柜门活页",
    long=log_uniform(20, 140),
    leaf=uniform(0.35, 0.8, "wide"),
    knuckles=one_of(3, 3, 5),
    fold=uniform(0, 150),
    count=whole(2, 4),
    round_=maybe(),
)
def butt_hinge(
    q: Look, *, long: float, leaf: float, knuckles: int, fold: float, count: int, round_: bool
) -> Solid:
    t, w = 0.03 * long + 0.4, leaf * long
    r = 2.1 * t
    flat = rectangle(w, long, r=0.12 * long if round_ else 0).translate((w / 2, 0))
    flat = flat + rectangle(0.5 * w, long).translate((0.25 * w, 0))
    at = [(0.62 * w + 0.14 * w * (-1) ** i, ((i + 0.5) / count - 0.5) * 0.9 * long)
          for i in range(count)]  # fmt: skip
    plate = prism(holes(flat, at, 0.05 * long, q.m), t).translate((0, 0, r - t))
    pitch = long / knuckles
    barrel = rod(r, 0.96 * pitch, q.n, bevel=q.edge(r)).rotate((-90, 0, 0))
    room = rod(1.12 * r, 1.04 * pitch, q.n).rotate((-90, 0, 0))
    leaves = []
    for side in (0, 1):
        mine = [i for i in range(knuckles) if i % 2 == side]
        other = [i for i in range(knuckles) if i % 2 != side]
        body = plate - union([room.translate((0, (i - 0.02) * pitch - long / 2, 0)) for i in other])
        body = union(body, [barrel.translate((0, (i + 0.02) * pitch - long / 2, 0)) for i in mine])
        leaves.append(body)
    pin = rod(0.5 * r, 1.06 * long, q.m).rotate((-90, 0, 0)).translate((0, -0.53 * long, 0))
    return union(leaves[0], leaves[1].mirror((1, 0, 0)).rotate((0, fold, 0)), pin)


@ware(
    en="caster wheel; swivel caster; trolley wheel / furniture castor; rolling wheel with a fork",
    zh_hant="腳輪; 萬向輪; 活動輪 / 推車輪子; 家具滾輪",
    zh_hans="脚轮; 万向轮; 活动轮 / 推车轮子; 家具滚轮",
    d=log_uniform(20, 120),
    wide=uniform(0.22, 0.5, "wide"),
    plate=one_of("plate", "stem"),
    trail=uniform(0.0, 0.4),
)
def caster_wheel(q: Look, *, d: float, wide: float, plate: str, trail: float) -> Solid:
    r, w, t = d / 2, wide * d, 0.05 * d
    tyre = turned(filleted([(0.01, 0), (r, 0), (r, w), (0.01, w)], 0.3 * w, 5), 2 * q.n)
    dish = tube_straight(0.72 * r, 0.22 * r, 0.2 * w, q.n)
    wheel = tyre - dish.translate((0, 0, -0.01)) - dish.translate((0, 0, 0.81 * w))
    wheel = wheel.rotate((90, 0, 0)).translate((0, w / 2, 0))
    top = 1.15 * r
    x = trail * d
    cheek = hull(
        rod(0.22 * r, t, q.n).rotate((90, 0, 0)),
        block(0.9 * r, t, 0.1 * r).translate((x, -t / 2, top)),
    )
    fork = [cheek.translate((0, s * (w / 2 + t) + (t if s < 0 else 0), 0)) for s in (-1, 1)]
    crown = block(1.1 * r, w + 2.2 * t, t, round_=0.1 * d).translate((x, 0, top))
    axle = Solid.cylinder(w + 4 * t, 0.1 * r, 0.1 * r, q.m, True).rotate((90, 0, 0))
    swivel = rod(0.5 * r, 0.16 * d, q.n, bevel=q.edge(r)).translate((x, 0, top))
    if plate == "plate":
        flat = rectangle(1.05 * d, 0.8 * d, r=0.06 * d)
        at = [(a * 0.42 * d, b * 0.3 * d) for a in (-1, 1) for b in (-1, 1)]
        head = prism(holes(flat, at, 0.05 * d, q.m), t).translate((x, 0, top + 0.15 * d))
    else:
        head = shank(q, d=0.2 * d, length=0.6 * d, style="rings").translate((x, 0, top + 0.1 * d))
    return union(wheel, *fork, crown, axle, swivel, head)


@ware(
    en="wheel; tyre wheel; rubber wheel / toy car wheel; spoked rim with tire",
    zh_hant="輪子; 車輪; 輪胎 / 玩具車輪; 有輻條的輪圈",
    zh_hans="轮子; 车轮; 轮胎 / 玩具车轮; 带辐条的轮圈",
    d=log_uniform(15, 150),
    wide=uniform(0.18, 0.5, "wide"),
    spokes=whole(4, 9),
    tread=maybe(),
    rim=uniform(0.6, 0.8),
)
def car_wheel(q: Look, *, d: float, wide: float, spokes: int, tread: bool, rim: float) -> Solid:
    r, w = d / 2, wide * d
    side = [
        (rim * r, 0.1 * w),
        (0.9 * r, 0),
        (r, 0.14 * w),
        (r, 0.86 * w),
        (0.9 * r, w),
        (rim * r, 0.9 * w),
    ]
    tyre = lathe(side, 2 * q.n)
    if tread and q.details:
        lug = block(0.08 * r, 0.07 * r, 0.42 * w)
        low = polar(lug.rotate((28, 0, 0)).translate((r, 0, 0.08 * w)), 24)
        high = polar(lug.rotate((-28, 0, 0)).translate((r, 0, 0.52 * w)), 24)
        tyre = union(tyre, low, high)
    band = tube_straight(rim * r + 0.01, 0.88 * rim * r, 0.8 * w, 2 * q.n).translate(
        (0, 0, 0.1 * w)
    )
    arm = block(0.92 * rim * r, 0.16 * rim * r, 0.2 * w).translate((0.46 * rim * r, 0, 0.55 * w))
    hub = rod(0.26 * rim * r, 0.5 * w, q.n, bevel=q.edge(0.2 * r)).translate((0, 0, 0.35 * w))
    made = union(tyre, band, hub, polar(arm, spokes))
    return made - rod(0.08 * r, 3 * w, q.m).translate((0, 0, -w))


@knob_(
    en="drawer handle; pull handle; bar handle / cabinet pull; U-shaped grab handle",
    zh_hant="把手; 抽屜把手; 拉手 / 櫃門拉手; U形提把",
    zh_hans="把手; 抽屉把手; 拉手 / 柜门拉手; U形提手",
    long=log_uniform(50, 260, "long"),
    rise=uniform(0.14, 0.3, "tall"),
    kind=one_of("bow", "bar", "square", "flat"),
    thick=uniform(0.05, 0.1, "thick"),
    feet=maybe(),
)
def pull_handle(q: Look, *, long: float, rise: float, kind: str, thick: float, feet: bool) -> Solid:
    h, r, x = rise * long, thick * long / 2, long / 2
    match kind:
        case "bow":
            path = curve([(-x, 0, 0), (-0.7 * x, 0, 0.75 * h), (0, 0, h), (0.7 * x, 0, 0.75 * h),
                          (x, 0, 0)], 40)  # fmt: skip
            made = wire(path, r, q.m)
        case "bar":
            bar = rod(r, 1.25 * long, q.n, bevel=q.edge(3 * r)).rotate((0, 90, 0))
            post = rod(0.8 * r, h, q.n)
            made = union(
                bar.translate((-0.625 * long, 0, h)),
                [post.translate((s * 0.8 * x, 0, 0)) for s in (-1, 1)],
            )
            x *= 0.8
        case _:
            line = filleted([(-x, 0, 0), (-x, 0, h), (x, 0, h), (x, 0, 0)], 0.4 * h, 6)
            w = r if kind == "square" else 0.5 * r
            half = [(-w, -1.6 * r), (w, -1.6 * r), (w, 1.6 * r), (-w, 1.6 * r)]
            made = sweep(line, half, up=(0, 1, 0))
    if feet:
        foot = rod(2.2 * r, 0.8 * r, q.n, bevel=q.edge(2 * r))
        made = union(made, [foot.translate((s * x, 0, 0)) for s in (-1, 1)])
    return made.trim_by_plane((0, 0, 1), 0)


@knob_(
    en="knob; control knob; drawer knob / round pull knob; cabinet button",
    zh_hant="旋鈕; 圓頭把手; 抽屜圓鈕 / 圓形拉鈕; 櫃子小把手",
    zh_hans="旋钮; 圆头把手; 抽屉圆钮 / 圆形拉钮; 柜子小把手",
    size=log_uniform(12, 60),
    tall=uniform(0.6, 1.2, "tall"),
    kind=one_of("mushroom", "ball", "dial", "cone", "faceted"),
    pointer=maybe(),
)
def control_knob(q: Look, *, size: float, tall: float, kind: str, pointer: bool) -> Solid:
    r, h = size / 2, tall * size
    match kind:
        case "mushroom":
            line = [(0.45 * r, 0), (0.4 * r, 0.3 * h), (0.55 * r, 0.5 * h), (r, 0.72 * h),
                    (0.75 * r, 0.95 * h), (0.05 * r, h)]  # fmt: skip
            made = turned(curve(line, 32), 2 * q.n)
        case "ball":
            neck = rod(0.4 * r, 0.5 * h, q.n)
            made = union(
                neck, ball(r, 2 * q.n).translate((0, 0, 0.3 * h + r)), rod(0.6 * r, 0.1 * h, q.n)
            )
        case "dial":
            grip = prism(lobes(24, r, 0.93 * r, 192), 0.6 * h, bevel=q.edge(0.5 * h))
            made = union(grip, rod(1.15 * r, 0.14 * h, 2 * q.n, bevel=q.edge(0.2 * h)))
            made = made - rod(0.18 * r, 0.4 * h, q.m).translate((0, 0, -0.01))
        case "cone":
            made = rod(r, 0.8 * h, 2 * q.n, top=0.75 * r, bevel=q.edge(r))
        case _:
            made = prism(disc(r, 8), 0.7 * h, taper=0.75)
            made = union(made, rod(0.5 * r, 0.2 * h, q.n).translate((0, 0, -0.19 * h)))
    if pointer and kind in ("dial", "cone"):
        top = 0.6 * h if kind == "dial" else 0.8 * h
        mark = block(0.75 * r, 0.1 * r, 0.08 * h).translate((0.42 * r, 0, top - 0.03 * h))
        made = union(made, mark)
    return made


@knob_(
    en="star knob; lobed hand knob; star grip screw / five-lobe clamping knob; hand wheel knob",
    zh_hant="星形旋鈕; 梅花把手; 星形手輪 / 五角膠頭手柄; 梅花頭旋鈕",
    zh_hans="星形旋钮; 梅花把手; 星形手轮 / 五角胶头手柄; 梅花头旋钮",
    says=(phrase("{name} with {count} lobes", "{count}瓣{name}", "{count}瓣{name}"),),
    size=log_uniform(18, 80),
    count=whole(3, 8),
    deep=uniform(0.12, 0.3),
    stud=one_of("none", "short", "long"),
    tall=uniform(0.3, 0.5, "thick"),
)
def star_knob(q: Look, *, size: float, count: int, deep: float, stud: str, tall: float) -> Solid:
    r, h = size / 2, tall * size
    made = prism(lobes(count, r, r * (1 - deep), 16 * count), h, bevel=q.edge(2 * h))
    made = union(made, rod(0.36 * r, 0.5 * h, q.n).translate((0, 0, -0.49 * h)))
    d = 0.32 * r
    if stud == "none":
        return made - rod(d / 2, 0.8 * h, q.m).translate((0, 0, -0.5 * h))
    long = 0.7 * size if stud == "short" else 1.5 * size
    tail = shank(q, d=d, length=long, style="rings")
    return union(made, tail.translate((0, 0, -0.4 * h - long)))


@knob_(
    en="lever handle; clamping lever; door lever / adjustable tension lever; crank arm handle",
    zh_hant="手柄; 夾緊手柄; 門把手 / 可調式緊固把手; 搖臂把手",
    zh_hans="手柄; 夹紧手柄; 门把手 / 可调式紧固把手; 摇臂把手",
    long=log_uniform(35, 160, "long"),
    rise=uniform(0.1, 0.4),
    kind=one_of("lever", "crank", "door"),
    ball_end=maybe(),
)
def lever_handle(q: Look, *, long: float, rise: float, kind: str, ball_end: bool) -> Solid:
    r = 0.075 * long
    z = rise * long
    if kind == "crank":
        arm = hull(rod(1.6 * r, 1.6 * r, q.n), rod(1.1 * r, 1.2 * r, q.n).translate((long, 0, 0)))
        grip = turned(
            curve(
                [(0.9 * r, 0), (1.1 * r, 0.2 * long), (0.8 * r, 0.45 * long), (0.1, 0.5 * long)], 20
            ),
            q.n,
        )
        return bored(q, union(arm, grip.translate((long, 0, r))), bore=0.7 * r, h=long, key=True)
    path = curve([(0, 0, 0.4 * z), (0.35 * long, 0, 0.6 * z), (long, 0, z + 0.3 * r)], 24)
    swell = np.linspace(0.8, 1.15, 24)
    parts = [wire(path, r, q.m, scale=swell), rod(1.7 * r, 0.4 * z + r, q.n, bevel=q.edge(2 * r))]
    parts.append(ball((1.7 if ball_end else 1.15) * r, q.n).translate(tuple(map(float, path[-1]))))
    if kind == "door":
        parts.append(rod(3.2 * r, 0.8 * r, 2 * q.n, bevel=0.2 * r).translate((0, 0, -0.7 * r)))
    else:
        stem = shank(q, d=1.4 * r, length=3.4 * r, style="rings")
        parts.append(stem.translate((0, 0, -3.3 * r)))
    return union(parts)
