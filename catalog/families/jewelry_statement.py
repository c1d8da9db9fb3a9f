"""More finger rings: motifs, pierced and carved bands, large stones. They lie about the y axis."""

from functools import partial

import numpy as np

from catalog.families.gems import gem, setting
from catalog.families.jewelry_parts import puffed, shank
from catalog.families.profiles import disc, heart, petals, rectangle, star
from catalog.families.solids import (
    Array,
    Section,
    Solid,
    ball,
    curve,
    field,
    loft,
    polygon,
    prism,
    tube_straight,
    union,
    wire,
)
from catalog.families.types import Look, family, maybe, one_of, phrase, uniform, whole

ring = partial(family, group="jewelry", category="ring")

BORE = uniform(15, 20)


@ring(
    en="cocktail ring; large stone ring; statement ring / big oval gemstone ring; dress ring",
    zh_hant="雞尾酒戒指; 大寶石戒指; 誇張款戒指 / 大顆蛋面寶石戒; 華麗主石戒",
    zh_hans="鸡尾酒戒指; 大宝石戒指; 夸张款戒指 / 大颗蛋面宝石戒; 华丽主石戒",
    says=(phrase("{name}, {cut} stone", "{cut}{name}", "{cut}{name}"),),
    bore=BORE,
    stone=uniform(8, 15, "large"),
    cut=one_of("cabochon", "oval", "cushion", "emerald", "pear", "round"),
    width=uniform(2.5, 5, "wide"),
    beaded=maybe(),
)
def cocktail_ring(
    q: Look, *, bore: float, stone: float, cut: str, width: float, beaded: bool
) -> Solid:
    top = bore / 2 + 1.0 + 0.38 * stone
    head = setting(cut, stone, style="bezel", n=q.n).rotate((0, 0, 90))
    parts = [
        shank(q, bore=bore, width=width, thick=1.9, style="domed", taper=0.6),
        head.translate((0, 0, top)),
    ]
    if beaded:
        x, y, _, high, wide, _ = head.bounding_box()
        grain = ball(0.05 * stone, 8)
        a = np.linspace(0, 2 * np.pi, 34, endpoint=False)
        rim = np.c_[(high - x) / 2 * np.cos(a), (wide - y) / 2 * np.sin(a)]
        middle = ((high + x) / 2, (wide + y) / 2)
        parts += [grain.translate((*(p + middle), top - 0.04 * stone)) for p in rim]
    hole = Solid.cylinder(99, bore / 2, bore / 2, 2 * q.n, True).rotate((90, 0, 0))
    return union(parts) - hole


@ring(
    en="motif ring; heart ring; star ring; flower top ring"
    " / ring with a small figure on top; love heart band",
    zh_hant="造型戒指; 愛心戒指; 星星戒指; 小花戒指 / 頂部有圖案的戒指; 桃心戒",
    zh_hans="造型戒指; 爱心戒指; 星星戒指; 小花戒指 / 顶部有图案的戒指; 桃心戒",
    says=(phrase("ring with a {motif} on top", "有{motif}的戒指", "有{motif}的戒指"),),
    bore=BORE,
    size=uniform(5, 11, "large"),
    motif=one_of("heart", "star", "flower", "butterfly", "leaf"),
    width=uniform(1.3, 2.8),
    open_=maybe(),
)
def motif_ring(
    q: Look, *, bore: float, size: float, motif: str, width: float, open_: bool
) -> Solid:
    t = 0.2 * size
    leaf = puffed(polygon(curve([(0, 0), (0.3, 0.4), (0, 1), (-0.3, 0.4)], 28, closed=True)), 0.3)
    leaf = leaf.scale((0.5 * size, 0.5 * size, 0.5 * size))
    match motif:
        case "heart":
            flat = heart(size, q.n)
            top = puffed(flat, 2 * t)
            if open_:
                top = prism(flat - flat.offset(-0.16 * size), t, bevel=q.edge(t))
        case "star":
            flat = star(5, 0.55 * size)
            hollow = flat.offset(-0.11 * size)
            top = prism(flat - hollow if open_ else flat, t, bevel=q.edge(t))
        case "flower":
            stone = setting("round", 0.34 * size, style="bezel", n=24)
            disc_ = prism(petals(5, size / 2, q.n), t, bevel=q.edge(t))
            top = union(disc_, stone.translate((0, 0, 1.2 * t)))
        case "butterfly":
            wings = [leaf.scale((1.3, 1.1, 1)).rotate((0, 0, s * 55)) for s in (-1, 1)]
            wings += [leaf.scale((1.1, 0.8, 1)).rotate((0, 0, s * 120)) for s in (-1, 1)]
            top = union(wings, ball(0.07 * size, q.m).scale((1, 4, 1)).translate((0, 0, t / 2)))
        case _:
            top = union([leaf.scale((1.2, 1.3, 1)).rotate((0, 0, a)) for a in (60, -120)])
    body = shank(q, bore=bore, width=width, thick=1.4, style="domed")
    return union(body, top.translate((0, 0, bore / 2 + 0.9)))


