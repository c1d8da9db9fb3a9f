"""Dice, toys and figures made of plain solids; they stand on z = 0."""

from functools import partial

import numpy as np

from catalog.families.profiles import (
    disc,
    rectangle,
    star,
)
from catalog.families.solids import (
    Solid,
    ball,
    block,
    curve,
    pillow,
    polygon,
    prism,
    rod,
    torus,
    turned,
    union,
    wire,
)
from catalog.families.stands import side_view
from catalog.families.types import Look, family, log_uniform, maybe, one_of, phrase, uniform, whole

game = partial(family, group="everyday", category="game")


@game(
    en="die; dice; six-sided dice / gaming cube with pips; board game die",
    zh_hant="骰子; 色子; 六面骰 / 有點數的方塊; 桌遊骰子",
    zh_hans="骰子; 色子; 六面骰 / 带点数的方块; 桌游骰子",
    size=log_uniform(8, 40),
    round_=uniform(0.03, 0.2),
    pip=uniform(0.07, 0.11),
    deep=uniform(0.3, 0.6),
)
def dice(q: Look, *, size: float, round_: float, pip: float, deep: float) -> Solid:
    s, r, g = size, pip * size, 0.25 * size
    cube = pillow(s, s, s, r=round_ * s, n=max(16, q.m)).translate((0, 0, -s / 2))
    dots = {
        1: [(0, 0)],
        2: [(-g, -g), (g, g)],
        3: [(-g, -g), (0, 0), (g, g)],
        4: [(x, y) for x in (-g, g) for y in (-g, g)],
        5: [(0, 0), *((x, y) for x in (-g, g) for y in (-g, g))],
        6: [(x, y) for x in (-g, g) for y in (-g, 0, g)],
    }
    turns = {
        1: (0, 0, 0),
        6: (180, 0, 0),
        2: (90, 0, 0),
        5: (-90, 0, 0),
        3: (0, 90, 0),
        4: (0, -90, 0),
    }
    drill = ball(r, q.m)
    cut = [
        union([drill.translate((x, y, s / 2 + r * (0.5 - deep))) for x, y in dots[n]]).rotate(turn)
        for n, turn in turns.items()
    ]
    return (cube - union(cut)).translate((0, 0, s / 2))


@game(
    en="polyhedral die; d20 dice; role-playing dice / icosahedron die; faceted gaming die",
    zh_hant="多面骰; 二十面骰; 跑團骰子 / 正二十面體骰; 八面骰",
    zh_hans="多面骰; 二十面骰; 跑团骰子 / 正二十面体骰; 八面骰",
    says=(phrase("{faces}-sided die", "{faces}面骰子", "{faces}面骰子"),),
    size=log_uniform(12, 40),
    faces=one_of(4, 8, 12, 20),
    cut=uniform(0.0, 0.06),
)
def poly_dice(q: Look, *, size: float, faces: int, cut: float) -> Solid:
    golden = (1 + 5**0.5) / 2
    points = {
        4: [(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)],
        8: [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)],
        12: [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
        + [p for a in (-1, 1) for b in (-1, 1)
           for p in ((0, a / golden, b * golden), (a / golden, b * golden, 0),
                     (b * golden, 0, a / golden))],
        20: [p for a in (-1, 1) for b in (-1, 1)
             for p in ((0, a, b * golden), (a, b * golden, 0), (b * golden, 0, a))],
    }  # fmt: skip
    p = np.array(points[faces], float)
    p *= size / 2 / np.linalg.norm(p[0])
    made = Solid.hull_points(np.ascontiguousarray(p))
    made = made ^ ball(size / 2 * (1 - cut), 4 * q.n)
    low = float(made.bounding_box()[2])
    return made.translate((0, 0, -low))


@game(
    en="snowman; snowman figurine / stacked ball figure; winter ornament man of snow",
    zh_hant="雪人; 雪人公仔 / 堆球人偶; 冬天雪人擺飾",
    zh_hans="雪人; 雪人公仔 / 堆球人偶; 冬天雪人摆件",
    height=log_uniform(30, 150),
    fat=uniform(0.24, 0.32),
    hat=maybe(),
    arms=maybe(),
    balls=one_of(2, 3, 3),
)
def snowman(q: Look, *, height: float, fat: float, hat: bool, arms: bool, balls: int) -> Solid:
    r = fat * height
    sizes = [1.0, 0.74, 0.54] if balls == 3 else [1.0, 0.66]
    z, parts = 0.0, []
    for s in sizes:
        z += 0.86 * s * r
        parts.append(ball(s * r, 2 * q.n).translate((0, 0, z)))
        top, size = z, s * r
        z += 0.72 * s * r
    nose = rod(0.13 * size, 0.7 * size, q.m, top=0.02 * size).rotate((90, 0, 0))
    parts.append(nose.translate((0, -0.9 * size, top)))
    eye = ball(0.1 * size, q.m)
    parts += [eye.translate((s * 0.34 * size, -0.88 * size, top + 0.3 * size)) for s in (-1, 1)]
    if hat:
        brim = rod(0.95 * size, 0.1 * size, q.n).translate((0, 0, top + 0.72 * size))
        parts += [brim, rod(0.6 * size, 0.8 * size, q.n).translate((0, 0, top + 0.74 * size))]
    if arms:
        stick = rod(0.06 * r, 0.9 * r, q.m).rotate((0, 62, 0)).translate((0.55 * r, 0, 1.75 * r))
        parts += [stick, stick.mirror((1, 0, 0))]
    return union(parts).trim_by_plane((0, 0, 1), 0)


