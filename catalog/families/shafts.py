"""Shafts, cams, couplings and keys; their axis is z."""

from functools import partial

import numpy as np

from catalog.families.gears import bored
from catalog.families.profiles import (
    annulus,
    disc,
    lobes,
    on_circle,
    rectangle,
    stadium,
    teeth_ring,
)
from catalog.families.solids import (
    Solid,
    block,
    hull,
    polar,
    polygon,
    prism,
    rod,
    tube_straight,
    turned,
    union,
)
from catalog.families.types import Look, family, log_uniform, maybe, one_of, phrase, uniform, whole

drive = partial(family, group="transmission")
shaft_ = partial(drive, category="shaft")


@shaft_(
    en="shaft; stepped shaft; axle / spindle with steps; turned steel shaft",
    zh_hant="軸; 階梯軸; 傳動軸 / 多階主軸; 車製圓軸",
    zh_hans="轴; 阶梯轴; 传动轴 / 多阶主轴; 车制圆轴",
    d=log_uniform(5, 50),
    long=uniform(5, 14, "long"),
    steps=whole(2, 5),
    swell=uniform(1.15, 1.7),
    key=one_of(False, False, True),
    centre=maybe(),
)
def stepped_shaft(
    q: Look, *, d: float, long: float, steps: int, swell: float, key: bool, centre: bool
) -> Solid:
    h, b = long * d, q.edge(0.6 * d)
    line: list[tuple[float, float]] = []
    middle = (steps - 1) / 2 if steps % 2 else steps / 2
    for i in range(steps):
        r = d / 2 * swell ** (1 - abs(i - middle) / max(middle, 1))
        z0, z1 = i * h / steps, (i + 1) * h / steps
        line += [(r - b, z0), (r, z0 + b), (r, z1 - b), (r - b, z1)]
    made = turned(line, 2 * q.n)
    if key:
        slot = prism(stadium(0.7 * h / steps, 0.3 * d), d).rotate((0, 90, 0))
        made = made - slot.translate((0.32 * d, 0, h - h / steps / 2))
    if centre:
        made = made - rod(0.2 * d, 0.25 * d, q.m, top=0.02 * d).translate((0, 0, -0.01))
    return made


@shaft_(
    en="keyed shaft; shaft with keyway / axle with a key slot; motor shaft",
    zh_hant="帶鍵軸; 鍵槽軸 / 有鍵槽的軸; 馬達軸",
    zh_hans="带键轴; 键槽轴 / 有键槽的轴; 电机轴",
    d=log_uniform(5, 50),
    long=uniform(3.5, 9, "long"),
    slot=uniform(0.2, 0.45, "long"),
    both=maybe(),
    key=maybe(),
)
def keyed_shaft(q: Look, *, d: float, long: float, slot: float, both: bool, key: bool) -> Solid:
    h = long * d
    cut = prism(stadium(slot * h, 0.28 * d, q.m), d).rotate((0, 90, 0))
    at = [(0.34 * d, 0, 0.75 * h)] + ([(0.34 * d, 0, 0.25 * h)] if both else [])
    made = rod(d / 2, h, 2 * q.n, bevel=q.edge(d)) - union([cut.translate(p) for p in at])
    if key:
        bar = prism(stadium(0.98 * slot * h, 0.27 * d, q.m), 0.28 * d).rotate((0, 90, 0))
        made = union(made, bar.translate(at[0]))
    return made