@ring(
    en="infinity ring; figure eight ring / endless loop ring; infinity symbol band",
    zh_hant="無限符號戒指; 8字戒指 / 無窮環戒指; 無限大戒",
    zh_hans="无限符号戒指; 8字戒指 / 无穷环戒指; 无限大戒",
    bore=BORE,
    size=uniform(9, 15, "wide"),
    thick=uniform(1.2, 2.2, "heavy"),
    stones=maybe(),
)
def infinity_ring(q: Look, *, bore: float, size: float, thick: float, stones: bool) -> Solid:
    r = bore / 2 + thick / 2
    t = np.linspace(0, 2 * np.pi, 3 * q.n, endpoint=False)
    # A lemniscate laid over the top of the finger.
    x = size / 2 * np.cos(t) / (1 + np.sin(t) ** 2)
    y = 0.9 * size / 2 * np.sin(2 * t) / (1 + np.sin(t) ** 2)
    a = x / r
    lift = r + 0.22 * thick * np.sin(t)
    loop = np.c_[lift * np.sin(a), y, lift * np.cos(a)]
    gap = 0.5 * size / r
    b = np.linspace(gap, 2 * np.pi - gap, 2 * q.n)
    band = np.c_[r * np.sin(b), 0 * b, r * np.cos(b)]
    parts = [wire(loop, thick / 2, q.m, closed=True), wire(band, thick / 2, q.m)]
    if stones:
        small = gem("round", 0.7 * thick, 8)
        parts += [
            small.rotate((0, np.degrees(u), 0)).translate(tuple(map(float, p * (1.06, 1, 1.06))))
            for u, p in zip(a[::6], loop[::6], strict=True)
        ]
    return union(parts)


@ring(
    en="chevron ring; V-shaped ring; wishbone ring / pointed band; arrow tiara ring",
    zh_hant="V形戒指; 人字戒; 尖角戒指 / 許願骨戒; 箭頭形戒圈",
    zh_hans="V形戒指; 人字戒; 尖角戒指 / 许愿骨戒; 箭头形戒圈",
    bore=BORE,
    thick=uniform(1.3, 2.4, "heavy"),
    drop=uniform(2.5, 6, "deep"),
    lines=whole(1, 3),
    sharp=maybe(),
)
def chevron_ring(
    q: Look, *, bore: float, thick: float, drop: float, lines: int, sharp: bool
) -> Solid:
    r = bore / 2 + thick / 2
    t = np.linspace(0, 2 * np.pi, 4 * q.n, endpoint=False)
    away = np.minimum(t, 2 * np.pi - t)
    dip = np.maximum(0, 1 - away / 0.9)
    y = -drop * (dip if sharp else dip**2 * (3 - 2 * dip))
    path = np.c_[r * np.sin(t), y, r * np.cos(t)]
    one = wire(path, thick / 2, q.m, closed=True)
    return union([one.translate((0, 0.96 * thick * i, 0)) for i in range(lines)])


@ring(
    en="toi et moi ring; two-stone ring; bypass ring with two gems"
    " / you and me ring; crossover two diamond ring",
    zh_hant="雙石戒指; 你我戒; 雙鑽交錯戒 / 兩顆寶石的戒指; 交叉雙主石戒",
    zh_hans="双石戒指; 你我戒; 双钻交错戒 / 两颗宝石的戒指; 交叉双主石戒",
    says=(phrase("{name} with a {cut} stone", "{cut}{name}", "{cut}{name}"),),
    bore=BORE,
    stone=uniform(4, 7, "large"),
    cut=one_of("round", "pear", "oval", "heart", "emerald"),
    other=one_of("round", "princess", "pear"),
    thick=uniform(1.5, 2.3, "heavy"),
)
def two_stone_ring(
    q: Look, *, bore: float, stone: float, cut: str, other: str, thick: float
) -> Solid:
    r = bore / 2 + thick / 2
    # The band passes itself at the top, a stone on each end.
    t = np.linspace(-0.22, 2 * np.pi + 0.22, 3 * q.n)
    lean = 0.36 * stone * np.linspace(-1, 1, len(t)) ** 9
    path = np.c_[r * np.sin(t), lean, r * np.cos(t)]
    top = bore / 2 + 0.6 * thick + 0.58 * stone
    first = setting(cut, stone, style="prong", n=q.n).rotate((0, 0, 90))
    second = setting(other, 0.9 * stone, style="prong", n=q.n)
    x, y = 0.32 * stone, 0.52 * stone
    return union(
        wire(path, thick / 2, q.m),
        first.translate((-x, -y, top)),
        second.translate((x, y, top - 0.05 * stone)),
    )