@game(
    en="robot figurine; toy robot / boxy android figure; little robot statue",
    zh_hant="機器人公仔; 玩具機器人 / 方塊機器人; 小機器人擺飾",
    zh_hans="机器人公仔; 玩具机器人 / 方块机器人; 小机器人摆件",
    height=log_uniform(30, 150),
    stout=uniform(0.3, 0.45, "wide"),
    head=uniform(0.2, 0.32),
    antenna=one_of(0, 1, 2),
    arm=uniform(0, 150),
    round_=uniform(0.02, 0.4),
)
def robot_figure(
    q: Look, *, height: float, stout: float, head: float, antenna: int, arm: float, round_: float
) -> Solid:
    h, w = height, stout * height
    hip, neck = 0.3 * h, (0.96 - head) * h
    trunk = pillow(w, 0.6 * w, neck - hip, r=round_ * 0.4 * w, n=max(12, q.m)).translate(
        (0, 0, hip)
    )
    s = head * h
    skull = pillow(1.15 * s, s, 0.9 * s, r=round_ * 0.5 * s, n=max(12, q.m)).translate(
        (0, 0, neck + 0.03 * h)
    )
    eye = rod(0.13 * s, 0.2 * s, q.m).rotate((90, 0, 0))
    leg = block(0.3 * w, 0.3 * w, hip + 1)
    foot = block(0.38 * w, 0.56 * w, 0.07 * h, bevel=q.edge(0.1 * h)).translate((0, -0.08 * w, 0))
    limb = union(rod(0.09 * w, 0.34 * h, q.m), ball(0.13 * w, q.m).translate((0, 0, 0.34 * h)))
    limb = limb.rotate((arm - 180, 0, 0)).translate((0.58 * w, 0, neck - 0.06 * h))
    parts = [
        trunk, skull, rod(0.13 * w, 0.08 * h, q.m).translate((0, 0, neck - 0.02 * h)),
        *(leg.translate((x * 0.25 * w, 0, 0)) for x in (-1, 1)),
        *(foot.translate((x * 0.25 * w, 0, 0)) for x in (-1, 1)),
        *(eye.translate((x * 0.27 * s, -0.42 * s, neck + 0.03 * h + 0.55 * s)) for x in (-1, 1)),
        limb, limb.mirror((1, 0, 0)),
        ball(0.12 * w, q.m).translate((0.56 * w, 0, neck - 0.06 * h)),
        ball(0.12 * w, q.m).translate((-0.56 * w, 0, neck - 0.06 * h)),
    ]  # fmt: skip
    stalk = union(rod(0.03 * s, 0.3 * s, 8), ball(0.08 * s, q.m).translate((0, 0, 0.3 * s)))
    at = {0: [], 1: [0.0], 2: [-0.3, 0.3]}[antenna]
    parts += [stalk.translate((x * s, 0, neck + 0.03 * h + 0.88 * s)) for x in at]
    return union(parts)


