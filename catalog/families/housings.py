"""Plates, housings and what is bolted to them."""

from functools import partial

import numpy as np
from manifold3d import OpType

from catalog.families.profiles import (
    disc,
    holes,
    ngon,
    rectangle,
    stadium,
)
from catalog.families.solids import (
    Section,
    Solid,
    block,
    hull,
    prism,
    rod,
    tube_straight,
    union,
)
from catalog.families.types import Look, family, log_uniform, maybe, one_of, phrase, uniform, whole

part = partial(family, group="structure")
plate_ = partial(part, category="plate")
housing = partial(part, category="housing")


@plate_(
    en="mounting plate; plate with holes; base plate / flat drilled plate; adapter plate",
    zh_hant="安裝板; 有孔鐵板; 底板 / 鑽孔平板; 轉接板",
    zh_hans="安装板; 带孔铁板; 底板 / 钻孔平板; 转接板",
    says=(
        phrase("{name} with a centre hole", "中間有孔的{name}", "中间有孔的{name}", when="middle"),
    ),
    size=log_uniform(20, 200),
    ratio=uniform(0.35, 1.0),
    thick=uniform(0.03, 0.12, "thick"),
    rows=whole(2, 4),
    round_=uniform(0, 0.3),
    middle=maybe(),
    slots=maybe(),
)
def mounting_plate(
    q: Look, *, size: float, ratio: float, thick: float, rows: int, round_: float, middle: bool,
    slots: bool,
) -> Solid:  # fmt: skip
    y = ratio * size
    flat = rectangle(size, y, r=round_ * y, n=q.n)
    r = 0.07 * y
    at = [(x * 0.84 * size / 2, v * 0.37 * y) for x in np.linspace(-1, 1, rows) for v in (-1, 1)]
    if slots:
        hole = stadium(4 * r, 1.6 * r, q.m)
        for x, v in at[:2] + at[-2:]:
            flat = flat - hole.translate((0.86 * x, v))
    else:
        flat = holes(flat, at, r, q.m)
    if middle:
        flat = flat - disc(0.2 * y, 2 * q.n)
    return prism(flat, thick * size, bevel=q.edge(0.6 * thick * size))


@plate_(
    en="perforated plate; perforated sheet; mesh plate / plate full of small holes; vent grille",
    zh_hant="沖孔板; 網孔板; 多孔板 / 滿布小孔的板; 通風網板",
    zh_hans="冲孔板; 网孔板; 多孔板 / 满布小孔的板; 通风网板",
    size=log_uniform(30, 200),
    ratio=uniform(0.5, 1.0),
    thick=uniform(0.015, 0.06, "thick"),
    columns=whole(6, 14, "fine"),
    fill=uniform(0.4, 0.72),
    shape=one_of("round", "square", "hexagon", "slot"),
    stagger=maybe(),
)
def perforated_plate(
    q: Look, *, size: float, ratio: float, thick: float, columns: int, fill: float, shape: str,
    stagger: bool,
) -> Solid:  # fmt: skip
    pitch = 0.94 * size / columns
    rows = max(2, int(ratio * columns))
    y = (rows + 0.6) * pitch
    w = fill * pitch
    one = {
        "round": disc(w / 2, q.m),
        "square": rectangle(w, w),
        "hexagon": ngon(6, w),
        "slot": stadium(1.5 * w, 0.55 * w, q.m) if fill > 0.5 else stadium(1.3 * w, 0.5 * w, q.m),
    }[shape]
    cuts: list[Section] = []
    for j in range(rows):
        shift = 0.25 * (1 if j % 2 else -1) if stagger else 0.0
        for i in range(columns - (1 if stagger and j % 2 else 0)):
            x = i - (columns - 1) / 2 + shift + (0.25 if stagger and j % 2 == 0 else 0.25 * stagger)
            cuts.append(one.translate((x * pitch, (j - (rows - 1) / 2) * pitch)))
    flat = rectangle(1.03 * size, y, r=0.03 * size) - Section.batch_boolean(cuts, OpType.Add)
    return prism(flat, thick * size + 0.2)


