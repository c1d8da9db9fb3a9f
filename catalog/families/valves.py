"""Valves, manifolds, nozzles and seals."""

from functools import partial

import numpy as np

from catalog.families.flanges import BORES, DN_SAYS, drilled_disc
from catalog.families.gears import bored
from catalog.families.piping import pipe_end
from catalog.families.profiles import annulus, disc, holes, ngon, on_circle, rectangle, softened
from catalog.families.solids import (
    Solid,
    ball,
    block,
    curve,
    filleted,
    lathe,
    polar,
    prism,
    rod,
    sweep,
    thread,
    torus,
    turned,
    union,
    wire,
)
from catalog.families.types import Look, family, log_uniform, maybe, one_of, phrase, uniform, whole

pipe = partial(family, group="piping")
valve = partial(pipe, category="valve")
seal = partial(pipe, category="seal")
fitting = partial(pipe, category="fitting")


def pipe_run(q: Look, *, bore: float, long: float, end: str) -> Solid:
    """A horizontal pipe along x, ends "hex" or "flange", not yet hollow."""
    r = 0.68 * bore
    half = pipe_end(
        q, bore=bore, wall=0.18, length=long / 2, end="flange" if end == "flange" else "plain"
    )
    both = [half.rotate((0, 90, 0)), half.rotate((0, -90, 0))]
    if end == "hex":
        nut = prism(ngon(6, 2.5 * r), 0.42 * bore, bevel=q.edge(bore))
        nut = nut.rotate((0, 90, 0))
        both += [nut.translate((long / 2 - 0.42 * bore, 0, 0)), nut.translate((-long / 2, 0, 0))]
    return union(both)


def pipe_bore(q: Look, *, bore: float, long: float) -> Solid:
    return Solid.cylinder(long + 2, bore / 2, bore / 2, q.n, True).rotate((0, 90, 0))


def handwheel(q: Look, *, r: float, spokes: int, wire_: float) -> Solid:
    """A wheel about z at the origin."""
    rim = torus(r, wire_, 2 * q.n)
    spoke = rod(0.7 * wire_, r, q.m).rotate((0, 90, 0))
    hub = rod(2.2 * wire_, 2.6 * wire_, q.n, bevel=0.3 * wire_).translate((0, 0, -1.3 * wire_))
    return union(rim, hub, polar(spoke, spokes))


@valve(
    en="ball valve; lever ball valve; quarter-turn valve / pipe valve with a lever; stop cock",
    zh_hant="球閥; 球閥門; 手柄球閥 / 帶扳手的閥門; 考克",
    zh_hans="球阀; 球阀门; 手柄球阀 / 带扳手的阀门; 旋塞阀",
    says=DN_SAYS,
    bore=BORES,
    long=uniform(2.6, 3.8, "long"),
    end=one_of("hex", "hex", "flange"),
    lever=uniform(1.8, 3.4),
    turn=one_of(0.0, 0.0, 90.0),
    butterfly=one_of(False, False, True),
)
def ball_valve(
    q: Look, *, bore: float, long: float, end: str, lever: float, turn: float, butterfly: bool
) -> Solid:
    body = union(
        pipe_run(q, bore=bore, long=long * bore, end=end), ball(1.02 * bore, 2 * q.n)
    ) - pipe_bore(q, bore=bore, long=long * bore)
    top = 1.6 * bore
    stem = union(
        rod(0.45 * bore, 1.3 * bore, q.n), rod(0.2 * bore, top + 0.1 * bore, q.m)
    ) - pipe_bore(q, bore=bore, long=long * bore)
    if butterfly:
        grip = prism(softened(rectangle(1.6 * bore, 0.5 * bore), 0.1 * bore), 0.2 * bore)
    else:
        reach = lever * bore
        line = filleted(
            [(-0.3 * bore, 0, 0), (0.5 * bore, 0, 0), (0.9 * bore, 0, 0.5 * bore),
             (reach, 0, 0.5 * bore)], 0.25 * bore, 5,
        )  # fmt: skip
        half = np.array([(-0.07, -0.24), (0.07, -0.24), (0.07, 0.24), (-0.07, 0.24)]) * bore
        grip = sweep(line, half, up=(0, 1, 0))
    return union(body, stem, grip.rotate((0, 0, turn)).translate((0, 0, top)))


