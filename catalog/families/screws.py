"""Screws, by head and drive. They stand on z = 0, head up."""

from functools import partial

import numpy as np

from catalog.families.fasteners import (
    LENGTH,
    SIZE_SAYS,
    SIZES,
    THREADS,
    hex_head,
    shank,
    shank_length,
)
from catalog.families.profiles import disc, lobes, ngon, plus, rectangle, stadium
from catalog.families.solids import Section, Solid, filleted, prism, rod, thread, turned, union
from catalog.families.types import Look, family, log_uniform, maybe, one_of, phrase, uniform

screw = partial(family, group="fasteners", category="screw")
DRIVE_SAY = phrase("{drive} {name}", "{drive}{name}", "{drive}{name}")


def recess(drive: str, size: float, n: int) -> Section:
    """The section of a driver's recess; `size` is the room in the head (its diameter)."""
    match drive:
        case "slot":
            return rectangle(1.6 * size, 0.2 * size)
        case "phillips":
            return plus(0.62 * size, 0.62 * size, 0.17 * size)
        case "torx":
            return lobes(6, 0.31 * size, 0.22 * size, n)
        case "square":
            return rectangle(0.42 * size, 0.42 * size)
        case _:
            return ngon(6, 0.52 * size)


def driven(head: Solid, *, drive: str, size: float, top: float, depth: float, n: int) -> Solid:
    """A head less its recess, which sinks `depth` from z = `top`. A cross tapers to its foot."""
    hole = recess(drive, size, n)
    taper = 0.45 if drive == "phillips" else 1.0
    cut = prism(hole, depth + 0.1 * size, taper=taper).rotate((180, 0, 0))
    return head - cut.translate((0, 0, top + 0.1 * size))


def driven_screw(
    q: Look, head: Solid, *, d: float, long: float, style: str, plain: float = 0.0
) -> Solid:
    """A head (its foot on z = 0) on a shank `long`."""
    return union(
        shank(q, d=d, length=long + 0.05 * d, style=style, plain=plain),
        head.translate((0, 0, long)),
    )


@screw(
    en="socket head cap screw; cap screw; Allen bolt / cylinder head screw with hex socket;"
    " SHCS allen key screw",
    zh_hant="內六角圓柱頭螺絲; 內六角螺栓; 杯頭螺絲 / 內六角圓頭螺栓; 六角孔圓柱頭螺絲",
    zh_hans="内六角圆柱头螺钉; 内六角螺栓; 杯头螺丝 / 内六角圆头螺栓; 六角孔圆柱头螺丝",
    says=SIZE_SAYS,
    d=SIZES,
    length=LENGTH,
    style=THREADS,
    plain=one_of(0.0, 0.0, 0.4),
    knurled=maybe(),
)
def socket_cap_screw(
    q: Look, *, d: float, length: float, style: str, plain: float, knurled: bool
) -> Solid:
    head = rod(0.75 * d, d, q.n, bevel=q.edge(d))
    if knurled and q.details:
        head = prism(lobes(36, 0.76 * d, 0.72 * d, 144), d, bevel=q.edge(0.4 * d))
    head = driven(head, drive="hex", size=1.55 * d, top=d, depth=0.55 * d, n=q.n)
    return driven_screw(q, head, d=d, long=shank_length(d, length), style=style, plain=plain)


DRIVES = one_of("hex", "torx", "phillips", "slot", "square")


@screw(
    en="button head screw; dome head screw; button head cap screw"
    " / low rounded head screw; mushroom head machine screw",
    zh_hant="半圓頭螺絲; 圓頭螺絲; 鈕扣頭螺絲 / 圓杯頭螺絲; 蘑菇形頭機械螺絲",
    zh_hans="半圆头螺钉; 圆头螺丝; 纽扣头螺钉 / 圆杯头螺丝; 蘑菇形头机械螺钉",
    says=(*SIZE_SAYS, DRIVE_SAY),
    d=SIZES,
    length=LENGTH,
    style=THREADS,
    drive=DRIVES,
)
def button_head_screw(q: Look, *, d: float, length: float, style: str, drive: str) -> Solid:
    h, r = 0.55 * d, 0.95 * d
    a = np.radians(np.linspace(0, 62, 8))
    dome = turned(np.c_[r * np.cos(a), h * np.sin(a) / np.sin(a[-1])], q.n)
    head = driven(dome, drive=drive, size=1.25 * d, top=h, depth=0.35 * d, n=q.n)
    return driven_screw(q, head, d=d, long=shank_length(d, length), style=style)


