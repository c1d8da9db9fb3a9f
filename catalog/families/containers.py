"""Bottles, jars, boxes, trays and buckets; they stand on z = 0."""

from functools import partial

import numpy as np

from catalog.families.profiles import disc, rectangle
from catalog.families.solids import (
    Solid,
    ball,
    block,
    filleted,
    polar,
    prism,
    rod,
    torus,
    union,
    wire,
)
from catalog.families.tableware import vessel
from catalog.families.types import Look, family, log_uniform, maybe, one_of, uniform, whole

thing = partial(family, group="everyday")
container = partial(thing, category="container")


@container(
    en="bottle; water bottle; bottle with a neck / drinks flask; screw-top bottle",
    zh_hant="瓶子; 水瓶; 細頸瓶 / 飲料瓶; 螺口瓶",
    zh_hans="瓶子; 水瓶; 细颈瓶 / 饮料瓶; 螺口瓶",
    height=log_uniform(60, 300),
    wide=uniform(0.16, 0.3, "wide"),
    neck=uniform(0.3, 0.6),
    shoulder=uniform(0.5, 0.72),
    capped=maybe(),
    ribs=maybe(),
)
def bottle(
    q: Look, *, height: float, wide: float, neck: float, shoulder: float, capped: bool, ribs: bool
) -> Solid:
    h, r = height, wide * height
    n = neck * r
    line = [(0.9 * r, 0), (r, 0.03 * h), (r, shoulder * h), (n, (shoulder + 0.2) * h), (n, h)]
    points = filleted(line, 0.12 * h, 8)
    if ribs:
        z = np.linspace(0.1, shoulder - 0.1, 22) * h
        wavy = np.c_[r * (1 - 0.05 * (np.arange(22) % 2)), z]
        points = np.concatenate([points[:2], wavy, points[points[:, 1] > (shoulder - 0.06) * h]])
    made = vessel(points, 0.06 * r + 0.5, 0.02 * h, 2 * q.n)
    lip = torus(n, 0.07 * r, 2 * q.n).translate((0, 0, 0.93 * h))
    if capped:
        grip = prism(disc(1.16 * n, q.n), 0.1 * h, bevel=q.edge(0.2 * n)).translate(
            (0, 0, 0.94 * h)
        )
        return union(made, lip, grip)
    return union(made, lip - rod(0.9 * n, 2 * h, q.n)) if q.details else made


@container(
    en="jar; jar with lid; canister / storage jar with a screw lid; cookie jar",
    zh_hant="罐子; 有蓋罐; 儲物罐 / 旋蓋密封罐; 餅乾罐",
    zh_hans="罐子; 带盖罐; 储物罐 / 旋盖密封罐; 饼干罐",
    size=log_uniform(40, 180),
    tall=uniform(0.7, 1.6, "tall"),
    lid=one_of("screw", "knob", "none"),
    round_=uniform(0.05, 0.3),
)
def jar(q: Look, *, size: float, tall: float, lid: str, round_: float) -> Solid:
    r, h, w = size / 2, tall * size, 0.04 * size
    line = [(0.8 * r, 0), (r, 0.1 * h), (r, 0.85 * h), (0.85 * r, 0.93 * h), (0.85 * r, h)]
    made = vessel(filleted(line, round_ * r, 6), w, w, 2 * q.n)
    if lid == "none":
        return made
    top = rod(0.98 * r, 0.18 * h, 2 * q.n, bevel=0.04 * r)
    if lid == "screw":
        rib = block(0.05 * r, 0.05 * r, 0.14 * h).translate((0.98 * r, 0, 0.02 * h))
        top = union(top, polar(rib, 28))
    else:
        grip = union(rod(0.1 * r, 0.14 * h, q.m), ball(0.2 * r, q.n).translate((0, 0, 0.18 * h)))
        top = union(rod(0.98 * r, 0.06 * h, 2 * q.n), grip.translate((0, 0, 0.05 * h)))
    return union(made, top.translate((0, 0, 0.94 * h)))


@container(
    en="box with lid; lidded box; storage box / small case with a cover; trinket box",
    zh_hant="有蓋盒子; 收納盒; 儲物盒 / 帶蓋小盒; 首飾小盒",
    zh_hans="带盖盒子; 收纳盒; 储物盒 / 带盖小盒; 首饰小盒",
    wide=log_uniform(40, 200),
    deep=uniform(0.5, 1.0),
    tall=uniform(0.25, 0.8, "tall"),
    round_=uniform(0, 0.25),
    lid=one_of("ajar", "beside", "closed"),
    knob=maybe(),
)
def lidded_box(
    q: Look, *, wide: float, deep: float, tall: float, round_: float, lid: str, knob: bool
) -> Solid:
    y, h, w = deep * wide, tall * wide, 0.03 * wide + 0.6
    r = round_ * y
    flat = rectangle(wide, y, r=r, n=q.n)
    base = prism(flat, h, bevel=q.edge(w)) - prism(flat.offset(-w), h).translate((0, 0, w))
    cover = union(
        prism(flat.offset(0.4 * w), 1.6 * w, bevel=q.edge(w)),
        prism(flat.offset(-1.1 * w), w).translate((0, 0, -0.9 * w)),
    )
    if knob:
        grip = union(rod(0.04 * y, 0.1 * y, q.m), ball(0.07 * y, q.m).translate((0, 0, 0.13 * y)))
        cover = union(cover, grip.translate((0, 0, 1.5 * w)))
    match lid:
        case "closed":
            return union(base, cover.translate((0, 0, h)))
        case "ajar":
            tilted = cover.rotate((28, 0, 0)).translate((0, 0.1 * y, h + 0.28 * y))
            return union(base, tilted)
        case _:
            return union(base, cover.translate((1.15 * wide, 0, 0.9 * w)))