@ring(
    en="snake ring; serpent ring; coiled snake wrap ring / spiral reptile ring; viper ring",
    zh_hant="蛇形戒指; 纏繞蛇戒; 靈蛇戒指 / 螺旋蛇環戒; 蛇頭戒",
    zh_hans="蛇形戒指; 缠绕蛇戒; 灵蛇戒指 / 螺旋蛇环戒; 蛇头戒",
    bore=BORE,
    thick=uniform(1.8, 3, "heavy"),
    turns=uniform(1.3, 2.6, "long"),
    scales=maybe(),
)
def snake_ring(q: Look, *, bore: float, thick: float, turns: float, scales: bool) -> Solid:
    r = bore / 2 + thick / 2
    k = int(3 * q.n * turns)
    t = np.linspace(-2 * np.pi * turns, 0.15, k)
    y = 1.25 * thick * (t - t[0]) / (2 * np.pi)
    path = np.c_[r * np.sin(t), y, r * np.cos(t)]
    grow = np.minimum(1, 0.15 + 2.4 * np.linspace(0, 1, k))
    if scales:
        grow = grow * (1 - 0.07 * (np.arange(k) % 3 == 0))
    body = wire(path, thick / 2, q.m, scale=grow)
    ahead = path[-1] - path[-2]
    turn = float(np.degrees(np.arctan2(ahead[0], ahead[2])))
    skull = ball(1.25 * thick, 2 * q.m).scale((0.72, 0.85, 1.15))
    eye = ball(0.24 * thick, 8)
    eyes = [eye.translate((-0.65 * thick, s * 0.55 * thick, 0.5 * thick)) for s in (-1, 1)]
    head = union(skull, eyes).rotate((0, turn, 0))
    return union(body, head.translate(tuple(map(float, path[-1] + 0.3 * thick * ahead))))


@ring(
    en="pave band ring; micro pave ring; band covered with small diamonds"
    " / sparkling multi-row band; encrusted ring",
    zh_hant="密釘鑲戒指; 滿鑽寬版戒; 微鑲鑽戒 / 多排碎鑽戒指; 鋪滿小鑽的戒指",
    zh_hans="密钉镶戒指; 满钻宽版戒; 微镶钻戒 / 多排碎钻戒指; 铺满小钻的戒指",
    says=(phrase("{rows} row {name}", "{rows}排{name}", "{rows}排{name}"),),
    bore=BORE,
    stone=uniform(1.0, 1.7, "large"),
    rows=whole(2, 5),
    half=maybe(),
)
def pave_band(q: Look, *, bore: float, stone: float, rows: int, half: bool) -> Solid:
    thick = 1.5
    r = bore / 2 + thick
    count = int(2 * np.pi * r / (1.12 * stone))
    step = 360 / count
    grain = gem("round", stone, 8).translate((0, 0, r))
    stones = []
    for j in range(rows):
        y = (j - (rows - 1) / 2) * 0.98 * stone
        shift = step / 2 * (j % 2)
        for i in range(count):
            a = i * step + shift
            if not half or abs((a + 180) % 360 - 180) < 85:
                stones.append(grain.translate((0, y, 0)).rotate((0, a, 0)))
    body = shank(q, bore=bore, width=(rows + 0.5) * stone, thick=thick, style="flat")
    return union(body, stones)


@ring(
    en="pierced band ring; openwork ring; filigree ring / cut-out lattice band; hollow ring",
    zh_hant="鏤空戒指; 雕花戒指; 金銀絲戒 / 透雕格紋戒; 網格鏤空寬戒",
    zh_hans="镂空戒指; 雕花戒指; 金银丝戒 / 透雕格纹戒; 网格镂空宽戒",
    bore=BORE,
    width=uniform(5, 11, "wide"),
    cells=whole(8, 18),
    shape=one_of("round", "diamond", "heart", "star", "arch"),
    rim=uniform(0.6, 1.1),
)
def pierced_band(
    q: Look, *, bore: float, width: float, cells: int, shape: str, rim: float
) -> Solid:
    thick, r = 1.3, bore / 2
    pitch = 2 * np.pi * r / cells
    w = min(0.8 * pitch, width - 2 * rim)
    tall = width - 2 * rim
    hole: Section = {
        "round": disc(w / 2, q.m),
        "diamond": polygon([(0, tall / 2), (-0.42 * pitch, 0), (0, -tall / 2), (0.42 * pitch, 0)]),
        "heart": heart(w, q.n),
        "star": star(5, w / 2),
        "arch": rectangle(0.62 * pitch, tall, r=0.3 * pitch, n=q.m),
    }[shape]
    cut = prism(hole, 3 * thick).translate((0, 0, r - thick))
    band = tube_straight(r + thick, r, width, 2 * q.n, bevel=q.edge(thick))
    band = band.translate((0, 0, -width / 2)).rotate((90, 0, 0))
    return band - union([cut.rotate((0, 360 * i / cells, 0)) for i in range(cells)])