@valve(
    en="gate valve; globe valve; handwheel valve / valve with a round wheel; sluice valve",
    zh_hant="閘閥; 閘門閥; 手輪閥門 / 帶圓形手輪的閥; 截止閥",
    zh_hans="闸阀; 闸门阀; 手轮阀门 / 带圆形手轮的阀; 截止阀",
    says=DN_SAYS,
    bore=BORES,
    long=uniform(2.4, 3.4, "long"),
    tall=uniform(2.2, 3.6, "tall"),
    wheel=uniform(0.9, 1.5, "wide"),
    end=one_of("hex", "flange", "flange"),
    spokes=one_of(3, 4, 5),
)
def gate_valve(
    q: Look, *, bore: float, long: float, tall: float, wheel: float, end: str, spokes: int
) -> Solid:
    h = tall * bore
    bonnet = turned(
        [(0.95 * bore, 0), (0.85 * bore, 0.8 * bore), (0.85 * bore, bore),
         (0.45 * bore, 1.3 * bore),
         (0.35 * bore, 0.75 * h)], 2 * q.n,
    )  # fmt: skip
    collar = rod(1.05 * bore, 0.24 * bore, 2 * q.n, bevel=q.edge(0.3 * bore))
    body = union(
        pipe_run(q, bore=bore, long=long * bore, end=end), bonnet, ball(0.98 * bore, 2 * q.n),
        collar.translate((0, 0, 0.95 * bore)),
    )  # fmt: skip
    body = body - pipe_bore(q, bore=bore, long=long * bore)
    stem = rod(0.13 * bore, 0.5 * h, q.m).translate((0, 0, 0.62 * h))
    round_ = handwheel(q, r=wheel * bore, spokes=spokes, wire_=0.12 * bore)
    return union(body, stem, round_.translate((0, 0, h)))


@valve(
    en="handwheel; valve wheel; spoked hand wheel / machine crank wheel; round operating wheel",
    zh_hant="手輪; 閥門手輪; 輻條手輪 / 機械轉輪; 圓形操作輪",
    zh_hans="手轮; 阀门手轮; 辐条手轮 / 机械转轮; 圆形操作轮",
    r=log_uniform(20, 120),
    rim=uniform(0.08, 0.15, "heavy"),
    spokes=one_of(3, 4, 5, 6),
    grip=maybe(),
    dish=uniform(0, 0.35, "deep"),
)
def hand_wheel(q: Look, *, r: float, rim: float, spokes: int, grip: bool, dish: float) -> Solid:
    w = rim * r
    h = dish * r
    hub = bored(
        q, rod(0.24 * r, 0.36 * r, q.n, bevel=q.edge(0.3 * r)), bore=0.11 * r, h=0.36 * r, key=True
    )
    path = curve(
        [(0.2 * r, 0, 0.18 * r), (0.6 * r, 0, 0.18 * r + 0.4 * h), (r, 0, 0.18 * r + h)], 10
    )
    parts = [hub, torus(r, w, 2 * q.n).translate((0, 0, 0.18 * r + h))]
    parts += polar(wire(path, 0.75 * w, q.m), spokes)
    if grip:
        knob = turned(curve([(0.1, 0), (0.07, 0.1), (0.12, 0.4), (0.09, 0.55)], 14) * r, q.n)
        parts.append(knob.translate((r, 0, 0.18 * r + h)))
    return union(parts)


