"""Furniture, in millimetres at true size. It stands on z = 0, its front towards -y."""

from functools import partial

import numpy as np

from catalog.families.solids import (
    Solid,
    block,
    curve,
    hull,
    pillow,
    polar,
    rod,
    torus,
    turned,
    union,
    wire,
)
from catalog.families.types import Look, family, maybe, one_of, phrase, uniform, whole

piece = partial(family, group="furniture")
chair = partial(piece, category="chair")
table = partial(piece, category="table")
shelf = partial(piece, category="shelf")


def leg(
    q: Look, foot: tuple[float, float], top: tuple[float, float, float], *, kind: str, r: float
) -> Solid:
    """One leg from the floor at `foot` to `top`: "square", "round", "tapered" or "turned"."""
    x, y, z = top
    if kind == "turned":
        shape = [(0.6, 0), (0.5, 0.15), (1.0, 0.3), (0.7, 0.36), (1.1, 0.62), (0.8, 0.8), (1.1, 1)]
        post = turned(curve([(a * r, b * z) for a, b in shape], 40), q.m)
    elif kind == "square":
        post = block(1.8 * r, 1.8 * r, z)
    else:
        post = rod(0.6 * r if kind == "tapered" else r, z, q.m, top=r)
    lean = [[1, 0, (x - foot[0]) / z, foot[0]], [0, 1, (y - foot[1]) / z, foot[1]], [0, 0, 1, 0]]
    return post.transform(lean)


def four_legs(
    q: Look, x: float, y: float, z: float, *, kind: str, r: float, splay: float = 0.0
) -> list[Solid]:
    """Legs under the corners of an x by y seat or top at height z, spread at the floor."""
    return [
        leg(
            q, (sx * (x / 2 + splay), sy * (y / 2 + splay)), (sx * x / 2, sy * y / 2, z),
            kind=kind, r=r,
        )
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]  # fmt: skip


LEGS = one_of("square", "round", "tapered", "turned")


@chair(
    en="chair; dining chair; side chair / four-legged seat with a backrest; wooden kitchen chair",
    zh_hant="椅子; 餐椅; 靠背椅 / 四腳有靠背的座椅; 木製餐桌椅",
    zh_hans="椅子; 餐椅; 靠背椅 / 四脚有靠背的座椅; 木制餐桌椅",
    says=(
        phrase("{name} with armrests", "有扶手的{name}", "有扶手的{name}", when="arms"),
        phrase("{name} without arms", "無扶手{name}", "无扶手{name}"),
    ),
    wide=uniform(380, 520, "wide"),
    seat=uniform(400, 500, "tall"),
    back=uniform(320, 620, "tall"),
    kind=LEGS,
    rails=one_of("slats", "ladder", "panel", "rods", "hoop"),
    arms=one_of(False, False, True),
    splay=uniform(0, 60),
)
def dining_chair(
    q: Look, *, wide: float, seat: float, back: float, kind: str, rails: str, arms: bool,
    splay: float,
) -> Solid:  # fmt: skip
    x, y, t = wide, 0.95 * wide, 32.0
    r, lean = 19.0, 0.16
    low = seat - t
    parts = [block(x, y, t, round_=0.12 * x, bevel=0.3 * t * q.bevel).translate((0, 0, low))]
    parts += four_legs(q, 0.86 * x, 0.84 * y, low + 1, kind=kind, r=r, splay=splay)
    frame: list[Solid] = []
    inner, foot = 0.4 * x, seat - 0.5 * t
    if rails == "hoop":
        a = np.radians(np.linspace(0, 180, q.n))
        ring = np.c_[inner * np.cos(a), 0 * a, back * 0.45 + 0.55 * back * np.sin(a)]
        path = np.concatenate([[(inner, 0, 0)], ring, [(-inner, 0, 0)]])
        frame.append(wire(path, 13, q.m))
        frame += [
            rod(7, 0.45 * back + 0.5 * back * np.cos(u), 10).translate((0.75 * inner * u, 0, 0))
            for u in (-0.8, -0.4, 0.0, 0.4, 0.8)
        ]
    else:
        frame += [
            rod(r * 0.85, back, q.m, top=0.6 * r).translate((s * inner, 0, 0)) for s in (-1, 1)
        ]
        top = block(2 * inner, 22, 0.16 * back, bevel=4 * q.bevel)
        frame.append(top.translate((0, 0, 0.82 * back)))
        if rails == "panel":
            frame.append(block(1.96 * inner, 16, 0.5 * back).translate((0, 0, 0.33 * back)))
        elif rails == "ladder":
            bar = block(1.96 * inner, 16, 0.1 * back)
            frame += [bar.translate((0, 0, f * back)) for f in (0.25, 0.44, 0.63)]
        else:
            wide_bar = 30 if rails == "slats" else 12
            one = block(wide_bar, 12, 0.84 * back) if rails == "slats" else rod(7, 0.84 * back, 10)
            frame += [one.translate((u * inner, 0, 0)) for u in (-0.6, -0.2, 0.2, 0.6)]
    shear = [[1, 0, 0, 0], [0, 1, lean, 0.43 * y], [0, 0, 1, foot]]
    parts.append(union(frame).transform(shear))
    if arms:
        for s in (-1, 1):
            post = rod(12, 210, q.m).translate((s * 0.46 * x, -0.3 * y, foot))
            bar = block(42, 0.85 * y, 20, round_=18).translate((s * 0.46 * x, 0.06 * y, foot + 205))
            parts += [post, bar]
    return union(parts)