@shaft_(
    en="splined shaft; spline shaft / multi-keyed axle; grooved drive shaft",
    zh_hant="花鍵軸; 栓槽軸 / 多鍵傳動軸; 溝槽傳動軸",
    zh_hans="花键轴; 花键传动轴 / 多键传动轴; 沟槽传动轴",
    says=(phrase("{name} with {splines} splines", "{splines}齒{name}", "{splines}齿{name}"),),
    d=log_uniform(6, 50),
    long=uniform(3, 8, "long"),
    splines=one_of(6, 8, 10, 12, 16, 24),
    full=maybe(),
    deep=uniform(0.08, 0.16),
)
def splined_shaft(
    q: Look, *, d: float, long: float, splines: int, full: bool, deep: float
) -> Solid:
    h, r = long * d, d / 2
    flat = teeth_ring(splines, r, r * (1 - deep * 8 / max(splines, 8) - 0.04), top=0.42, foot=0.52)
    part = prism(flat, h if full else 0.45 * h, bevel=0)
    if full:
        return part
    neck = rod(1.12 * r, 0.55 * h, 2 * q.n, bevel=q.edge(d))
    return union(neck, part.translate((0, 0, 0.549 * h)))


@shaft_(
    en="crankshaft; engine crank; crank with throws / offset crank axle; piston crankshaft",
    zh_hant="曲軸; 引擎曲軸; 曲柄軸 / 偏心曲柄; 活塞曲軸",
    zh_hans="曲轴; 发动机曲轴; 曲柄轴 / 偏心曲柄; 活塞曲轴",
    says=(phrase("{name} with {throws} throws", "{throws}拐{name}", "{throws}拐{name}"),),
    d=log_uniform(8, 40),
    throws=one_of(1, 2, 3, 4, 6),
    stroke=uniform(0.7, 1.3),
    weights=maybe(),
)
def crankshaft(q: Look, *, d: float, throws: int, stroke: float, weights: bool) -> Solid:
    r, s, w, gap = d / 2, stroke * d, 0.4 * d, 0.7 * d
    web = disc(0.95 * r, q.n) + disc(0.85 * r, q.n).translate((s, 0))
    web = web.hull()
    if weights:
        fan = disc(1.25 * s + 0.3 * d, 2 * q.n) ^ rectangle(2 * s, 4 * d).translate((-1.0 * s, 0))
        web = web + fan
    cheek = prism(web, w, bevel=q.edge(w))
    pin = rod(0.8 * r, gap + 0.1 * d, q.n)
    order = {1: [0], 2: [0, 180], 3: [0, 120, 240], 4: [0, 180, 180, 0]}.get(
        throws, [0, 120, 240, 240, 120, 0]
    )
    parts, z = [rod(r, 1.5 * d, q.n, bevel=q.edge(d)).translate((0, 0, -1.49 * d))], 0.0
    for turn in order:
        one = union(
            cheek, pin.translate((s, 0, w - 0.05 * d)), cheek.translate((0, 0, w + gap)),
        )  # fmt: skip
        parts.append(one.rotate((0, 0, turn)).translate((0, 0, z)))
        z += 2 * w + gap
        parts.append(rod(r, 0.8 * d, q.n).translate((0, 0, z - 0.02)))
        z += 0.6 * d
    parts.append(rod(r, d, q.n, bevel=q.edge(d)).translate((0, 0, z)))
    return union(parts)


@shaft_(
    en="cam; disc cam; eccentric cam / egg-shaped cam plate; lobe cam",
    zh_hant="凸輪; 盤形凸輪; 偏心輪 / 蛋形凸輪片; 凸輪盤",
    zh_hans="凸轮; 盘形凸轮; 偏心轮 / 蛋形凸轮片; 凸轮盘",
    r=log_uniform(8, 50),
    lift=uniform(0.3, 0.9),
    thick=uniform(0.25, 0.8, "thick"),
    kind=one_of("egg", "heart", "eccentric", "snail"),
    hub=maybe(),
)
def disc_cam(q: Look, *, r: float, lift: float, thick: float, kind: str, hub: bool) -> Solid:
    t = np.linspace(0, 2 * np.pi, 4 * q.n, endpoint=False)
    h = thick * r
    match kind:
        case "egg":
            flat = (disc(r, 2 * q.n) + disc(0.4 * r, q.n).translate(((0.6 + lift) * r, 0))).hull()
        case "heart":
            radius = r * (1 + lift * np.abs((t - np.pi) / np.pi))
            flat = polygon(np.c_[radius * np.cos(t), radius * np.sin(t)])
        case "eccentric":
            flat = disc(1.3 * r, 2 * q.n).translate((0.5 * lift * r + 0.1 * r, 0))
        case _:
            radius = r * (1 + lift * t / (2 * np.pi))
            flat = polygon(np.c_[radius * np.cos(t), radius * np.sin(t)])
    body = prism(flat, h, bevel=q.edge(0.6 * h) if kind in ("egg", "eccentric") else 0)
    if hub:
        body = union(body, rod(0.55 * r, 1.8 * h, q.n, bevel=q.edge(r)))
    return bored(q, body, bore=0.32 * r, h=2 * h, key=True)