@screw(
    en="countersunk screw; flat head screw; csk machine screw"
    " / screw with a conical head; bevelled flush head screw",
    zh_hant="沉頭螺絲; 平頭螺絲; 皿頭螺絲 / 錐形頭螺絲; 埋頭機械螺絲",
    zh_hans="沉头螺钉; 平头螺丝; 沉头螺丝 / 锥形头螺丝; 埋头机械螺钉",
    says=(*SIZE_SAYS, DRIVE_SAY),
    d=SIZES,
    length=LENGTH,
    style=THREADS,
    drive=DRIVES,
)
def countersunk_screw(q: Look, *, d: float, length: float, style: str, drive: str) -> Solid:
    long = shank_length(d, max(length, 2))
    h = 0.5 * d
    cone = turned([(0.5 * d, 0), (0.98 * d, 0.45 * d), (0.98 * d, h)], q.n)
    head = driven(cone, drive=drive, size=1.3 * d, top=h, depth=0.32 * d, n=q.n)
    return driven_screw(q, head, d=d, long=long, style=style)


@screw(
    en="pan head screw; machine screw; pan head machine screw"
    " / small flat-topped round head screw; cheese head screw",
    zh_hant="盤頭螺絲; 機械螺絲; 圓盤頭螺絲 / 平圓頭機螺絲; 圓柱平頭小螺絲",
    zh_hans="盘头螺钉; 机械螺丝; 圆盘头螺丝 / 平圆头机螺钉; 圆柱平头小螺丝",
    says=(*SIZE_SAYS, DRIVE_SAY),
    d=SIZES,
    length=LENGTH,
    style=THREADS,
    drive=one_of("phillips", "slot", "torx", "square"),
    height=uniform(0.5, 0.75, "tall"),
)
def pan_head_screw(
    q: Look, *, d: float, length: float, style: str, drive: str, height: float
) -> Solid:
    h, r = height * d, d
    side = filleted([(r, 0), (r, h), (0.1 * d, h)], 0.28 * d, 6)
    head = driven(turned(side, q.n), drive=drive, size=1.35 * d, top=h, depth=0.36 * d, n=q.n)
    return driven_screw(q, head, d=d, long=shank_length(d, length), style=style)


@screw(
    en="set screw; grub screw; headless socket screw / threaded pin with hex socket; locking grub",
    zh_hant="止付螺絲; 無頭螺絲; 緊定螺絲 / 內六角無頭止付; 定位無頭螺絲",
    zh_hans="紧定螺钉; 无头螺丝; 止付螺丝 / 内六角无头顶丝; 机米螺丝",
    says=(phrase("M{d} {name}", "M{d}{name}", "M{d}{name}"),),
    d=SIZES,
    length=log_uniform(0.9, 3, "long"),
    style=one_of("helical", "rings"),
    point=one_of("flat", "cone", "dog"),
    drive=one_of("hex", "slot", "torx"),
)
def set_screw(q: Look, *, d: float, length: float, style: str, point: str, drive: str) -> Solid:
    long = max(0.8 * d, shank_length(d, length))
    made = shank(q, d=d, length=long, style=style)
    if point == "cone":
        made = made ^ turned([(0.05 * d, 0), (0.55 * d, 0.45 * d), (d, long)], q.n)
    elif point == "dog":
        made = union(made, rod(0.34 * d, 0.4 * d, q.n).translate((0, 0, -0.35 * d)))
    return driven(made, drive=drive, size=0.95 * d, top=long, depth=0.4 * d, n=q.n)