@chair(
    en="armchair; upholstered armchair; lounge chair / padded easy chair; single sofa seat",
    zh_hant="扶手椅; 單人沙發; 休閒椅 / 軟墊安樂椅; 布面扶手沙發椅",
    zh_hans="扶手椅; 单人沙发; 休闲椅 / 软垫安乐椅; 布面扶手沙发椅",
    wide=uniform(650, 950, "wide"),
    back=uniform(320, 560, "tall"),
    soft=uniform(0.25, 0.48),
    legs=one_of("square", "tapered", "round"),
)
def armchair(q: Look, *, wide: float, back: float, soft: float, legs: str) -> Solid:
    arm, y, low, seat = 0.16 * wide, 0.85 * wide, 130.0, 420.0
    inner = wide - 2 * arm
    n = max(12, q.m)
    cushion = pillow(inner, y - 0.16 * wide, 150, r=75 * soft * 2, n=n)
    rest = pillow(inner, 0.2 * wide, back + 130, r=0.2 * wide * soft, n=n)
    side = pillow(arm, y, 620 - low, r=arm * soft, n=n)
    back_wall = pillow(wide - 0.4 * arm, 0.13 * wide, back + seat - low - 60, r=0.05 * wide, n=n)
    return union(
        block(wide - arm, y - 20, 180).translate((0, 0, low)),
        cushion.translate((0, -0.06 * wide, seat - 150)),
        rest.rotate((-8, 0, 0)).translate((0, 0.3 * y, seat - 60)),
        [side.translate((s * (wide - arm) / 2, 0, low)) for s in (-1, 1)],
        back_wall.translate((0, 0.43 * y, low)),
        four_legs(q, 0.85 * wide, 0.8 * y, low + 5, kind=legs, r=24),
    )


