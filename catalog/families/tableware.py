"""Vases, mugs, plates and cutlery: mostly turned on z, standing on z = 0."""

from functools import partial

import numpy as np

from catalog.families.profiles import (
    annulus,
    disc,
    ngon,
    petals,
    rectangle,
    superellipse,
)
from catalog.families.solids import (
    Array,
    Section,
    Solid,
    ball,
    curve,
    filleted,
    lathe,
    loft,
    polar,
    polygon,
    prism,
    rod,
    sweep,
    tube_straight,
    turned,
    union,
)
from catalog.families.types import Look, family, log_uniform, maybe, one_of, phrase, uniform, whole

thing = partial(family, group="everyday")
vase_ = partial(thing, category="vase")
ware = partial(thing, category="tableware")
# Outlines (radius, height) from foot to lip, as shares of the greatest half width and height.
SHAPES: dict[str, list[tuple[float, float]]] = {
    "bottle": [(0.62, 0), (0.95, 0.2), (0.9, 0.45), (0.35, 0.72), (0.28, 0.88), (0.42, 1)],
    "amphora": [(0.4, 0), (0.75, 0.25), (1.0, 0.55), (0.75, 0.8), (0.5, 0.9), (0.62, 1)],
    "tulip": [(0.5, 0), (0.85, 0.2), (0.8, 0.5), (0.62, 0.72), (0.98, 1)],
    "cone": [(0.4, 0), (0.6, 0.35), (0.8, 0.7), (1.0, 1)],
    "barrel": [(0.7, 0), (0.98, 0.3), (1.0, 0.6), (0.72, 1)],
    "globe": [(0.45, 0), (0.9, 0.22), (1.0, 0.45), (0.8, 0.75), (0.5, 0.9), (0.52, 1)],
    "column": [(0.85, 0), (0.8, 0.1), (0.72, 0.5), (0.8, 0.9), (0.95, 1)],
}


def vessel(points: Array, wall: float, floor: float, n: int) -> Solid:
    """An (r, z) outline from foot to lip as a vessel of that wall; the lip is rounded."""
    r, z = points.T
    inner_r = np.maximum(r - wall, 0.02 * r.max())
    inside = z > floor
    hollow = np.c_[inner_r[inside], z[inside]]
    start = [(0.0, floor), (np.interp(floor, z, inner_r), floor)]
    lip = (r[-1] - wall / 2, z[-1] + 0.4 * wall)
    outline = [(0.0, z[0]), *map(tuple, points), lip, *map(tuple, hollow[::-1]), *start[::-1]]
    return lathe(outline, n)


def figured(points: Array, wall: float, floor: float, wave: Array, twist: float, n: int) -> Solid:
    """A vessel whose radius is also multiplied by `wave` (one turn), twisted by `twist` turns."""
    r, z = points.T
    a = np.arange(n) / n
    grown = np.interp(a, np.linspace(0, 1, len(wave)), wave)

    def skin(radius: Array, height: Array) -> Solid:
        turn = 2 * np.pi * (a + twist * (height[:, None] - z[0]) / (z[-1] - z[0]))
        x = radius[:, None] * grown
        tall = np.broadcast_to(height[:, None], x.shape)
        return loft(np.stack([x * np.cos(turn), x * np.sin(turn), tall], -1))

    keep = z > floor
    inner = np.maximum(r[keep] - wall, 0.02 * r.max())
    heights = np.r_[floor, z[keep], z[-1] + wall]
    return skin(r, z) - skin(np.r_[inner[:1], inner, inner[-1:]], heights)


@vase_(
    en="vase; flower vase; decorative vase / tall vessel for flowers; ornamental pot",
    zh_hant="花瓶; 裝飾花瓶; 插花瓶 / 插花用的高瓶; 擺飾瓶",
    zh_hans="花瓶; 装饰花瓶; 插花瓶 / 插花用的高瓶; 摆饰瓶",
    says=(phrase("{shape} shaped {name}", "{name}", "{name}"),),
    height=log_uniform(60, 320),
    slim=uniform(0.3, 0.85, "slender"),
    shape=one_of(*SHAPES),
    foot=maybe(),
)
def vase(q: Look, *, height: float, slim: float, shape: str, foot: bool) -> Solid:
    half = height * (1.2 - slim) / 2
    points = curve(np.array(SHAPES[shape]) * (half, height), 48)
    made = vessel(points, 0.05 * half + 1, 0.03 * height, 2 * q.n)
    if foot:
        made = union(made, rod(points[0, 0] * 1.12, 0.03 * height, 2 * q.n, bevel=1))
    return made