@screw(
    en="wood screw; tapping screw; self-tapping screw / pointed screw for wood; chipboard screw",
    zh_hant="木螺絲; 自攻螺絲; 自攻牙螺絲 / 尖尾木工螺絲; 塑板螺絲",
    zh_hans="木螺钉; 自攻螺丝; 自攻螺钉 / 尖尾木工螺丝; 纤维板钉",
    says=(DRIVE_SAY, phrase("{name} with a sharp point", "尖頭的{name}", "尖头的{name}")),
    d=one_of(2, 2.5, 3, 4, 5, 6, 8),
    length=log_uniform(3, 11, "long"),
    head=one_of("csk", "pan", "hex"),
    drive=one_of("phillips", "slot", "torx", "square"),
    plain=one_of(0.0, 0.2, 0.35),
)
def wood_screw(q: Look, *, d: float, length: float, head: str, drive: str, plain: float) -> Solid:
    long = shank_length(d, length)
    core = turned([(0.04 * d, 0), (0.34 * d, 1.6 * d), (0.34 * d, long)], 2 * q.m)
    coils = thread(d, 0.42 * d, long * (1 - plain), 24)
    coils = coils ^ turned([(0.06 * d, 0), (0.52 * d, 1.7 * d), (0.52 * d, long)], 2 * q.m)
    sleeve = rod(0.36 * d, long * plain + 0.2 * d, 2 * q.m)
    body = [core, coils, sleeve.translate((0, 0, long * (1 - plain) - 0.2 * d))]
    match head:
        case "csk":
            h = 0.5 * d
            top = turned([(0.36 * d, 0), (0.95 * d, 0.42 * d), (0.95 * d, h)], q.n)
        case "pan":
            h = 0.6 * d
            top = turned(filleted([(0.95 * d, 0), (0.95 * d, h), (0.1, h)], 0.3 * d, 6), q.n)
        case _:
            h = 0.65 * d
            top = union(hex_head(q, 1.5 * d, h), rod(1.05 * d, 0.15 * d, q.n))
            return union(*body, top.translate((0, 0, long)))
    top = driven(top, drive=drive, size=1.3 * d, top=h, depth=0.3 * d, n=q.n)
    return union(*body, top.translate((0, 0, long)))


@screw(
    en="thumb screw; knurled thumb screw; hand screw / screw turned by fingers; wing screw",
    zh_hant="手轉螺絲; 滾花手擰螺絲; 蝶形螺絲 / 用手轉的螺絲; 拇指螺絲",
    zh_hans="手拧螺丝; 滚花手拧螺钉; 蝶形螺丝 / 用手拧的螺丝; 拇指螺丝",
    says=SIZE_SAYS,
    d=one_of(3, 4, 5, 6, 8, 10),
    length=log_uniform(1.5, 6, "long"),
    style=THREADS,
    head=one_of("knurled", "paddle", "stepped"),
    wide=uniform(2.2, 3.4, "wide"),
)
def thumb_screw(q: Look, *, d: float, length: float, style: str, head: str, wide: float) -> Solid:
    r = wide * d / 2
    if head == "paddle":
        paddle = prism(
            stadium(2.2 * r, 1.5 * r, q.n) + disc(0.8 * r, q.n), 0.5 * d, bevel=q.edge(d)
        )
        top = union(
            paddle.rotate((90, 0, 0)).translate((0, 0.25 * d, 1.0 * r)), rod(0.7 * d, 0.7 * r, q.n)
        )
    else:
        rim = prism(lobes(28, r, 0.94 * r, 112), 0.8 * d, bevel=q.edge(0.6 * d))
        step = rod(0.65 * r, 0.6 * d, q.n) if head == "stepped" else None
        top = rim if step is None else union(step, rim.translate((0, 0, 0.5 * d)))
    return driven_screw(q, top, d=d, long=shank_length(d, length), style=style)


@screw(
    en="shoulder screw; shoulder bolt; stripper bolt / stepped bolt; socket screw with a smooth"
    " shoulder",
    zh_hant="軸肩螺絲; 塞打螺絲; 肩型螺栓 / 台階螺絲; 光軸肩內六角螺絲",
    zh_hans="轴肩螺钉; 塞打螺丝; 肩型螺栓 / 台阶螺丝; 光轴肩内六角螺钉",
    says=(phrase("M{d} {name}", "M{d}{name}", "M{d}{name}"),),
    d=one_of(3, 4, 5, 6, 8, 10, 12),
    shoulder=log_uniform(1, 7, "long"),
    style=THREADS,
)
def shoulder_screw(q: Look, *, d: float, shoulder: float, style: str) -> Solid:
    h, low = 0.9 * d, 1.6 * d
    head = driven(
        rod(d, h, q.n, bevel=q.edge(d)), drive="hex", size=1.6 * d, top=h, depth=0.5 * d, n=q.n
    )
    long = shoulder * d
    return union(
        shank(q, d=d, length=low + 0.05, style=style),
        rod(0.65 * d, long + 0.05, q.n, bevel=q.edge(0.4 * d)).translate((0, 0, low)),
        head.translate((0, 0, low + long)),
    )