@chair(
    en="stool; bar stool; round stool / backless high seat; counter seat on legs",
    zh_hant="凳子; 高腳凳; 圓凳 / 無靠背高凳; 吧檯椅凳",
    zh_hans="凳子; 高脚凳; 圆凳 / 无靠背高凳; 吧台凳",
    says=(phrase("{count} legged {name}", "{count}腳{name}", "{count}脚{name}"),),
    seat=uniform(260, 420, "wide"),
    height=uniform(420, 800, "tall"),
    count=one_of(3, 4),
    kind=LEGS,
    shape=one_of("round", "round", "square"),
    ring=maybe(),
)
def stool(
    q: Look, *, seat: float, height: float, count: int, kind: str, shape: str, ring: bool
) -> Solid:
    t, r = 34.0, seat / 2
    top = rod(r, t, 2 * q.n, bevel=9 * q.bevel)
    if shape == "square":
        top = block(seat, seat, t, round_=0.12 * seat, bevel=9 * q.bevel)
    low = height - t
    spread = 0.62 * r + 0.1 * height
    post = leg(q, (spread, 0), (0.62 * r, 0, low + 1), kind=kind, r=16)
    parts = [top.translate((0, 0, low)), *(p.rotate((0, 0, 45)) for p in polar(post, count))]
    if ring:
        share = 0.35
        parts.append(
            torus(spread + (0.62 * r - spread) * share, 9, 2 * q.n).translate((0, 0, share * low))
        )
    return union(parts)


@chair(
    en="bench; garden bench; park bench / long seat for several people; slatted wooden bench",
    zh_hant="長椅; 長凳; 公園椅 / 多人座長板凳; 條板木長椅",
    zh_hans="长椅; 长凳; 公园椅 / 多人座长板凳; 条板木长椅",
    long=uniform(900, 1900, "long"),
    slats=whole(3, 6),
    back=maybe(),
    legs=one_of("block", "frame"),
)
def bench(q: Look, *, long: float, slats: int, back: bool, legs: str) -> Solid:
    y, seat, t = 400.0, 440.0, 30.0
    pitch = y / slats
    slat = block(long, 0.82 * pitch, t, bevel=4 * q.bevel)
    parts = [slat.translate((0, (i - (slats - 1) / 2) * pitch, seat - t)) for i in range(slats)]
    if legs == "block":
        side = block(60, 0.9 * y, seat - t + 1)
    else:
        bar = block(50, 50, seat - t + 1)
        beam = block(50, 0.9 * y, 50)
        side = union(
            [bar.translate((0, s * 0.4 * y, 0)) for s in (-1, 1)],
            beam.translate((0, 0, seat - t - 49)),
            beam.translate((0, 0, 120)),
        )
    parts += [side.translate((s * 0.42 * long, 0, 0)) for s in (-1, 1)]
    if back:
        board = block(long, 24, 85, bevel=4 * q.bevel)
        rest = [board.translate((0, 0, 110 + i * 125)) for i in range(3)]
        post = block(50, 40, 450)
        rest += [post.translate((s * 0.42 * long, 25, -20)) for s in (-1, 1)]
        lean = [[1, 0, 0, 0], [0, 1, 0.2, 0.45 * y], [0, 0, 1, seat - t]]
        parts.append(union(rest).transform(lean))
    return union(parts)


@table(
    en="table; dining table; four-legged table / desk with a flat top; rectangular wooden table",
    zh_hant="桌子; 餐桌; 四腳桌 / 平面書桌; 長方形木桌",
    zh_hans="桌子; 餐桌; 四脚桌 / 平面书桌; 长方形木桌",
    long=uniform(700, 2000, "long"),
    deep=uniform(0.4, 0.8),
    height=uniform(400, 780, "tall"),
    kind=LEGS,
    apron=maybe(),
    thick=uniform(18, 50, "thick"),
)
def dining_table(
    q: Look, *, long: float, deep: float, height: float, kind: str, apron: bool, thick: float
) -> Solid:
    y, low = max(deep * long, 420), height - thick
    parts = [block(long, y, thick, round_=20, bevel=0.2 * thick * q.bevel).translate((0, 0, low))]
    parts += four_legs(q, 0.88 * long, 0.84 * y, low + 1, kind=kind, r=26)
    if apron:
        parts += [
            block(0.88 * long, 18, 80).translate((0, s * 0.42 * y, low - 79)) for s in (-1, 1)
        ]
        parts += [
            block(18, 0.84 * y, 80).translate((s * 0.44 * long, 0, low - 79)) for s in (-1, 1)
        ]
    return union(parts)