@shaft_(
    en="camshaft; engine camshaft; shaft with cam lobes / valve cam axle; lobed shaft",
    zh_hant="凸輪軸; 引擎凸輪軸; 多凸輪軸 / 氣門凸輪軸; 帶桃的軸",
    zh_hans="凸轮轴; 发动机凸轮轴; 多凸轮轴 / 气门凸轮轴; 带桃的轴",
    d=log_uniform(6, 30),
    cams=whole(3, 8, "long"),
    lift=uniform(0.3, 0.6),
)
def camshaft(q: Look, *, d: float, cams: int, lift: float) -> Solid:
    egg = (disc(0.72 * d, 2 * q.n) + disc(0.3 * d, q.n).translate(((0.5 + lift) * d, 0))).hull()
    lobe = prism(egg, 0.6 * d, bevel=q.edge(0.5 * d))
    pitch = 1.5 * d
    at = [(lobe.rotate((0, 0, 137 * i)), (i + 0.5) * pitch) for i in range(cams)]
    journal = rod(0.62 * d, 0.4 * d, 2 * q.n)
    return union(
        rod(d / 2, (cams + 1) * pitch, q.n, bevel=q.edge(d)),
        [s.translate((0, 0, z)) for s, z in at],
        [journal.translate((0, 0, (i + 0.1) * pitch)) for i in range(0, cams + 1, 2)],
    )


@shaft_(
    en="jaw coupling; spider coupling; flexible shaft coupling / Lovejoy coupling;"
    " three-jaw coupler",
    zh_hant="爪型聯軸器; 梅花聯軸器; 撓性聯軸器 / 三爪聯軸器; 星形聯軸節",
    zh_hans="爪型联轴器; 梅花联轴器; 挠性联轴器 / 三爪联轴器; 星形联轴节",
    d=log_uniform(10, 80),
    jaws=one_of(2, 3, 3, 4),
    long=uniform(0.35, 0.7, "long"),
    half=one_of(True, True, False),
    bore=uniform(0.3, 0.5),
)
def jaw_coupling(q: Look, *, d: float, jaws: int, long: float, half: bool, bore: float) -> Solid:
    r, h, tall = d / 2, long * d, 0.28 * d
    step = np.pi / jaws
    a = np.linspace(-0.42 * step, 0.42 * step, 8)
    sector = polygon(
        np.concatenate([np.c_[r * np.cos(a), r * np.sin(a)],
                        np.c_[0.5 * r * np.cos(a), 0.5 * r * np.sin(a)][::-1]])
    )  # fmt: skip
    claw = prism(sector, tall + 0.01)
    body = rod(r, h, 2 * q.n, bevel=q.edge(0.5 * r))
    one = union(body, polar(claw.translate((0, 0, h - 0.01)), jaws))
    one = bored(q, one, bore=bore * r, h=2 * h, key=True)
    if half:
        return one
    other = one.rotate((180, 0, 180 / jaws)).translate((0, 0, 2 * h + tall * 1.05))
    star_ = prism(lobes(2 * jaws, 1.05 * r, 0.55 * r, 96) - disc(bore * r, q.n), 0.9 * tall)
    return union(one, other, star_.translate((0, 0, h + 0.07 * tall)))


