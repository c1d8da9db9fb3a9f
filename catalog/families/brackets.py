"""Brackets and supports. Folded from plate; their base lies on z = 0."""

from functools import partial

from catalog.families.profiles import (
    disc,
    holes,
    rectangle,
    softened,
    stadium,
)
from catalog.families.solids import (
    Solid,
    block,
    polygon,
    prism,
    rod,
    union,
)
from catalog.families.types import Look, family, log_uniform, maybe, one_of, phrase, uniform, whole

part = partial(family, group="structure")
bracket = partial(part, category="bracket")


def leg_plate(
    q: Look, *, long: float, wide: float, t: float, count: int, hole: float, round_: bool
) -> Solid:
    """A bracket's leg on z = 0 from x = 0 to `long`, with `count` holes along it."""
    flat = rectangle(long, wide).translate((long / 2, 0))
    if round_:
        end = stadium(1.2 * long, wide, q.n).translate((0.4 * long, 0))
        flat = flat ^ (end + rectangle(0.6 * long, wide).translate((0.3 * long, 0)))
    # Holes keep clear of the bend.
    at = [(t + (long - t) * (i + 0.62) / (count + 0.12), 0.0) for i in range(count)]
    return prism(holes(flat, at, hole, q.m) if count else flat, t, bevel=q.edge(0.6 * t))


HOLES = whole(1, 3)
FOLD = {
    "size": log_uniform(20, 140),
    "wide": uniform(0.25, 0.9, "wide"),
    "thick": uniform(0.05, 0.14, "thick"),
    "count": HOLES,
    "round_": maybe(),
}


@bracket(
    en="L bracket; angle bracket; corner bracket / right-angle mounting plate; shelf bracket",
    zh_hant="L型支架; 角碼; 直角支架 / 角鐵固定片; 九十度固定架",
    zh_hans="L型支架; 角码; 直角支架 / 角铁固定片; 九十度固定架",
    says=(phrase("{name} with a gusset", "有加強肋的{name}", "有加强筋的{name}", when="rib"),),
    **FOLD,
    other=uniform(0.6, 1.3),
    rib=maybe(),
)
def l_bracket(
    q: Look, *, size: float, wide: float, thick: float, count: int, round_: bool, other: float,
    rib: bool,
) -> Solid:  # fmt: skip
    w, t = wide * size, thick * size
    hole = min(0.17 * w, 0.2 * size / count)
    low = leg_plate(q, long=size, wide=w, t=t, count=count, hole=hole, round_=round_)
    high = leg_plate(q, long=other * size, wide=w, t=t, count=count, hole=hole, round_=round_)
    high = high.rotate((0, -90, 0)).translate((t, 0, 0))
    parts = [low, high]
    if rib:
        reach = 0.55 * size * min(1, other)
        flat = polygon([(0.5 * t, 0.5 * t), (reach, 0.5 * t), (0.5 * t, reach)])
        web = prism(flat, 0.8 * t).rotate((90, 0, 0))
        at = (0.4 * t,) if count == 1 else (-w / 2 + 0.8 * t, w / 2)
        parts += [web.translate((0, y, 0)) for y in at]
    return union(parts)


@bracket(
    en="Z bracket; offset bracket; step bracket / zigzag mounting plate; joggled bracket",
    zh_hant="Z型支架; 階梯支架; 偏移支架 / Z字形固定片; 折彎支架",
    zh_hans="Z型支架; 阶梯支架; 偏移支架 / Z字形固定片; 折弯支架",
    **FOLD,
    rise=uniform(0.4, 1.1, "tall"),
)
def z_bracket(
    q: Look, *, size: float, wide: float, thick: float, count: int, round_: bool, rise: float
) -> Solid:
    w, t, h = wide * size, thick * size, rise * size
    hole = min(0.17 * w, 0.2 * size / count)
    leg = leg_plate(q, long=size, wide=w, t=t, count=count, hole=hole, round_=round_)
    wall = block(t, w, h).translate((t / 2, 0, 0))
    return union(leg, wall, leg.rotate((0, 0, 180)).translate((t, 0, h - t)))


@bracket(
    en="U bracket; channel bracket; saddle bracket / U-shaped clevis plate; yoke bracket",
    zh_hant="U型支架; 槽形支架; 馬鞍支架 / U形固定座; 叉形支架",
    zh_hans="U型支架; 槽形支架; 马鞍支架 / U形固定座; 叉形支架",
    **FOLD,
    rise=uniform(0.5, 1.3, "tall"),
)
def u_bracket(
    q: Look, *, size: float, wide: float, thick: float, count: int, round_: bool, rise: float
) -> Solid:
    w, t, h = wide * size, thick * size, rise * size
    hole = min(0.17 * w, 0.2 * size / count)
    base = leg_plate(q, long=size, wide=w, t=t, count=count, hole=hole, round_=False)
    wall = leg_plate(q, long=h, wide=w, t=t, count=1, hole=0.22 * w, round_=round_)
    left = wall.rotate((0, -90, 0)).translate((t, 0, 0))
    return union(base, left, left.translate((size - t, 0, 0)))