@table(
    en="round table; pedestal table; bistro table / round top on one column; cafe side table",
    zh_hant="圓桌; 單腳圓桌; 咖啡桌 / 單柱小圓桌; 圓形邊几",
    zh_hans="圆桌; 单脚圆桌; 咖啡桌 / 单柱小圆桌; 圆形边几",
    wide=uniform(450, 1200, "wide"),
    height=uniform(420, 1050, "tall"),
    base=one_of("disc", "cross", "trumpet"),
    thick=uniform(15, 40, "thick"),
)
def round_table(q: Look, *, wide: float, height: float, base: str, thick: float) -> Solid:
    r, low = wide / 2, height - thick
    top = rod(r, thick, 2 * q.n, bevel=0.25 * thick * q.bevel).translate((0, 0, low))
    if base == "trumpet":
        shape = [(0.55 * r, 0), (0.5 * r, 14), (0.14 * r, 0.25 * low), (0.08 * r, 0.6 * low)]
        return union(top, turned([*curve([*shape, (0.22 * r, low + 1)], 40)], 2 * q.n))
    column = rod(0.09 * r + 12, low + 1, q.n)
    if base == "disc":
        foot = rod(0.6 * r, 22, 2 * q.n, bevel=8 * q.bevel)
    else:
        arm = hull(block(0.12 * r, 50, 30), block(50, 50, 120)).translate((0, 0, 0))
        bar = hull(block(1.4 * r, 50, 24), block(80, 50, 110))
        foot = union(bar, bar.rotate((0, 0, 90)), arm)
    return union(top, column, foot)


@shelf(
    en="shelf; bookcase; bookshelf / open shelving unit; storage rack with boards",
    zh_hant="書架; 層架; 書櫃 / 開放式置物架; 多層收納架",
    zh_hans="书架; 层架; 书柜 / 开放式置物架; 多层收纳架",
    says=(phrase("{name} with {boards} boards", "{boards}層{name}", "{boards}层{name}"),),
    wide=uniform(400, 1000, "wide"),
    height=uniform(700, 2000, "tall"),
    boards=whole(3, 7),
    back=maybe(),
    divider=one_of(False, False, True),
)
def bookcase(
    q: Look, *, wide: float, height: float, boards: int, back: bool, divider: bool
) -> Solid:
    y, t = 290.0, 22.0
    wall = block(t, y, height)
    parts = [wall.translate((s * (wide - t) / 2, 0, 0)) for s in (-1, 1)]
    step = (height - t - 60) / (boards - 1)
    parts += [block(wide - 1, y, t).translate((0, 0, 60 + i * step)) for i in range(boards)]
    if back:
        parts.append(block(wide - 2, 8, height - 60).translate((0, y / 2 - 4, 60)))
    if divider:
        parts.append(block(t, y, height - 61).translate((0, 0, 60)))
    return union(parts)


@shelf(
    en="ladder shelf; etagere; wire rack shelf / shelving on four posts; metal storage rack",
    zh_hant="四柱層架; 鐵力士架; 金屬置物架 / 四腳多層架; 立柱層板架",
    zh_hans="四柱层架; 钢架货架; 金属置物架 / 四脚多层架; 立柱层板架",
    wide=uniform(400, 1000, "wide"),
    height=uniform(600, 1800, "tall"),
    boards=whole(2, 5),
    wires=maybe(),
)
def post_shelf(q: Look, *, wide: float, height: float, boards: int, wires: bool) -> Solid:
    y, r = 0.45 * wide, 13.0
    parts = four_legs(q, wide - 30, y - 30, height, kind="round", r=r)
    step = (height - 120) / max(boards - 1, 1)
    if wires:
        rim = [block(wide, 8, 26).translate((0, s * (y - 8) / 2, 0)) for s in (-1, 1)]
        rim += [block(8, y, 26).translate((s * (wide - 8) / 2, 0, 0)) for s in (-1, 1)]
        count = int(wide / 45)
        bar = block(7, y, 7)
        rim += [bar.translate(((i + 0.5) * wide / count - wide / 2, 0, 18)) for i in range(count)]
        board = union(rim)
    else:
        board = block(wide, y, 24, round_=18, bevel=4 * q.bevel)
    return union(parts, [board.translate((0, 0, 90 + i * step)) for i in range(boards)])