@game(
    en="cat figurine; kitten statue / sitting cat ornament; small animal figure",
    zh_hant="貓咪公仔; 小貓擺飾 / 坐姿貓咪擺件; 動物公仔",
    zh_hans="猫咪公仔; 小猫摆件 / 坐姿猫咪摆设; 动物公仔",
    height=log_uniform(25, 120),
    fat=uniform(0.26, 0.36, "wide"),
    head=uniform(0.2, 0.27),
    tail=uniform(0.3, 0.8, "long"),
    ear=uniform(0.5, 0.9),
)
def cat_figure(
    q: Look, *, height: float, fat: float, head: float, tail: float, ear: float
) -> Solid:
    h, r, s = height, fat * height, head * height
    n = 2 * q.n
    body = turned(
        curve(
            [
                (0.92 * r, 0),
                (r, 0.18 * h),
                (0.72 * r, 0.45 * h),
                (0.36 * r, 0.68 * h),
                (0.05, 0.72 * h),
            ],
            24,
        ),
        n,
    )
    skull = ball(s, n).scale((1.12, 1, 0.92)).translate((0, -0.2 * r, 0.98 * h - 1.25 * s))
    tip = rod(0.42 * s, ear * s, 3, top=0.03 * s)
    ears = [
        tip.rotate((0, x * 22, 0)).translate((x * 0.62 * s, -0.2 * r, 0.98 * h - 0.75 * s))
        for x in (-1, 1)
    ]
    paw = ball(0.24 * r, q.n).scale((1, 1.5, 0.8))
    paws = [paw.translate((x * 0.36 * r, -0.85 * r, 0.16 * r)) for x in (-1, 1)]
    t = tail * h
    path = curve(
        [
            (0, 0.7 * r, 0.1 * h),
            (0.5 * r, 1.25 * r, 0.08 * h),
            (1.1 * r, 1.0 * r, 0.3 * t),
            (1.0 * r, 0.8 * r, 0.75 * t),
        ],
        24,
    )
    nose = ball(0.12 * s, q.m).translate((0, -0.2 * r - 0.98 * s, 0.98 * h - 1.3 * s))
    made = union(
        body,
        skull,
        ears,
        paws,
        nose,
        wire(path, 0.15 * r, q.m),
        ball(0.15 * r, q.m).translate(tuple(map(float, path[-1]))),
    )
    return made.trim_by_plane((0, 0, 1), 0)


@game(
    en="spinning top; toy top / gyro top; whirling toy with a stem",
    zh_hant="陀螺; 玩具陀螺 / 旋轉陀螺; 手轉陀螺",
    zh_hans="陀螺; 玩具陀螺 / 旋转陀螺; 手转陀螺",
    size=log_uniform(20, 80),
    tall=uniform(0.35, 0.8, "tall"),
    stem=uniform(0.25, 0.6),
    ridges=whole(0, 3),
)
def spinning_top(q: Look, *, size: float, tall: float, stem: float, ridges: int) -> Solid:
    r, h = size / 2, tall * size
    line = [(0.02 * r, 0), (0.45 * r, 0.35 * h), (r, 0.68 * h), (0.85 * r, 0.85 * h), (0.14 * r, h)]
    body = turned(curve(line, 40), 2 * q.n)
    grip = turned([(0.12 * r, 0), (0.1 * r, 0.7 * stem * size), (0.15 * r, stem * size)], q.n)
    rings = [
        torus(r * (0.72 - 0.2 * i), 0.03 * r, 2 * q.n, m=8).translate((0, 0, (0.9 + 0.03 * i) * h))
        for i in range(ridges)
    ]
    return union(body, grip.translate((0, 0, 0.97 * h)), rings)


@game(
    en="toy car; model car; little car / push-along vehicle; mini automobile",
    zh_hant="玩具車; 模型車; 小汽車 / 玩具小轎車; 迷你車",
    zh_hans="玩具车; 模型车; 小汽车 / 玩具小轿车; 迷你车",
    long=log_uniform(30, 140),
    wide=uniform(0.38, 0.52, "wide"),
    cab=uniform(0.35, 0.6),
    wheel=uniform(0.09, 0.13),
    kind=one_of("sedan", "truck", "van"),
)
def toy_car(q: Look, *, long: float, wide: float, cab: float, wheel: float, kind: str) -> Solid:
    x, y, r = long, wide * long, wheel * long
    low, belt = 0.8 * r, max(0.8 * r + 0.15 * long, 2.45 * r)
    roof = belt + 0.15 * long
    outline = {
        "sedan": [(-0.5, belt * 0.95), (-0.28, belt), (-0.16, roof), (-0.16 + cab * 0.7, roof),
                  (0.1 + cab * 0.5, belt), (0.5, belt * 0.95)],
        "truck": [(-0.5, belt), (-0.46, roof * 1.05), (-0.18, roof * 1.05), (-0.16, belt),
                  (0.5, belt)],
        "van": [(-0.5, belt), (-0.36, roof * 1.15), (0.48, roof * 1.15), (0.5, belt)],
    }[kind]  # fmt: skip
    flat = polygon([(-0.5 * x, low), *((a * x, z) for a, z in outline), (0.5 * x, low)])
    at = (-0.3 * x, 0.3 * x)
    for a in at:
        flat = flat - disc(1.2 * r, q.n).translate((a, r))
    body = prism(flat, y, bevel=q.edge(0.3 * y)).rotate((90, 0, 0)).translate((0, y / 2, 0))
    tyre = rod(r, 0.22 * y, 2 * q.n, bevel=q.edge(r)).rotate((90, 0, 0))
    tyres = [tyre.translate((a, b * 0.39 * y + 0.11 * y, r)) for a in at for b in (-1, 1)]
    axle = Solid.cylinder(0.7 * y, 0.3 * r, 0.3 * r, q.m, True).rotate((90, 0, 0))
    parts = [body, *tyres, *(axle.translate((a, 0, r)) for a in at)]
    if kind == "truck":
        parts[0] = body - block(0.56 * x, 0.84 * y, x).translate((0.18 * x, 0, belt - 0.08 * x))
    lamp = rod(0.06 * y, 0.05 * x, q.m).rotate((0, 90, 0))
    parts += [lamp.translate((-0.52 * x, s * 0.34 * y, 0.85 * belt)) for s in (-1, 1)]
    return union(parts)