@vase_(
    en="twisted vase; spiral vase; fluted vase / ribbed swirling vase; faceted twist vase",
    zh_hant="扭轉花瓶; 螺旋花瓶; 溝紋花瓶 / 旋紋造型花瓶; 多角扭轉瓶",
    zh_hans="扭转花瓶; 螺旋花瓶; 沟纹花瓶 / 旋纹造型花瓶; 多角扭转瓶",
    height=log_uniform(60, 280),
    slim=uniform(0.4, 0.85, "slender"),
    shape=one_of(*SHAPES),
    lobes=whole(3, 16),
    deep=uniform(0.05, 0.2, "deep"),
    turns=uniform(0, 0.5),
    kind=one_of("wave", "facet", "flute"),
)
def twisted_vase(
    q: Look, *, height: float, slim: float, shape: str, lobes: int, deep: float, turns: float,
    kind: str,
) -> Solid:  # fmt: skip
    half = height * (1.2 - slim) / 2
    points = curve(np.array(SHAPES[shape]) * (half, height), 28)
    t = np.linspace(0, 1, 12 * lobes + 1)
    phase = (t * lobes) % 1
    match kind:
        case "wave":
            wave = 1 - deep * (1 + np.cos(2 * np.pi * phase)) / 2
        case "facet":
            wave = np.cos(np.pi / lobes) / np.cos(np.pi / lobes * (2 * phase - 1))
        case _:
            wave = 1 - deep * (1 - np.abs(np.sin(np.pi * phase)))
    n = max(3 * q.n, 8 * lobes)
    return figured(points, 0.06 * half + 1, 0.03 * height, wave, turns, n)


@vase_(
    en="flower pot; plant pot; planter / pot for succulents; garden pot with a rim",
    zh_hant="花盆; 盆栽盆; 植栽盆 / 多肉植物盆; 有邊的園藝盆",
    zh_hans="花盆; 盆栽盆; 植栽盆 / 多肉植物盆; 有边的园艺盆",
    size=log_uniform(50, 260),
    slope=uniform(0.6, 0.9),
    tall=uniform(0.7, 1.2, "tall"),
    sides=one_of(0, 0, 0, 4, 6, 8),
    rim=maybe(),
    saucer=maybe(),
)
def flower_pot(
    q: Look, *, size: float, slope: float, tall: float, sides: int, rim: bool, saucer: bool
) -> Solid:
    r, h, w = size / 2, tall * size, 0.045 * size
    n = sides or 2 * q.n
    made = rod(slope * r, h, n, top=r) - rod(slope * r - w, h, n, top=r - w).translate((0, 0, w))
    if rim:
        band = tube_straight(1.08 * r, r - w, 0.17 * h, n)
        made = union(made, band.translate((0, 0, 0.83 * h)))
    drain = rod(0.1 * r, 3 * w, q.m).translate((0, 0, -w))
    made = made - (drain if sides else union(polar(drain.translate((0.4 * r, 0, 0)), 3)))
    if saucer:
        dish = rod(0.95 * r, 0.12 * h, n, top=1.1 * r)
        dish = dish - rod(0.9 * r, 0.2 * h, n, top=1.1 * r).translate((0, 0, 0.6 * w))
        made = union(dish, made.translate((0, 0, 0.5 * w)))
    return made.rotate((0, 0, 180 / sides if sides else 0))


