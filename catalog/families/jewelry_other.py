"""Brooches, cufflinks, charms, beads and loose stones."""

from functools import partial

import numpy as np

from catalog.families.gems import CUTS, gem, setting
from catalog.families.jewelry_parts import bail, puffed, upright
from catalog.families.profiles import (
    disc,
    rectangle,
    stadium,
    teardrop,
)
from catalog.families.solids import (
    Solid,
    arc,
    ball,
    circle_points,
    curve,
    field,
    filleted,
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
accessory = partial(jewel, category="accessory")


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
            leaf = leaf.scale((min(1.0, 5.5 / leaves), 1, 1))
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