@plate_(
    en="spacer; round spacer; distance sleeve / plain standoff ring; shim ring",
    zh_hant="墊柱; 隔套; 間隔柱 / 定距套筒; 間隔環",
    zh_hans="垫柱; 隔套; 间隔柱 / 定距套筒; 间隔环",
    d=log_uniform(4, 50),
    bore=uniform(0.4, 0.75),
    long=log_uniform(0.25, 3, "tall"),
    kind=one_of("round", "round", "hex", "stepped"),
)
def spacer(q: Look, *, d: float, bore: float, long: float, kind: str) -> Solid:
    h, r = long * d, bore * d / 2
    if kind == "hex":
        return prism(ngon(6, d) - disc(r, q.n), h, bevel=q.edge(0.3 * d))
    made = tube_straight(d / 2, r, h, 2 * q.n, bevel=q.edge(d / 2 - r))
    if kind == "stepped":
        made = union(made, tube_straight((d / 2 + r) / 2, r, 1.35 * h, 2 * q.n))
    return made


# --- housings ------------------------------------------------------------------------------


@housing(
    en="enclosure; electronics enclosure; project box / instrument case; PCB box with screw posts",
    zh_hant="電子外殼; 機殼; 儀器盒 / 電路板盒; 有螺絲柱的機盒",
    zh_hans="电子外壳; 机壳; 仪器盒 / 电路板盒; 带螺丝柱的机盒",
    wide=log_uniform(40, 220),
    deep=uniform(0.5, 1.0),
    tall=uniform(0.15, 0.5, "tall"),
    round_=uniform(0.02, 0.15),
    vents=maybe(),
    ports=maybe(),
    lid=one_of("none", "none", "beside"),
    ears=maybe(),
)
def enclosure(
    q: Look, *, wide: float, deep: float, tall: float, round_: float, vents: bool, ports: bool,
    lid: str, ears: bool,
) -> Solid:  # fmt: skip
    y, h, w = deep * wide, tall * wide, 0.02 * wide + 0.8
    flat = rectangle(wide, y, r=round_ * wide, n=q.n)
    made = prism(flat, h, bevel=q.edge(w)) - prism(flat.offset(-w), h).translate((0, 0, w))
    post = tube_straight(0.035 * wide, 0.014 * wide, 0.85 * h, q.m)
    at = [(x * 0.42 * wide, v * (y / 2 - 0.08 * wide)) for x in (-1, 1) for v in (-1, 1)]
    parts = [made, *(post.translate((a, b, 0)) for a, b in at)]
    cuts: list[Solid] = []
    if vents:
        slit = block(0.02 * wide, 4 * w, 0.5 * h).translate((0, -y / 2, 0.28 * h))
        cuts += [slit.translate((0.055 * wide * i, 0, 0)) for i in range(-3, 4)]
    if ports:
        cuts.append(block(4 * w, 0.22 * y, 0.3 * h).translate((wide / 2, 0.12 * y, 0.35 * h)))
        jack = rod(0.12 * h, 4 * w, q.m).rotate((0, 90, 0))
        cuts.append(jack.translate((wide / 2 - 2 * w, -0.22 * y, 0.5 * h)))
    if ears:
        x = 0.57 * wide
        lug = holes(stadium(1.28 * wide, 0.16 * wide, q.n), [(-x, 0), (x, 0)], 0.03 * wide, q.m)
        ear = prism(lug, 1.5 * w)
        parts.append(ear - prism(flat.offset(-w), h).translate((0, 0, w)))
    if lid == "beside":
        screw = [(a, b) for a, b in at]
        cover = prism(holes(flat, screw, 0.016 * wide, q.m), w, bevel=q.edge(w))
        parts.append(cover.translate((0, y * 1.15, 0)))
    return union(parts) - union(cuts) if cuts else union(parts)