def handle(q: Look, *, r: float, h: float, thick: float, reach: float, kind: str) -> Solid:
    """A mug's handle against a wall of radius r, its middle at half of h."""
    x = r - 0.02 * r
    line = {
        "C": [(x, 0.78 * h), (x + 0.7 * reach, 0.8 * h), (x + reach, 0.52 * h),
              (x + 0.7 * reach, 0.26 * h), (x, 0.22 * h)],
        "D": [(x, 0.8 * h), (x + reach, 0.8 * h), (x + reach, 0.24 * h), (x, 0.24 * h)],
        "ear": [(x, 0.84 * h), (x + 0.9 * reach, 0.88 * h), (x + reach, 0.6 * h),
                (x + 0.35 * reach, 0.28 * h), (x, 0.2 * h)],
    }[kind]  # fmt: skip
    flat = filleted(line, 0.28 * h, 8) if kind == "D" else curve(line, 30)
    path = np.c_[flat[:, 0], np.zeros(len(flat)), flat[:, 1]]
    outline = superellipse(1.1 * thick, 1.9 * thick, 2.6, q.m)
    return sweep(path, outline, up=(0, 1, 0))


@ware(
    en="mug; coffee mug; cup with a handle / tea mug; drinking mug",
    zh_hant="馬克杯; 咖啡杯; 有把手的杯子 / 茶杯; 喝水杯",
    zh_hans="马克杯; 咖啡杯; 带把手的杯子 / 茶杯; 喝水杯",
    height=log_uniform(60, 130, "tall"),
    wide=uniform(0.36, 0.52, "wide"),
    shape=one_of("straight", "taper", "barrel", "tulip"),
    grip=one_of("C", "D", "ear"),
    foot=maybe(),
)
def mug(q: Look, *, height: float, wide: float, shape: str, grip: str, foot: bool) -> Solid:
    r, h, w = wide * height, height, 0.035 * height + 0.8
    line = {
        "straight": [(0.93, 0), (1.0, 0.07), (1.0, 0.6), (1.0, 1)],
        "taper": [(0.72, 0), (0.82, 0.2), (0.92, 0.6), (1.0, 1)],
        "barrel": [(0.78, 0), (1.02, 0.25), (1.06, 0.6), (0.92, 1)],
        "tulip": [(0.6, 0), (0.95, 0.25), (0.9, 0.65), (1.02, 1)],
    }[shape]
    points = curve(np.array(line) * (r, h), 32)
    cup = vessel(points, w, 1.3 * w, 2 * q.n)
    at = float(np.interp(0.5 * h, points[:, 1], points[:, 0]))
    loop = handle(q, r=at, h=h, thick=0.075 * h, reach=0.36 * h, kind=grip)
    room = turned(np.c_[np.maximum(points[:, 0] - 0.5 * w, 0.1), points[:, 1]], 2 * q.n)
    made = union(cup, loop - room)
    return union(made, tube_straight(0.7 * r, 0.6 * r, 0.1, q.n)) if foot else made


@ware(
    en="cup; tumbler; drinking glass / handleless beaker; water glass",
    zh_hant="杯子; 玻璃杯; 水杯 / 無把手的杯; 平底杯",
    zh_hans="杯子; 玻璃杯; 水杯 / 无把手的杯; 平底杯",
    height=log_uniform(50, 160, "tall"),
    wide=uniform(0.25, 0.5, "wide"),
    slope=uniform(0.65, 1.0),
    sides=one_of(0, 0, 0, 8, 10, 12),
)
def tumbler(q: Look, *, height: float, wide: float, slope: float, sides: int) -> Solid:
    r, w, n = wide * height, 0.03 * height + 0.6, sides or 2 * q.n
    outer = rod(slope * r, height, n, top=r)
    return outer - rod(slope * r - w, height, 2 * q.n, top=r - w).translate((0, 0, 2 * w))


@ware(
    en="goblet; wine glass; chalice / stemmed glass; champagne cup",
    zh_hant="高腳杯; 紅酒杯; 聖杯 / 有腳的酒杯; 香檳杯",
    zh_hans="高脚杯; 红酒杯; 圣杯 / 有脚的酒杯; 香槟杯",
    height=log_uniform(80, 240, "tall"),
    bowl=uniform(0.18, 0.3, "wide"),
    stem=uniform(0.35, 0.6),
    flare=uniform(0.6, 1.1),
)
def goblet(q: Look, *, height: float, bowl: float, stem: float, flare: float) -> Solid:
    h, r, w = height, bowl * height, 0.014 * height + 0.4
    foot = curve(np.array([(0.85 * r, 0), (0.5 * r, 0.03 * h), (0.1 * r, 0.08 * h)]), 10)
    cup = curve(
        np.array([(0.1 * r, stem * h), (0.75 * r, (stem + 0.1) * h),
                  (r, (stem + (1 - stem) * 0.5) * h), (flare * r, h)]), 24,
    )  # fmt: skip
    outer = turned([*foot, *cup], 2 * q.n)
    inner = np.c_[np.maximum(cup[4:, 0] - w, 0.02 * r), cup[4:, 1]]
    return outer - turned([*inner, (inner[-1, 0], h + 1)], 2 * q.n)