@shaft_(
    en="rigid coupling; clamp coupling; sleeve coupling / two-piece shaft clamp coupling;"
    " shaft connector sleeve",
    zh_hant="剛性聯軸器; 夾緊聯軸器; 套筒聯軸器 / 兩件式夾軸器; 軸連接套",
    zh_hans="刚性联轴器; 夹紧联轴器; 套筒联轴器 / 两件式夹轴器; 轴连接套",
    d=log_uniform(8, 60),
    long=uniform(1.1, 2.2, "long"),
    bore=uniform(0.35, 0.55),
    kind=one_of("clamp", "setscrew", "slit", "flanged"),
)
def rigid_coupling(q: Look, *, d: float, long: float, bore: float, kind: str) -> Solid:
    r, h = d / 2, long * d
    made = rod(r, h, 2 * q.n, bevel=q.edge(r))
    drill = Solid.cylinder(2 * d, 0.1 * r, 0.1 * r, q.m).rotate((90, 0, 0))
    if kind == "flanged":
        ring = prism(annulus(1.9 * r, 0.5 * r, 2 * q.n), 0.22 * d)
        for x, y in on_circle(6, 1.45 * r):
            ring = ring - rod(0.16 * r, d, q.m).translate((x, y, -0.1 * d))
        gap = tube_straight(2 * r, 1.3 * r, 0.02 * d, 2 * q.n)
        made = union(made, ring.translate((0, 0, h / 2)), ring.translate((0, 0, h / 2 - 0.21 * d)))
        made = made - gap.translate((0, 0, h / 2))
    elif kind == "slit":
        cuts = [
            tube_straight(2 * r, 0.62 * r, 0.03 * h, q.n).translate((0, 0, h * (0.3 + 0.1 * i)))
            - block(0.5 * r, 4 * r, h).rotate((0, 0, 90 * i)).translate((0, 0, 0.2 * h))
            for i in range(5)
        ]
        made = made - union(cuts)
    if kind in ("clamp", "slit"):
        slot = block(0.06 * d, 2 * d, 0.28 * h).translate((0, d, 0))
        slots = [slot, slot.translate((0, 0, 0.73 * h))]
        if kind == "clamp":
            slots = [block(0.06 * d, 2 * d, 2 * h).translate((0, d, -0.1))]
        holes = [
            Solid.cylinder(2 * d, 0.13 * r, 0.13 * r, q.m, True)
            .rotate((0, 90, 0))
            .translate((0, 0.72 * r, z * h))
            for z in (0.13, 0.87)
        ]
        pocket = [block(r, 0.42 * r, 0.42 * r).translate((1.0 * r, 0.72 * r, z * h - 0.21 * r))
                  for z in (0.13, 0.87)]  # fmt: skip
        made = made - union(slots, holes, pocket)
    elif kind == "setscrew":
        made = made - union([drill.translate((0, 0, z * h)) for z in (0.15, 0.38, 0.62, 0.85)])
    return bored(q, made, bore=bore * r, h=h, key=False)