@ring(
    en="hammered ring; textured band; faceted ring / rough dented band; beaten metal ring",
    zh_hant="錘紋戒指; 肌理戒指; 切面戒指 / 敲打紋理戒圈; 凹凸面戒",
    zh_hans="锤纹戒指; 肌理戒指; 切面戒指 / 敲打纹理戒圈; 凹凸面戒",
    bore=BORE,
    width=uniform(3, 9, "wide"),
    dents=whole(10, 26),
    kind=one_of("hammered", "faceted", "fluted", "milgrain"),
)
def textured_band(q: Look, *, bore: float, width: float, dents: int, kind: str) -> Solid:
    r, t = bore / 2, 1.7
    if kind == "hammered":
        rng = np.random.default_rng(dents)
        made = tube_straight(r + t, r, width, 3 * q.n).translate((0, 0, -width / 2))
        cuts = []
        for i in range(6 * dents):
            a, z = 2.4 * i, width * (rng.random() - 0.5)
            size = rng.uniform(0.9, 1.5)
            x = r + t + 0.78 * size
            cuts.append(ball(size, 12).translate((x * np.cos(a), x * np.sin(a), z)))
        return (made - union(cuts)).rotate((90, 0, 0))
    if kind == "milgrain":
        made = tube_straight(r + t, r, width, 2 * q.n).translate((0, 0, -width / 2))
        count = int(2 * np.pi * (r + t) / 1.1)
        grain = ball(0.5, 8).translate((r + t, 0, width / 2 - 0.5))
        ring_ = union([grain.rotate((0, 0, 360 * i / count)) for i in range(count)])
        return union(made, ring_, ring_.mirror((0, 0, 1))).rotate((90, 0, 0))
    n = 8 * dents
    phase = (np.arange(n) / 8) % 1
    wave = np.cos(np.pi / dents) / np.cos(np.pi / dents * (2 * phase - 1))
    if kind == "fluted":
        wave = 1 - 0.06 * (1 - np.abs(np.sin(np.pi * phase)))
    grown: Array = (r + t) * wave
    high = np.array([-0.5, -0.36, 0.36, 0.5]) * width
    outer = field(np.stack([grown * s for s in (0.94, 1, 1, 0.94)]), high)
    hole = Solid.cylinder(3 * width, r, r, 2 * q.n, True)
    return (outer - hole).rotate((90, 0, 0))


@ring(
    en="dome ring; bombe ring; chunky rounded ring / croissant ring; swollen top ring",
    zh_hant="圓頂戒指; 胖戒; 凸面戒指 / 可頌戒指; 鼓面寬戒",
    zh_hans="圆顶戒指; 胖戒; 凸面戒指 / 可颂戒指; 鼓面宽戒",
    bore=BORE,
    top=uniform(7, 14, "wide"),
    rise=uniform(2.2, 4.5, "tall"),
    ribs=one_of(0, 0, 7, 9, 11),
)
def dome_ring(q: Look, *, bore: float, top: float, rise: float, ribs: int) -> Solid:
    t = np.linspace(0, 2 * np.pi, 6 * q.n, endpoint=False)
    swell = ((1 + np.cos(t)) / 2) ** 1.3
    a = np.linspace(0, np.pi, 12)
    rings = []
    for u, s in zip(t, swell, strict=True):
        wide, thick = 1.2 + (top / 2 - 1.2) * s, 1.4 + (rise - 1.4) * s
        if ribs:
            groove = np.abs(np.cos(ribs * u)) ** 0.5
            thick *= 1 - 0.25 * s * (1 - groove)
        y = np.r_[wide * np.cos(a), 0.0]
        rho = np.r_[bore / 2 + thick * np.sin(a), bore / 2]
        rings.append(np.c_[rho * np.sin(u), y, rho * np.cos(u)])
    return loft(np.stack(rings), closed=True)