@ware(
    en="bowl; salad bowl; rice bowl / deep round dish; soup bowl",
    zh_hant="碗; 沙拉碗; 飯碗 / 深圓盤; 湯碗",
    zh_hans="碗; 沙拉碗; 饭碗 / 深圆盘; 汤碗",
    size=log_uniform(80, 300),
    deep=uniform(0.25, 0.6, "deep"),
    curl=uniform(0.4, 0.8),
    foot=maybe(),
    waves=one_of(0, 0, 6, 10),
)
def bowl(q: Look, *, size: float, deep: float, curl: float, foot: bool, waves: int) -> Solid:
    r, h, w = size / 2, deep * size, 0.025 * size + 0.6
    points = curve(
        np.array([(0.35 * r, 0), (0.72 * r, 0.28 * h * curl), (0.92 * r, 0.62 * h), (r, h)]), 24
    )
    if waves:
        wave = 1 + 0.05 * np.cos(2 * np.pi * waves * np.linspace(0, 1, 16 * waves + 1))
        made = figured(points, w, 1.2 * w, wave, 0.0, max(2 * q.n, 12 * waves))
    else:
        made = vessel(points, w, 1.2 * w, 2 * q.n)
    if foot:
        made = union(
            made, tube_straight(0.4 * r, 0.3 * r, 0.12 * h, q.n).translate((0, 0, -0.08 * h))
        )
    return made


@ware(
    en="plate; dinner plate; dish / flat round tableware; serving plate",
    zh_hant="盤子; 餐盤; 碟子 / 平底圓盤; 西餐盤",
    zh_hans="盘子; 餐盘; 碟子 / 平底圆盘; 西餐盘",
    size=log_uniform(100, 320),
    rise=uniform(0.06, 0.14, "deep"),
    rim=uniform(0.6, 0.8),
    shape=one_of("round", "round", "square"),
)
def plate(q: Look, *, size: float, rise: float, rim: float, shape: str) -> Solid:
    r, h, w = size / 2, rise * size, 0.014 * size + 0.6
    line = [(rim * r * 0.85, 0), (rim * r, 0.25 * h), (0.88 * r, 0.75 * h), (r, h)]
    points = curve(np.array(line), 16)
    if shape == "round":
        return vessel(points, 1.6 * w, w, 2 * q.n)
    a = np.linspace(0, 2 * np.pi, 8 * 24 + 1) + np.pi / 4
    wave = 0.82 / (np.abs(np.cos(a)) ** 5 + np.abs(np.sin(a)) ** 5) ** 0.2
    return figured(points, 1.6 * w, w, wave, 0.0, 4 * q.n)


@ware(
    en="spoon; tablespoon; eating spoon / teaspoon; soup ladle spoon",
    zh_hant="湯匙; 勺子; 餐匙 / 茶匙; 調羹",
    zh_hans="勺子; 汤匙; 餐匙 / 茶匙; 调羹",
    long=log_uniform(90, 240, "long"),
    bowl_=uniform(0.15, 0.26, "wide"),
    deep=uniform(0.2, 0.5, "deep"),
    bend=uniform(0.02, 0.1),
)
def spoon(q: Look, *, long: float, bowl_: float, deep: float, bend: float) -> Solid:
    w = bowl_ * long / 2
    shell = ball(1, 2 * q.n).scale((1.45 * w, w, deep * 2 * w)).trim_by_plane((0, 0, -1), 0)
    t = 0.1 * w + 0.5
    inner = ball(1, 2 * q.n).scale((1.45 * w - t, w - t, deep * 2 * w - t))
    x = [-1.4 * w, -2.0 * w, -0.45 * long, -0.8 * long]
    path = curve([(x[0], 0, -t), (x[1], 0, bend * long * 0.6), (x[2], 0, bend * long),
                  (x[3], 0, 0.3 * bend * long)], 40)  # fmt: skip
    wide = np.interp(np.linspace(0, 1, 40), [0, 0.15, 0.6, 1], [1.0, 0.75, 1.0, 1.9])
    stem = sweep(
        path, superellipse(0.55 * t + 0.14 * w, 0.3 * w, 2.5, 12), up=(0, 1, 0), scale=wide
    )
    return union(shell - inner, stem - inner)


