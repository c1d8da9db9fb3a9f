"""Bolts. They stand on z = 0, head up, with the head's top the highest point."""

from functools import partial

import numpy as np

from catalog.families.profiles import ngon
from catalog.families.solids import (
    Solid,
    arc,
    ball,
    block,
    filleted,
    polygon,
    prism,
    rod,
    thread,
    torus,
    turned,
    union,
    wire,
)
from catalog.families.types import (
    Look,
    Parameters,
    Say,
    family,
    log_uniform,
    maybe,
    one_of,
    phrase,
    uniform,
)
from catalog.families.words import Names

bolt = partial(family, group="fasteners", category="bolt")

# ISO 261 coarse pitches.
PITCH = {
    2: 0.4, 2.5: 0.45, 3: 0.5, 4: 0.7, 5: 0.8, 6: 1.0, 8: 1.25, 10: 1.5, 12: 1.75, 16: 2.0,
    20: 2.5, 24: 3.0, 30: 3.5,
}  # fmt: skip
SIZES = one_of(3, 4, 5, 6, 8, 10, 12, 16, 20)
THREADS = one_of("helical", "helical", "rings", "plain")
LENGTH = log_uniform(1.5, 9, "long")


def metric(parameters: Parameters) -> Names:
    """ "M8 x 40 hex bolt": the length is given in diameters."""
    d, length = float(parameters["d"]), float(parameters["length"])
    size = f"M{d:g} x {shank_length(d, length):g} {{name}}"
    return Names(size, size, size)


SIZE_SAYS: tuple[Say, ...] = (
    metric,
    phrase("M{d} {name}", "M{d}{name}", "M{d}{name}"),
    phrase("threaded {name}", "有螺紋的{name}", "有螺纹的{name}"),
)


def shank_length(d: float, ratio: float) -> float:
    """The length in mm as it is sold: whole steps of 1, 2 or 5 mm."""
    step = 1 if d < 5 else 2 if d < 10 else 5
    return max(step, round(d * ratio / step) * step)