@shaft_(
    en="universal joint; cardan joint; U-joint / hooke's joint; double-fork swivel coupling",
    zh_hant="萬向接頭; 十字接頭; 萬向節 / 卡登接頭; 雙叉式聯軸節",
    zh_hans="万向节; 十字接头; 万向接头 / 卡登接头; 双叉式联轴节",
    d=log_uniform(8, 50),
    bend=uniform(0, 40),
    long=uniform(1.6, 3, "long"),
    solid=maybe(),
)
def universal_joint(q: Look, *, d: float, bend: float, long: float, solid: bool) -> Solid:
    r, h = d / 2, long * d
    hub = rod(r, h - 0.85 * d, 2 * q.n, bevel=q.edge(r))
    ear = hull(
        rod(0.36 * d, 0.22 * d, q.n).rotate((0, 90, 0)).translate((0, 0, h)),
        block(0.22 * d, 0.9 * d, 0.1 * d).translate((0.11 * d, 0, h - 0.95 * d)),
    )
    fork = union(hub, ear.translate((0.28 * d, 0, 0)), ear.translate((-0.5 * d, 0, 0)))
    pin = Solid.cylinder(1.1 * d, 0.14 * d, 0.14 * d, q.m, True).rotate((0, 90, 0))
    cross = union(
        pin,
        pin.rotate((0, 0, 90)),
        block(0.42 * d, 0.42 * d, 0.42 * d).translate((0, 0, -0.21 * d)),
    )
    if not solid:
        fork = fork - rod(0.5 * r, 0.6 * h, q.n).translate((0, 0, -0.1))
    low = fork.translate((0, 0, -h))
    high = low.rotate((180, 0, 90)).rotate((0, bend, 0))
    return union(low, cross, high)


@shaft_(
    en="shaft key; parallel key; feather key / rectangular machine key; Woodruff key",
    zh_hant="平鍵; 軸鍵; 鍵塊 / 方鍵; 半圓鍵",
    zh_hans="平键; 轴键; 键块 / 方键; 半圆键",
    b=one_of(3, 4, 5, 6, 8, 10, 12, 14),
    long=log_uniform(2.5, 8, "long"),
    kind=one_of("round", "square", "half", "woodruff"),
    tall=uniform(0.7, 1.1),
)
def shaft_key(q: Look, *, b: float, long: float, kind: str, tall: float) -> Solid:
    length, h = long * b, tall * b
    if kind == "woodruff":
        r = min(0.5 * length, 2.2 * b)
        flat = disc(r, 3 * q.n) ^ rectangle(2 * r, 2 * r).translate((0, -0.85 * r))
        return prism(flat, b, bevel=q.edge(b)).rotate((90, 0, 0)).translate((0, b / 2, r))
    flat = rectangle(length, b)
    if kind == "round":
        flat = stadium(length, b, q.n)
    elif kind == "half":
        flat = stadium(length, b, q.n) + rectangle(length / 2, b).translate((length / 4, 0))
    return prism(flat, h, bevel=q.edge(b))


@shaft_(
    en="shaft collar; clamp collar; locking ring / shaft stop ring; set collar",
    zh_hant="軸環; 固定環; 止動環 / 軸用夾環; 定位環",
    zh_hans="轴环; 固定环; 止动环 / 轴用夹环; 定位环",
    d=one_of(4, 5, 6, 8, 10, 12, 16, 20, 25),
    outer=uniform(1.6, 2.3, "wide"),
    wide=uniform(0.35, 0.8, "thick"),
    kind=one_of("screw", "split", "double"),
)
def shaft_collar(q: Look, *, d: float, outer: float, wide: float, kind: str) -> Solid:
    r, big, h = d / 2, outer * d / 2, wide * d
    made = tube_straight(big, r, h, 2 * q.n, bevel=q.edge(big - r))
    screw = Solid.cylinder(2 * big, 0.14 * d, 0.14 * d, q.m)
    if kind == "screw":
        return made - screw.rotate((90, 0, 0)).translate((0, 0, h / 2))
    slot = block(0.1 * d, big, 3 * h).translate((0, big / 2 + 0.4 * r, -h))
    y = (r + big) / 2
    hole = Solid.cylinder(3 * big, 0.22 * (big - r), 0.22 * (big - r), q.m, True).rotate((0, 90, 0))
    pocket = block(big, 0.7 * (big - r), 2 * h).translate((0.75 * big, y + 0.02 * d, -h / 2))
    cut = union(
        slot,
        hole.translate((0, y, h / 2)),
        pocket ^ block(9 * d, 9 * d, 0.72 * h).translate((0, 0, 0.14 * h)),
    )
    if kind == "double":
        cut = union(cut, cut.rotate((0, 0, 180)))
    return made - cut