@ware(
    en="fork; dinner fork; table fork / four-pronged eating fork; salad fork",
    zh_hant="叉子; 餐叉; 西餐叉 / 四齒叉; 沙拉叉",
    zh_hans="叉子; 餐叉; 西餐叉 / 四齿叉; 沙拉叉",
    long=log_uniform(90, 220, "long"),
    tines=one_of(2, 3, 3, 4, 4),
    wide=uniform(0.1, 0.16, "wide"),
    bend=uniform(0.02, 0.08),
)
def fork(q: Look, *, long: float, tines: int, wide: float, bend: float) -> Solid:
    w, t = wide * long, 0.014 * long + 0.4
    pitch = w / tines
    half = [(-0.5, 0.24), (-0.5, 0.36), (-0.16, 0.46), (-0.13, 0.7), (-0.26, 0.97), (-0.18, 1)]
    side = np.array(half) * (w, long)
    shape = polygon(np.concatenate([side, side[::-1] * (-1, 1)]))
    for i in range(tines):
        x = (i - (tines - 1) / 2) * pitch
        shape = shape + rectangle(0.52 * pitch, 0.26 * long, r=0.2 * pitch).translate(
            (x, 0.13 * long)
        )
    made = prism(shape, t).refine_to_length(0.06 * long)

    def bent(points: Array) -> Array:
        y = points[:, 1] / long
        points[:, 2] += bend * long * np.cos(2 * np.pi * (y - 0.12) / 0.9)
        return points

    return made.warp_batch(bent)


@ware(
    en="coaster; drink coaster; cup mat / round beverage coaster; drip mat",
    zh_hant="杯墊; 茶杯墊; 隔熱墊 / 圓形杯墊; 飲料墊",
    zh_hans="杯垫; 茶杯垫; 隔热垫 / 圆形杯垫; 饮料垫",
    size=log_uniform(70, 120),
    shape=one_of("round", "square", "hexagon", "flower"),
    thick=uniform(0.03, 0.07, "thick"),
    pattern=one_of("rim", "rings", "holes", "hexes"),
)
def coaster(q: Look, *, size: float, shape: str, thick: float, pattern: str) -> Solid:
    t, r = thick * size, size / 2
    flat = {
        "round": disc(r, 2 * q.n),
        "square": rectangle(0.95 * size, 0.95 * size, r=0.08 * size, n=q.n),
        "hexagon": ngon(6, 0.95 * size),
        "flower": petals(8, r, 2 * q.n, depth=0.15),
    }[shape]
    made = prism(flat, t, bevel=q.edge(t))
    inner = flat.offset(-0.07 * size)
    match pattern:
        case "rim":
            return made - prism(inner, t).translate((0, 0, 0.5 * t))
        case "rings":
            cut = [annulus(x * r, (x - 0.07) * r, 2 * q.n) for x in (0.3, 0.5, 0.7)]
            return made - prism(cut[0] + cut[1] + cut[2], t).translate((0, 0, 0.5 * t))
        case _:
            one = ngon(6, 0.1 * size) if pattern == "hexes" else disc(0.04 * size, q.m)
            pitch = 0.125 * size
            grid: list[Section] = []
            for i in range(-4, 5):
                for j in range(-4, 5):
                    x, y = (i + 0.5 * (j % 2)) * pitch, j * pitch * 0.866
                    if np.hypot(x, y) < 0.8 * r:
                        grid.append(one.translate((x, y)))
            return made - prism(sum(grid[1:], grid[0]), 3 * t).translate((0, 0, -t))