@game(
    en="trophy; trophy cup; award cup / winner's cup with two handles; championship cup",
    zh_hant="獎盃; 獎杯; 冠軍盃 / 雙耳獎盃; 比賽獎座",
    zh_hans="奖杯; 奖座; 冠军杯 / 双耳奖杯; 比赛奖座",
    height=log_uniform(50, 200),
    bowl=uniform(0.2, 0.3, "wide"),
    handles=maybe(),
    topper=one_of("none", "star", "lid"),
)
def trophy(q: Look, *, height: float, bowl: float, handles: bool, topper: str) -> Solid:
    h, r = height, bowl * height
    base = block(1.5 * r, 1.5 * r, 0.12 * h, bevel=q.edge(0.1 * h))
    line = [
        (0.6 * r, 0.12 * h),
        (0.16 * r, 0.22 * h),
        (0.14 * r, 0.38 * h),
        (0.6 * r, 0.46 * h),
        (0.92 * r, 0.66 * h),
        (r, 0.88 * h),
    ]
    shape = curve(line, 40)
    cup = turned(shape, 2 * q.n) - turned(
        np.c_[shape[-16:, 0] - 0.06 * r, shape[-16:, 1] + 0.02 * h], 2 * q.n
    )
    parts = [base, cup]
    if handles:
        path = curve(
            [
                (0.85 * r, 0, 0.82 * h),
                (1.5 * r, 0, 0.84 * h),
                (1.45 * r, 0, 0.6 * h),
                (0.55 * r, 0, 0.5 * h),
            ],
            30,
        )
        loop = wire(path, 0.08 * r, q.m) - turned(shape - (0.05 * r, 0), q.n)
        parts += [loop, loop.rotate((0, 0, 180))]
    if topper != "none":
        dome = ball(r, 2 * q.n, squash=0.35).trim_by_plane((0, 0, 1), 0).translate((0, 0, 0.87 * h))
        parts.append(dome)
        tip = ball(0.14 * r, q.m)
        if topper == "star":
            tip = (
                prism(star(5, 0.4 * r), 0.12 * r)
                .rotate((90, 0, 0))
                .translate((0, 0.06 * r, 0.2 * r))
            )
        parts.append(tip.translate((0, 0, 0.87 * h + 0.38 * r)))
    return union(parts)


@game(
    en="whistle; referee whistle; sports whistle / pea whistle; emergency whistle",
    zh_hant="哨子; 口哨; 裁判哨 / 求生哨; 運動哨子",
    zh_hans="哨子; 口哨; 裁判哨 / 求生哨; 运动哨子",
    size=log_uniform(12, 40),
    mouth=uniform(0.9, 1.6, "long"),
    wide=uniform(0.6, 1.0, "wide"),
    ring=maybe(),
)
def whistle(q: Look, *, size: float, mouth: float, wide: float, ring: bool) -> Solid:
    r, w, long = size / 2, wide * size, mouth * size
    body = disc(r, 2 * q.n) + rectangle(long + r, 0.55 * r).translate(((long + r) / 2, 0.72 * r))
    room = disc(0.82 * r, 2 * q.n) + rectangle(long + r, 0.2 * r).translate(
        ((long + r) / 2 + 1, 0.72 * r)
    )
    window = polygon(
        [(0.75 * r, 0.7 * r), (1.35 * r, 0.7 * r), (1.35 * r, 1.2 * r), (1.05 * r, 1.2 * r)]
    )
    made = side_view(body - window, w) - side_view(room, 0.76 * w)
    if ring:
        made = union(
            made, torus(0.28 * r, 0.08 * r, q.n).rotate((90, 0, 0)).translate((-1.2 * r, 0, 0))
        )
    return union(made, ball(0.36 * r, q.m).translate((0, 0, -0.4 * r)))