@valve(
    en="faucet; water tap; bib tap / kitchen spigot; garden tap",
    zh_hant="水龍頭; 龍頭; 出水龍頭 / 水栓; 花園水嘴",
    zh_hans="水龙头; 龙头; 出水龙头 / 水栓; 花园水嘴",
    bore=one_of(10, 12, 15, 20, 25),
    reach=uniform(2.5, 5, "long"),
    arch=uniform(1.5, 5, "tall"),
    handle=one_of("cross", "lever", "wheel"),
)
def faucet(q: Look, *, bore: float, reach: float, arch: float, handle: str) -> Solid:
    r = 0.62 * bore
    x, z = reach * bore, arch * bore
    path = curve([(0, 0, 0), (0, 0, z), (0.35 * x, 0, z + 0.35 * x), (0.8 * x, 0, z + 0.15 * x),
                  (x, 0, z - 0.3 * x)], 48)  # fmt: skip
    spout = wire(path, r, q.n)
    tip = path[-1] - path[-2]
    hole = wire(np.array([path[-4], path[-1] + tip * 3]), 0.7 * r, q.n)
    foot = rod(1.8 * r, 0.3 * bore, 2 * q.n, bevel=q.edge(bore))
    cap = union(rod(1.15 * r, 1.1 * bore, q.n), rod(0.4 * r, 1.7 * bore, q.m))
    match handle:
        case "cross":
            bar = rod(0.22 * bore, 2.2 * bore, q.m, bevel=0.1 * bore).rotate((0, 90, 0))
            bar = bar.translate((-1.1 * bore, 0, 0))
            grip = union(bar, bar.rotate((0, 0, 90)))
        case "wheel":
            grip = handwheel(q, r=0.9 * bore, spokes=4, wire_=0.16 * bore)
        case _:
            grip = block(2.2 * bore, 0.5 * bore, 0.25 * bore, round_=0.24 * bore)
            grip = grip.translate((0.8 * bore, 0, -0.1 * bore))
    knob = union(cap, grip.translate((0, 0, 1.7 * bore))).rotate((62, 0, 0))
    return union(spout - hole, foot, knob.translate((0, -0.2 * bore, 0.8 * bore)))


@fitting(
    en="manifold; pipe manifold block; distribution block / many-port block; fluid distributor",
    zh_hant="歧管; 分配塊; 分流塊 / 多孔分流器; 集流座",
    zh_hans="歧管; 分配块; 分流块 / 多孔分流器; 集流座",
    says=(phrase("{name} with {ports} ports", "{ports}口{name}", "{ports}口{name}"),),
    bore=one_of(4, 6, 8, 10, 15, 20),
    ports=whole(2, 8, "long"),
    kind=one_of("block", "pipe"),
    nozzle=maybe(),
)
def manifold(q: Look, *, bore: float, ports: int, kind: str, nozzle: bool) -> Solid:
    pitch = 2.4 * bore
    long = (ports + 0.3) * pitch
    at = [((i - (ports - 1) / 2) * pitch, 0) for i in range(ports)]
    r = bore / 2
    if kind == "block":
        body = block(long, 2.4 * bore, 2.4 * bore, bevel=q.edge(2 * bore)).translate(
            (0, 0, -1.2 * bore)
        )
    else:
        body = rod(1.1 * bore, long, q.n).rotate((0, 90, 0)).translate((-long / 2, 0, 0))
    top = 1.2 * bore
    parts = [body]
    if nozzle or kind == "pipe":
        top = 2.2 * bore
        stub = union(
            rod(0.8 * bore, top, q.n),
            prism(ngon(6, 2.1 * bore), 0.4 * bore).translate((0, 0, 1.3 * bore)),
        )
        parts += [stub.translate((x, y, 0)) for x, y in at]
    drill = rod(r, top + 1, q.m * 2)
    main = Solid.cylinder(long + 2, 1.2 * r, 1.2 * r, q.n, True).rotate((0, 90, 0))
    return union(parts) - union(main, [drill.translate((x, y, 0)) for x, y in at])


@fitting(
    en="nozzle; spray nozzle; jet tip / tapered outlet tip; extruder nozzle",
    zh_hant="噴嘴; 噴頭; 出料嘴 / 錐形噴口; 擠出噴嘴",
    zh_hans="喷嘴; 喷头; 出料嘴 / 锥形喷口; 挤出喷嘴",
    d=one_of(5, 6, 8, 10, 12, 16, 20),
    cone=uniform(0.4, 1.2, "long"),
    stem=uniform(0.6, 1.4),
    threaded=one_of(True, True, False),
    hexed=one_of(True, True, False),
)
def spray_nozzle(
    q: Look, *, d: float, cone: float, stem: float, threaded: bool, hexed: bool
) -> Solid:
    h, tip = stem * d, 0.14 * d
    tail = thread(d, 0.15 * d, h, q.n) if threaded else rod(d / 2, h, q.n, bevel=q.edge(d))
    belt = (
        prism(ngon(6, 1.35 * d), 0.5 * d, bevel=q.edge(d)) if hexed else rod(0.65 * d, 0.5 * d, q.n)
    )
    end = turned(
        [(0.5 * d, 0), (0.5 * d, 0.08 * d), (tip, cone * d), (tip, (cone + 0.06) * d)], q.n
    )
    body = union(tail, belt.translate((0, 0, h)), end.translate((0, 0, h + 0.49 * d)))
    whole_h = h + (0.6 + cone) * d
    wide = rod(0.3 * d, h + 0.4 * d, q.n).translate((0, 0, -0.1))
    thin = rod(0.4 * tip, 2 * whole_h, q.m)
    return body - union(wide, thin)