@shelf(
    en="cabinet; drawer cabinet; chest of drawers / dresser with drawers; nightstand with knobs",
    zh_hant="抽屜櫃; 斗櫃; 櫃子 / 多抽收納櫃; 床頭抽屜櫃",
    zh_hans="抽屉柜; 斗柜; 柜子 / 多抽收纳柜; 床头抽屉柜",
    says=(phrase("{name} with {drawers} drawers", "{drawers}抽{name}", "{drawers}抽{name}"),),
    wide=uniform(400, 1100, "wide"),
    height=uniform(450, 1200, "tall"),
    drawers=whole(2, 6),
    pull=one_of("knob", "bar"),
    legs=maybe(),
)
def drawer_cabinet(
    q: Look, *, wide: float, height: float, drawers: int, pull: str, legs: bool
) -> Solid:
    y, low = 420.0, 120.0 if legs else 0.0
    body = block(wide, y, height).translate((0, 0, low))
    step = (height - 30) / drawers
    front = block(wide - 40, 20, step - 14, bevel=4 * q.bevel)
    grip = rod(14, 28, q.m).rotate((90, 0, 0))
    if pull == "bar":
        grip = block(0.25 * wide, 22, 14)
    parts = [body]
    for i in range(drawers):
        z = low + 18 + i * step
        parts.append(front.translate((0, -y / 2 - 8, z)))
        xs = (-0.25 * wide, 0.25 * wide) if pull == "knob" and wide > 700 else (0.0,)
        parts += [grip.translate((x, -y / 2 - 18, z + step / 2)) for x in xs]
    if legs:
        parts += four_legs(q, 0.85 * wide, 0.8 * y, low + 1, kind="tapered", r=24)
    return union(parts)


@chair(
    en="sofa; couch; two-seat sofa / long upholstered settee; living room couch",
    zh_hant="沙發; 雙人沙發; 長沙發 / 多人座布沙發; 客廳沙發",
    zh_hans="沙发; 双人沙发; 长沙发 / 多人座布沙发; 客厅沙发",
    says=(phrase("{seats} seat {name}", "{seats}人座{name}", "{seats}人座{name}"),),
    seats=one_of(2, 3),
    seat=uniform(520, 680, "wide"),
    back=uniform(300, 480, "tall"),
    soft=uniform(0.25, 0.48),
)
def sofa(q: Look, *, seats: int, seat: float, back: float, soft: float) -> Solid:
    arm, y, low, top, n = 150.0, 860.0, 90.0, 430.0, max(12, q.m)
    wide = seats * seat + 2 * arm
    cushion = pillow(seat * 0.99, y - 180, 160, r=150 * soft, n=n)
    rest = pillow(seat * 0.97, 190, back + 110, r=180 * soft, n=n)
    side = pillow(arm, y, 560, r=arm * soft, n=n)
    at = [(i - (seats - 1) / 2) * seat for i in range(seats)]
    return union(
        block(wide - 60, y - 30, 200).translate((0, 0, low)),
        [cushion.translate((x, -80, top - 150)) for x in at],
        [rest.rotate((-9, 0, 0)).translate((x, 200, top - 50)) for x in at],
        [side.translate((s * (wide - arm) / 2, 0, low)) for s in (-1, 1)],
        pillow(wide - 60, 130, back + 300, r=50, n=n).translate((0, 0.42 * y, low)),
        four_legs(q, 0.88 * wide, 0.8 * y, low + 5, kind="round", r=24),
    )