@housing(
    en="gearbox housing; machine housing; cast casing / motor gear case; reducer housing",
    zh_hant="齒輪箱外殼; 機械殼體; 減速機殼 / 鑄造箱體; 變速箱殼",
    zh_hans="齿轮箱外壳; 机械壳体; 减速机壳 / 铸造箱体; 变速箱壳",
    size=log_uniform(50, 200),
    deep=uniform(0.5, 0.8),
    tall=uniform(0.7, 1.1, "tall"),
    bore=uniform(0.2, 0.34),
    ribs=maybe(),
    top=one_of("square", "round"),
)
def gear_housing(
    q: Look, *, size: float, deep: float, tall: float, bore: float, ribs: bool, top: str
) -> Solid:
    x, y, h, w = size, deep * size, tall * size, 0.05 * size
    r = bore * size
    if top == "round":
        face = rectangle(x, 0.6 * h).translate((0, 0.3 * h)) + disc(x / 2, 2 * q.n).translate(
            (0, h - x / 2)
        )
    else:
        face = rectangle(x, h, r=0.08 * x).translate((0, h / 2))
    solid = prism(face, y, bevel=q.edge(w)).rotate((90, 0, 0)).translate((0, y / 2, 0))
    room = prism(face.offset(-w), y - 2 * w).rotate((90, 0, 0)).translate((0, y / 2 - w, 0))
    boss = Solid.cylinder(y + 3 * w, r, r, 2 * q.n, True).rotate((90, 0, 0))
    hole = Solid.cylinder(2 * y, 0.72 * r, 0.72 * r, 2 * q.n, True).rotate((90, 0, 0))
    base = prism(
        holes(rectangle(1.35 * x, 1.05 * y, r=0.06 * x),
              [(a * 0.6 * x, b * 0.38 * y) for a in (-1, 1) for b in (-1, 1)], 0.035 * x, q.m), w,
    )  # fmt: skip
    centre = (0, 0, 0.55 * h)
    parts = [solid, boss.translate(centre), base]
    if ribs:
        rib = block(0.04 * x, y + 2.4 * w, 0.5 * h)
        parts += [rib.translate((s * 0.33 * x, 0, 0)) for s in (-1, 1)]
    bolt = rod(0.025 * x, 3 * y, q.m).rotate((90, 0, 0)).translate((0, 1.5 * y, 0))
    ring = [bolt.translate((0.86 * r * np.cos(a), 0, 0.55 * h + 0.86 * r * np.sin(a)))
            for a in np.arange(6) * np.pi / 3]  # fmt: skip
    return union(parts) - union(room, hole.translate(centre), ring)


@housing(
    en="cover; lid; end cover plate / housing cap; inspection cover with screw holes",
    zh_hant="蓋子; 端蓋; 上蓋 / 外殼蓋板; 有螺絲孔的檢修蓋",
    zh_hans="盖子; 端盖; 上盖 / 外壳盖板; 带螺丝孔的检修盖",
    size=log_uniform(20, 160),
    ratio=uniform(0.5, 1.0),
    thick=uniform(0.04, 0.1, "thick"),
    shape=one_of("round", "rectangle"),
    lip=uniform(0.05, 0.2, "deep"),
    bolts=one_of(4, 4, 6),
    raised=maybe(),
)
def cover_lid(
    q: Look, *, size: float, ratio: float, thick: float, shape: str, lip: float, bolts: int,
    raised: bool,
) -> Solid:  # fmt: skip
    t = thick * size
    if shape == "round":
        flat = disc(size / 2, 2 * q.n)
        a = 2 * np.pi * np.arange(bolts) / bolts
        at = [(0.42 * size * float(np.cos(u)), 0.42 * size * float(np.sin(u))) for u in a]
        inner = disc(0.34 * size, 2 * q.n)
    else:
        y = ratio * size
        flat = rectangle(size, y, r=0.08 * size, n=q.n)
        xs = (-1, 1) if bolts == 4 else (-1, 0, 1)
        at = [(x * 0.43 * size, v * (y / 2 - 0.07 * size)) for x in xs for v in (-1, 1)]
        inner = rectangle(0.76 * size, y - 0.28 * size, r=0.05 * size, n=q.n)
    made = prism(holes(flat, at, 0.03 * size, q.m), t, bevel=q.edge(t))
    ring = prism(inner - inner.offset(-0.04 * size), lip * size).translate(
        (0, 0, -lip * size + 0.01)
    )
    parts = [made, ring]
    if raised:
        parts.append(prism(inner, 0.8 * t, bevel=q.edge(t)).translate((0, 0, t - 0.01)))
    return union(parts)