@fitting(
    en="funnel; pouring funnel; cone funnel / filling funnel; kitchen hopper",
    zh_hant="漏斗; 倒液漏斗; 錐形漏斗 / 加油漏斗; 廚房漏斗",
    zh_hans="漏斗; 倒液漏斗; 锥形漏斗 / 加油漏斗; 厨房漏斗",
    wide=log_uniform(40, 200),
    angle=uniform(0.6, 1.1, "tall"),
    spout=uniform(0.3, 0.8, "long"),
    neck=uniform(0.1, 0.2),
    tab=maybe(),
)
def funnel(q: Look, *, wide: float, angle: float, spout: float, neck: float, tab: bool) -> Solid:
    r, w = wide / 2, 0.02 * wide + 0.4
    n, h, s = neck * r * 2, angle * r, spout * wide
    outer = [(0.75 * n, 0), (n, s), (r, s + h), (r, s + h + 0.1 * r)]
    inner = [(a - w, z) for a, z in outer]
    inner[1] = (n - w, s + 0.3 * w)
    made = lathe([*outer, *inner[::-1]], 2 * q.n)
    if tab:
        ear = prism(annulus(0.16 * r, 0.09 * r, q.n), 2 * w).translate(
            (1.12 * r, 0, s + h + 0.1 * r - 2 * w)
        )
        made = union(made, ear)
    return made


@seal(
    en="O-ring; rubber ring seal; round sealing ring / toroidal gasket; donut seal",
    zh_hant="O型環; 橡膠密封圈; 油封圈 / 圓形密封環; O令",
    zh_hans="O型圈; 橡胶密封圈; 密封圈 / 圆形密封环; O形环",
    d=log_uniform(4, 120),
    thick=uniform(0.04, 0.26, "thick"),
)
def o_ring(q: Look, *, d: float, thick: float) -> Solid:
    return torus(d / 2, thick * d / 2, 2 * q.n, m=max(12, q.m))


@seal(
    en="gasket; flange gasket; sealing gasket with holes / flat joint sheet; head gasket",
    zh_hant="墊片; 法蘭墊片; 密封墊片 / 平面止洩墊; 有孔密封墊",
    zh_hans="垫片; 法兰垫片; 密封垫片 / 平面止漏垫; 有孔密封垫",
    size=log_uniform(20, 160),
    kind=one_of("round", "oval", "rectangle", "triple"),
    bolts=one_of(0, 4, 6, 8),
    thick=uniform(0.01, 0.035, "thick"),
)
def gasket(q: Look, *, size: float, kind: str, bolts: int, thick: float) -> Solid:
    r, h = size / 2, thick * size + 0.3
    match kind:
        case "round":
            flat = annulus(r, (0.55 if bolts else 0.72) * r, 2 * q.n)
            if bolts:
                flat = holes(flat, on_circle(bolts, 0.78 * r), 0.08 * r, q.m)
        case "oval":
            end = disc(0.3 * r, q.n)
            flat = (disc(0.75 * r, 2 * q.n) + end.translate((r, 0)) + end.translate((-r, 0))).hull()
            flat = holes(flat - disc(0.5 * r, 2 * q.n), [(r, 0), (-r, 0)], 0.14 * r, q.m)
        case "rectangle":
            flat = rectangle(2 * r, 1.4 * r, r=0.2 * r) - rectangle(1.4 * r, 0.8 * r, r=0.15 * r)
            at = [(x * 0.84 * r, y * 0.55 * r) for x in (-1, 1) for y in (-1, 1)]
            flat = holes(flat, at, 0.08 * r, q.m)
        case _:
            flat = rectangle(3.1 * r, 1.3 * r, r=0.2 * r)
            flat = holes(flat, [(x * 0.95 * r, 0) for x in (-1, 0, 1)], 0.4 * r, 2 * q.n)
            at = [(x * 0.475 * r, y * 0.48 * r) for x in (-3, -1, 1, 3) for y in (-1, 1)]
            flat = holes(flat, at, 0.07 * r, q.m)
    return prism(flat, h)