@container(
    en="tray; serving tray; desk tray / shallow rectangular dish; catch-all tray",
    zh_hant="托盤; 置物盤; 端盤 / 淺方盤; 桌面收納托盤",
    zh_hans="托盘; 置物盘; 端盘 / 浅方盘; 桌面收纳托盘",
    wide=log_uniform(90, 400),
    deep=uniform(0.5, 0.9),
    rise=uniform(0.06, 0.16, "deep"),
    round_=uniform(0.02, 0.4),
    cells=one_of(1, 1, 2, 3, 4),
    grips=maybe(),
)
def tray(
    q: Look, *, wide: float, deep: float, rise: float, round_: float, cells: int, grips: bool
) -> Solid:
    y, h, w = deep * wide, rise * wide, 0.015 * wide + 0.8
    flat = rectangle(wide, y, r=round_ * y, n=q.n)
    made = prism(flat, h, bevel=q.edge(w)) - prism(flat.offset(-w), h).translate((0, 0, w))
    wall = block(w, y - w, h)
    parts = [wall.translate(((i / cells - 0.5) * wide, 0, 0)) for i in range(1, cells)]
    if grips:
        ear = prism(rectangle(0.2 * wide, 0.6 * y, r=0.09 * wide), w)
        ear = ear - prism(rectangle(0.07 * wide, 0.4 * y, r=0.03 * wide), 3 * w).translate(
            (0.045 * wide, 0, -w)
        )
        right = ear.translate((0.5 * wide, 0, h - w)) - prism(flat.offset(-w), 3 * h)
        parts += [right, right.mirror((1, 0, 0))]
    return union(made, parts)


@container(
    en="test tube rack; vial holder / lab rack with rows of holes; tube stand",
    zh_hant="試管架; 樣品管架 / 多孔實驗架; 試管座",
    zh_hans="试管架; 样品管架 / 多孔实验架; 试管座",
    hole=log_uniform(8, 26),
    columns=whole(3, 8, "long"),
    rows=whole(1, 4),
    tall=uniform(1.2, 3, "tall"),
)
def tube_rack(q: Look, *, hole: float, columns: int, rows: int, tall: float) -> Solid:
    pitch, h, t = 1.4 * hole, tall * hole, 0.2 * hole
    x, y = (columns + 0.3) * pitch, (rows + 0.3) * pitch
    flat = rectangle(x, y, r=0.1 * hole)
    grid = [
        ((i - (columns - 1) / 2) * pitch, (j - (rows - 1) / 2) * pitch)
        for i in range(columns)
        for j in range(rows)
    ]
    holes_ = union([rod(hole / 2, 2 * h, q.m * 2).translate((a, b, t)) for a, b in grid])
    board = prism(flat, t)
    side = block(t, y, h)
    walls = [side.translate((s * (x - t) / 2, 0, 0)) for s in (-1, 1)]
    low, high = board.translate((0, 0, 0.35 * h)), board.translate((0, 0, h - t))
    return union(board, union(low, high) - holes_, walls)


@container(
    en="bucket; pail; bucket with handle / carrying pail; round tub with a bail handle",
    zh_hant="水桶; 桶子; 提桶 / 有提把的桶; 圓形手提桶",
    zh_hans="水桶; 桶子; 提桶 / 有提把的桶; 圆形手提桶",
    size=log_uniform(40, 300),
    slope=uniform(0.65, 0.9),
    tall=uniform(0.8, 1.2, "tall"),
    lean=uniform(0, 70),
)
def bucket(q: Look, *, size: float, slope: float, tall: float, lean: float) -> Solid:
    r, h, w = size / 2, tall * size, 0.025 * size + 0.5
    body = rod(slope * r, h, 2 * q.n, top=r)
    body = body - rod(slope * r - w, h, 2 * q.n, top=r - w).translate((0, 0, w))
    lip = torus(r, 1.1 * w, 2 * q.n).translate((0, 0, h))
    a = np.radians(np.linspace(0, 180, q.n))
    path = np.c_[1.06 * r * np.cos(a), 0 * a, 1.06 * r * np.sin(a)]
    ears = [ball(0.07 * r, q.m).translate((s * 1.04 * r, 0, 0.93 * h)) for s in (-1, 1)]
    loop = wire(path, 0.6 * w + 0.3, q.m).rotate((lean, 0, 0)).translate((0, 0, 0.93 * h))
    return union(body, lip, ears, loop)