@housing(
    en="heat sink; heatsink; cooling fins / finned aluminium radiator; CPU cooler block",
    zh_hant="散熱片; 散熱器; 鋁散熱鰭片 / 冷卻鰭片; 處理器散熱塊",
    zh_hans="散热片; 散热器; 铝散热鳍片 / 冷却翅片; 处理器散热块",
    says=(phrase("{name} with {fins} fins", "{fins}片{name}", "{fins}片{name}"),),
    size=log_uniform(12, 120),
    ratio=uniform(0.5, 1.2),
    tall=uniform(0.25, 0.8, "tall"),
    fins=whole(5, 18),
    kind=one_of("fins", "fins", "pins", "radial"),
)
def heat_sink(q: Look, *, size: float, ratio: float, tall: float, fins: int, kind: str) -> Solid:
    y, h, base = ratio * size, tall * size, 0.08 * size
    if kind == "radial":
        core = rod(0.2 * size, h, 2 * q.n)
        fin = block(0.3 * size, 0.35 * size / fins, h).translate((0.33 * size, 0, 0))
        turns = [fin.rotate((0, 0, 360 * i / (2 * fins))) for i in range(2 * fins)]
        return union(core, turns) - rod(0.1 * size, 3 * h, q.n).translate((0, 0, -h))
    foot = block(size, y, base, bevel=q.edge(base))
    pitch = size / fins
    at = [(i + 0.5) * pitch - size / 2 for i in range(fins)]
    if kind == "fins":
        return union(foot, [block(0.38 * pitch, y, h).translate((x, 0, base / 2)) for x in at])
    rows = max(3, int(y / pitch))
    pins = [
        block(0.5 * pitch, 0.5 * pitch, h).translate((x, (j + 0.5) * y / rows - y / 2, base / 2))
        for x in at
        for j in range(rows)
    ]
    return union(foot, pins)


@housing(
    en="motor; electric motor; servo motor body / stepper motor; gear motor with shaft",
    zh_hant="馬達; 電動馬達; 步進馬達 / 伺服馬達; 帶軸電機",
    zh_hans="电机; 电动马达; 步进电机 / 伺服电机; 带轴马达",
    size=one_of(20, 28, 35, 42, 57, 60, 86),
    long=uniform(0.6, 1.8, "long"),
    kind=one_of("stepper", "round", "finned"),
    shaft=uniform(0.3, 0.7),
    flat=maybe(),
)
def motor(q: Look, *, size: float, long: float, kind: str, shaft: float, flat: bool) -> Solid:
    h, r = long * size, size / 2
    stem = rod(0.06 * size, shaft * size, q.n, bevel=0.01 * size)
    if flat:
        stem = stem - block(size, size, size).translate((0.545 * size, 0, 0.2 * shaft * size))
    stem = stem.translate((0, 0, h))
    pilot = rod(0.26 * size, 0.05 * size, 2 * q.n).translate((0, 0, h - 0.01))
    corner = [(x * 0.39 * size, y * 0.39 * size) for x in (-1, 1) for y in (-1, 1)]
    face = rectangle(size, size, r=0.06 * size)
    match kind:
        case "stepper":
            cut = rectangle(2 * size, 2 * size) ^ (ngon(4, 1.24 * size, turn=0).rotate(45) ^ face)
            end = prism(holes(face, corner, 0.035 * size, q.m), 0.22 * h, bevel=q.edge(0.2 * size))
            core = prism(cut, 0.6 * h).translate((0, 0, 0.2 * h))
            body = [end, core, end.translate((0, 0, 0.78 * h))]
        case "round":
            plugs = block(0.3 * size, 0.12 * size, 0.1 * h).translate((0, 0, -0.09 * h))
            body = [rod(r, h, 2 * q.n, bevel=q.edge(r)), plugs]
        case _:
            fin = block(0.03 * size, 0.09 * size, 0.8 * h).translate((0, 0.49 * size, 0.1 * h))
            fins = [fin.rotate((0, 0, 360 * i / 28)) for i in range(28)]
            box = block(0.35 * size, 0.3 * size, 0.35 * h).translate((0, 0.6 * size, 0.4 * h))
            base = hull(
                block(0.8 * size, 0.1 * size, 0.6 * h), block(0.4 * size, 0.4 * size, 0.6 * h)
            )
            feet = base.translate((0, -0.55 * size, 0.2 * h))
            body = [rod(0.46 * size, h, 2 * q.n, bevel=0.04 * size), *fins, box, feet]
    return union(body, pilot, stem)
