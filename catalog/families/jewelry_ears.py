"""Earrings. Hoops stand in the plane of x and z; studs point their face to +z."""

from functools import partial

import numpy as np

from catalog.families.gems import CUTS, setting
from catalog.families.jewelry_parts import band_outline, puffed, upright
from catalog.families.profiles import (
    crescent,
    disc,
    heart,
    petals,
    rectangle,
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
    filleted,
    polar,
    prism,
    rod,
    sweep,
    torus,
    union,
    wire,
)
from catalog.families.types import Look, family, log_uniform, maybe, one_of, phrase, uniform, whole

jewel = partial(family, group="jewelry")
earring = partial(jewel, category="earring")


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