@seal(
    en="shaft seal; oil seal; lip seal / rotary rubber seal; radial shaft ring",
    zh_hant="油封; 軸封; 唇形密封 / 旋轉軸油封; 骨架油封",
    zh_hans="油封; 轴封; 唇形密封 / 旋转轴油封; 骨架油封",
    d=one_of(8, 10, 12, 16, 20, 25, 30, 40),
    outer=uniform(1.4, 2.0, "wide"),
    wide=uniform(0.2, 0.4, "thick"),
)
def shaft_seal(q: Look, *, d: float, outer: float, wide: float) -> Solid:
    r, big, h = d / 2, outer * d / 2, wide * d
    t = big - r
    outline = [
        (big - 0.22 * t, 0), (big, 0), (big, h), (r + 0.1 * t, h), (r, 0.62 * h),
        (r + 0.1 * t, 0.2 * h),
        (r + 0.2 * t, 0.25 * h), (r + 0.22 * t, 0.75 * h), (big - 0.22 * t, 0.75 * h),
    ]  # fmt: skip
    lip = lathe(outline, 2 * q.n)
    spring = torus(r + 0.26 * t, 0.06 * t, 2 * q.n, m=8).translate((0, 0, 0.42 * h))
    return union(lip, spring).rotate((180, 0, 0)).translate((0, 0, h))


@seal(
    en="rubber grommet; cable grommet; pass-through ring / edge protector ring; bushing grommet",
    zh_hant="護線環; 橡膠護線圈; 出線圈 / 過線橡膠環; 電纜護圈",
    zh_hans="护线圈; 橡胶护线环; 出线圈 / 过线橡胶环; 电缆护圈",
    d=log_uniform(4, 40),
    groove=uniform(0.15, 0.4),
    flange=uniform(1.5, 2.1, "wide"),
)
def grommet(q: Look, *, d: float, groove: float, flange: float) -> Solid:
    r, big = d / 2, flange * d / 2
    t, g = 0.28 * d, groove * d
    half = big - r
    outline = filleted(
        [(r, 0.1 * d), (r + 0.3 * half, 0), (big, 0), (big, t), (r + 0.45 * half, t),
         (r + 0.45 * half, t + g), (big, t + g), (big, 2 * t + g), (r + 0.3 * half, 2 * t + g),
         (r, 2 * t + g - 0.1 * d)], 0.1 * d, 4,
    )  # fmt: skip
    return lathe(outline, 2 * q.n)


@fitting(
    en="bellows; expansion joint; flexible bellows / corrugated tube; accordion sleeve",
    zh_hant="波紋管; 伸縮節; 風琴管 / 蛇腹管; 膨脹接頭",
    zh_hans="波纹管; 伸缩节; 风琴管 / 蛇腹管; 膨胀接头",
    d=log_uniform(10, 100),
    folds=whole(4, 14, "long"),
    deep=uniform(0.12, 0.35, "deep"),
    pitch=uniform(0.14, 0.3),
    flanged=maybe(),
    round_=maybe(),
)
def bellows(
    q: Look, *, d: float, folds: int, deep: float, pitch: float, flanged: bool, round_: bool
) -> Solid:
    r, p, w = d / 2, pitch * d, 0.025 * d
    steps = 10 if round_ else 2
    k = folds * steps
    t = np.arange(k + 1) / steps
    wave = (1 - np.cos(2 * np.pi * t)) / 2
    z = t * p
    outer = np.c_[r + deep * d / 2 * wave + w, z]
    inner = np.c_[r + deep * d / 2 * wave - w, z]
    h = float(z[-1])
    ends = [(r - w, h + 0.3 * d), (r + w, h + 0.3 * d)]
    low = [(r + w, -0.3 * d), (r - w, -0.3 * d)]
    made = lathe(np.concatenate([low, inner, ends, outer[::-1]]), 2 * q.n)
    if flanged:
        ring = drilled_disc(
            q, outer=1.9 * r, bore=r - w, h=0.12 * d, bolts=6, hole=0.09 * d, at=1.55 * r
        )
        made = union(made, ring.translate((0, 0, -0.3 * d)), ring.translate((0, 0, h + 0.18 * d)))
    return made