@bracket(
    en="omega bracket; hat bracket; strap bracket / pipe saddle strap; two-hole strap",
    zh_hant="歐姆支架; 帽形支架; 管夾片 / 馬鞍形壓條; 雙孔固定帶",
    zh_hans="欧姆支架; 帽形支架; 骑马卡 / 马鞍形压条; 双孔固定带",
    size=log_uniform(12, 100),
    wide=uniform(0.3, 0.9, "wide"),
    thick=uniform(0.06, 0.14, "thick"),
    ear=uniform(0.5, 1.0, "long"),
    square=maybe(),
)
def omega_bracket(
    q: Look, *, size: float, wide: float, thick: float, ear: float, square: bool
) -> Solid:
    r, t, w, e = size / 2, thick * size, wide * size, ear * size
    if square:
        shape = rectangle(2 * (r + t), 2 * (r + t)) - rectangle(2 * r, 2 * r)
    else:
        shape = disc(r + t, 2 * q.n) - disc(r, 2 * q.n)
    top = rectangle(4 * size, 2 * size).translate((0, size))
    inner = rectangle(2 * r, r).translate((0, r / 2)) if square else disc(r, 2 * q.n)
    foot = rectangle(2 * (r + t + e), t).translate((0, t / 2)) - inner
    strap = prism((shape ^ top) + foot, w).rotate((90, 0, 0)).translate((0, w / 2, 0))
    drill = rod(min(0.2 * w, 0.28 * e), 4 * t, q.m).translate((r + t + 0.52 * e, 0, -t))
    return strap - union(drill, drill.rotate((0, 0, 180)))


@bracket(
    en="gusset plate; triangular bracket; corner gusset / triangle stiffener; brace plate",
    zh_hant="三角板; 三角支架; 加強角板 / 三角加強片; 角撐板",
    zh_hans="三角板; 三角支架; 加强角板 / 三角加强片; 角撑板",
    size=log_uniform(25, 150),
    other=uniform(0.7, 1.3),
    thick=uniform(0.05, 0.16, "thick"),
    count=whole(1, 3),
    opening=maybe(),
    flange=maybe(),
)
def gusset(
    q: Look, *, size: float, other: float, thick: float, count: int, opening: bool, flange: bool
) -> Solid:
    y, t, c = other * size, thick * size, 0.16 * size
    flat = polygon([(0, 0), (size, 0), (size, c), (c, y), (0, y)])
    if opening:
        hole = polygon([(0.24, 0.24), (0.6, 0.24), (0.24, 0.6)]) ^ rectangle(9, 9)
        flat = flat - softened(hole.scale((size, y)), 0.03 * size)
    at = [(0.12 * size, 0.1 * y), (0.82 * size, 0.085 * y), (0.085 * size, 0.82 * y)][:count]
    made = prism(holes(flat, at, 0.045 * size, q.m), t, bevel=q.edge(t))
    if flange:
        wall = block(size, t, 0.3 * size).translate((size / 2, t / 2, 0))
        made = union(made, wall, block(t, y, 0.3 * size).translate((t / 2, y / 2, 0)))
    return made


@bracket(
    en="shelf support; triangular shelf bracket; console bracket / strut wall support; cantilever",
    zh_hant="層板托架; 三角托架; 壁掛支撐架 / 層板支撐; 懸臂托架",
    zh_hans="层板托架; 三角托架; 壁挂支撑架 / 层板支撑; 悬臂托架",
    size=log_uniform(60, 300),
    drop=uniform(0.6, 1.1, "tall"),
    bar=uniform(0.06, 0.12, "heavy"),
    brace=one_of("straight", "curved", "scroll"),
)
def shelf_support(q: Look, *, size: float, drop: float, bar: float, brace: str) -> Solid:
    y, w = drop * size, bar * size
    flat = rectangle(size, w).translate((size / 2, y - w / 2))
    flat = flat + rectangle(w, y).translate((w / 2, y / 2))
    if brace == "straight":
        flat = flat + polygon([(0, 0.12 * y), (0.12 * y, 0.12 * y * 0.7), (0.85 * size, y - w),
                               (0.85 * size - 1.4 * w, y - w)])  # fmt: skip
    elif brace == "curved":
        ring = disc(1, 3 * q.n).scale((0.84 * size, 0.84 * y)) - disc(1, 3 * q.n).scale(
            (0.84 * size - w, 0.84 * y - w)
        )
        quarter = rectangle(size, y).translate((-size / 2, y / 2))
        flat = flat + (ring ^ quarter).translate((0.84 * size, 0.1 * y)).mirror((0, 1)).translate(
            (0, y)
        )
    else:
        for r, x in ((0.26, 0.32), (0.15, 0.7)):
            loop = disc(r * size, 2 * q.n) - disc(r * size - 0.8 * w, 2 * q.n)
            flat = flat + loop.translate((x * size, y - w - r * size * 0.94))
    made = prism(flat, 1.2 * w).rotate((90, 0, 0)).translate((0, 0.6 * w, 0))
    drill = rod(0.22 * w, 4 * w, q.m)
    side = drill.rotate((0, 90, 0)).translate((-w, 0, 0))
    made = made - union(side.translate((0, 0, 0.06 * y)), side.translate((0, 0, 0.84 * y)))
    return made - drill.translate((0.9 * size, 0, y - 2 * w))