def shank(
    q: Look, *, d: float, length: float, style: str, plain: float = 0.0, pointed: bool = True
) -> Solid:
    """A threaded shank on z from 0 to `length`; its upper share `plain` bears no thread.

    "helical": a real thread; "rings": grooves, the usual cosmetic thread; "plain": none.
    """
    pitch = PITCH.get(d, 0.15 * d)
    cut = length * (1 - plain)
    b = 0.6 * pitch if pointed else 0.0
    if style == "plain":
        return rod(d / 2, length, q.m * 2, bevel=b)
    if style == "rings":
        # Grooves are drawn coarser than the true pitch, as cosmetic threads are.
        k = max(3, int(cut / (1.6 * pitch)))
        z = np.linspace(0, cut, 2 * k + 1)
        r = np.where(np.arange(2 * k + 1) % 2, d / 2, d / 2 - 0.6 * pitch)
        made = turned(np.c_[r, z], 2 * q.m)
    else:
        made = thread(d, pitch, cut, max(16, q.m * 3 // 2))
    if plain > 0:
        made = union(made, rod(d / 2, length - cut + 0.1, 2 * q.m).translate((0, 0, cut - 0.1)))
    if b > 0:
        made = made ^ turned([(d / 2 - b, 0), (d, d / 2 + b), (d, length + 1)], 2 * q.m)
    return made


def hex_head(q: Look, across: float, h: float, *, lens: bool = True) -> Solid:
    """A hexagonal head on z = 0, its top corners turned off at 30 degrees."""
    made = prism(ngon(6, across, turn=30), h)
    if not lens or not q.bevel:
        return made
    r = across / 2
    return made ^ turned([(2 * r, 0), (2 * r, h - 0.62 * r), (0.94 * r, h)], q.n)


@bolt(
    en="hex bolt; hexagon head bolt; hex head machine bolt / hex cap bolt; six-sided head bolt",
    zh_hant="六角螺栓; 六角頭螺栓; 外六角螺栓 / 六角頭螺絲; 六邊形頭螺栓",
    zh_hans="六角螺栓; 六角头螺栓; 外六角螺栓 / 六角头螺丝; 六边形头螺栓",
    says=SIZE_SAYS,
    d=SIZES,
    length=LENGTH,
    style=THREADS,
    plain=one_of(0.0, 0.0, 0.35, 0.55),
    washer=maybe(),
)
def hex_bolt(q: Look, *, d: float, length: float, style: str, plain: float, washer: bool) -> Solid:
    long = shank_length(d, length)
    head = hex_head(q, 1.6 * d, 0.66 * d)
    if washer:
        face = rod(0.78 * d, 0.06 * d, q.n)
        head = union(face, head.translate((0, 0, 0.05 * d)))
    return union(
        shank(q, d=d, length=long + 0.1, style=style, plain=plain), head.translate((0, 0, long))
    )


@bolt(
    en="flange bolt; hex flange bolt; flanged hex head bolt / bolt with a built-in washer;"
    " serrated flange screw",
    zh_hant="法蘭螺栓; 六角法蘭面螺栓; 帶墊螺栓 / 附墊圈頭螺栓; 凸緣六角螺栓",
    zh_hans="法兰螺栓; 六角法兰面螺栓; 带垫螺栓 / 自带垫圈螺栓; 凸缘六角螺栓",
    says=SIZE_SAYS,
    d=SIZES,
    length=LENGTH,
    style=THREADS,
    flange=uniform(2.0, 2.5, "wide"),
)
def flange_bolt(q: Look, *, d: float, length: float, style: str, flange: float) -> Solid:
    long = shank_length(d, length)
    r = flange * d / 2
    skirt = turned([(r, 0), (r, 0.12 * d), (0.75 * d, 0.36 * d)], q.n)
    head = union(skirt, hex_head(q, 1.5 * d, 0.95 * d))
    return union(shank(q, d=d, length=long + 0.1, style=style), head.translate((0, 0, long)))


@bolt(
    en="carriage bolt; coach bolt; round head square neck bolt"
    " / cup head bolt; domed head bolt with a square neck",
    zh_hant="馬車螺栓; 方頸螺栓; 圓頭方頸螺栓 / 蘑菇頭螺栓; 半圓頭帶方頸螺栓",
    zh_hans="马车螺栓; 方颈螺栓; 圆头方颈螺栓 / 蘑菇头螺栓; 半圆头带方颈螺栓",
    says=SIZE_SAYS,
    d=SIZES,
    length=LENGTH,
    style=THREADS,
    plain=one_of(0.0, 0.3, 0.5),
)
def carriage_bolt(q: Look, *, d: float, length: float, style: str, plain: float) -> Solid:
    long = shank_length(d, max(length, 2.5))
    neck = block(d, d, 0.55 * d)
    dome = ball(1.25 * d, q.n).scale((1, 1, 0.45)).trim_by_plane((0, 0, 1), 0.1 * d)
    head = union(neck.translate((0, 0, -0.5 * d)), dome.translate((0, 0, -0.1 * d)))
    return union(shank(q, d=d, length=long, style=style, plain=plain), head.translate((0, 0, long)))


@bolt(
    en="eye bolt; lifting eye bolt; ring bolt / bolt with a loop; hoist eye screw",
    zh_hant="吊環螺栓; 吊環螺絲; 環首螺栓 / 帶圓環的螺栓; 起重吊環",
    zh_hans="吊环螺栓; 吊环螺丝; 环首螺栓 / 带圆环的螺栓; 起重吊环",
    says=SIZE_SAYS,
    d=SIZES,
    length=log_uniform(1.2, 6, "long"),
    style=THREADS,
    eye=uniform(1.0, 1.8, "large"),
    collar=maybe(),
)
def eye_bolt(q: Look, *, d: float, length: float, style: str, eye: float, collar: bool) -> Solid:
    long = shank_length(d, length)
    loop = torus(eye * d, 0.42 * d, q.n, m=q.m).rotate((90, 0, 0))
    rise = eye * d + (0.75 * d if collar else 0.35 * d)
    parts = [
        shank(q, d=d, length=long, style=style),
        loop.translate((0, 0, long + rise)),
        rod(0.5 * d, 0.5 * d, q.n, top=0.4 * d).translate((0, 0, long - 0.02)),
    ]
    if collar:
        foot = turned([(d, 0), (d, 0.25 * d), (0.55 * d, 0.6 * d)], q.n)
        parts.append(foot.translate((0, 0, long - 0.02)))
    return union(parts)


@bolt(
    en="U-bolt; u shaped bolt; pipe U-bolt / saddle bolt; bent bolt with two threaded legs",
    zh_hant="U型螺栓; U形螺栓; 管用U型螺栓 / 騎馬螺栓; 兩腳帶螺紋的彎螺栓",
    zh_hans="U型螺栓; U形螺栓; 管用U型螺栓 / 骑马螺栓; 两脚带螺纹的弯螺栓",
    says=(phrase("M{d} {name}", "M{d}{name}", "M{d}{name}"),),
    d=one_of(4, 5, 6, 8, 10, 12),
    wide=uniform(3, 8, "wide"),
    leg=uniform(2, 6, "long"),
    style=THREADS,
    bend=one_of("round", "square"),
    plate=maybe(),
)
def u_bolt(
    q: Look, *, d: float, wide: float, leg: float, style: str, bend: str, plate: bool
) -> Solid:
    r, h = wide * d / 2, leg * d + 2 * d
    if bend == "round":
        path = np.r_[[(r, 0, 1.9 * d), (r, 0, h)], arc(r, 0, 180, q.n)[1:-1, [0, 2, 1]] + (0, 0, h)]
        path = np.r_[path, [(-r, 0, h), (-r, 0, 1.9 * d)]]
    else:
        corners = [(r, 0, 1.9 * d), (r, 0, h + r), (-r, 0, h + r), (-r, 0, 1.9 * d)]
        path = filleted(corners, 1.2 * d, q.m)
    end = shank(q, d=d, length=2 * d, style=style)
    parts = [wire(path, 0.47 * d, 2 * q.m), *(end.translate((x, 0, 0)) for x in (-r, r))]
    if plate:
        parts.append(
            block(2 * r + 3.2 * d, 1.8 * d, 0.45 * d, bevel=q.edge(d)).translate((0, 0, 1.2 * d))
        )
    return union(parts)


@bolt(
    en="threaded rod; stud bolt; all thread / fully threaded bar; headless threaded stud",
    zh_hant="螺桿; 全牙螺桿; 雙頭螺柱 / 牙條; 無頭螺紋桿",
    zh_hans="螺杆; 全牙螺杆; 双头螺柱 / 牙条; 无头螺纹杆",
    says=SIZE_SAYS,
    d=SIZES,
    length=log_uniform(4, 14, "long"),
    style=one_of("helical", "rings"),
    gap=one_of(0.0, 0.0, 0.3),
)
def threaded_rod(q: Look, *, d: float, length: float, style: str, gap: float) -> Solid:
    long = shank_length(d, length)
    if not gap:
        return shank(q, d=d, length=long, style=style)
    half = shank(q, d=d, length=long / 2, style=style, plain=gap)
    return union(half, half.mirror((0, 0, 1)).translate((0, 0, long - 0.01)))


@bolt(
    en="T-bolt; T-slot bolt; hammer head bolt / T shaped head bolt; bolt for aluminium profile",
    zh_hant="T型螺栓; T型槽螺栓; 錘頭螺栓 / T字頭螺栓; 鋁擠型用螺栓",
    zh_hans="T型螺栓; T型槽螺栓; 锤头螺栓 / T字头螺栓; 铝型材用螺栓",
    says=SIZE_SAYS,
    d=SIZES,
    length=LENGTH,
    style=THREADS,
    wide=uniform(1.9, 2.8, "wide"),
)
def t_bolt(q: Look, *, d: float, length: float, style: str, wide: float) -> Solid:
    outline = [(-wide / 2, 0.45), (-wide / 2, 0.7), (wide / 2, 0.7), (wide / 2, 0.45)]
    side = polygon(np.array([*outline, (0.55, 0), (-0.55, 0)]) * d)
    head = prism(side, d).rotate((90, 0, 0)).translate((0, d / 2, 0))
    long = shank_length(d, max(length, 2))
    return union(
        shank(q, d=d, length=long + 0.1, style=style, plain=0.15), head.translate((0, 0, long))
    )
