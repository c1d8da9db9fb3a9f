"""Finger rings. A ring lies about the y axis through the origin: its stone is at the top, +z."""

from functools import partial

import numpy as np

from catalog.families.gems import CUTS, gem, girdle, setting
from catalog.families.jewelry_parts import BANDS, shank, shoulders
from catalog.families.profiles import rectangle, softened, stadium
from catalog.families.solids import (
    Solid,
    arc,
    ball,
    circle_points,
    loft,
    polar,
    polygon,
    prism,
    sweep,
    torus,
    union,
    wire,
)
from catalog.families.types import Look, family, log_uniform, maybe, one_of, phrase, uniform, whole

ring = partial(family, group="jewelry", category="ring")
GEM_SAYS = (
    phrase("{name} with a {cut} diamond", "鑲{cut}鑽石的{name}", "镶{cut}钻石的{name}"),
    phrase("{cut} {name}", "{cut}{name}", "{cut}{name}"),
    phrase("a ring with a {cut} diamond", "有{cut}鑽石的戒指", "有{cut}钻石的戒指"),
    phrase(
        "silver ring, with a diamond, {cut}", "銀色戒指，有鑽石，{cut}", "银色戒指，有钻石，{cut}"
    ),
    phrase("{seat} ring, {cut} gemstone", "{seat}戒指，{cut}寶石", "{seat}戒指，{cut}宝石"),
)


@ring(
    en="plain band ring; wedding band; plain ring / smooth wedding ring; unadorned band",
    zh_hant="素圈戒指; 婚戒; 素面戒指 / 光面戒指; 無鑲石對戒",
    zh_hans="素圈戒指; 婚戒; 素面戒指 / 光面戒指; 无镶石对戒",
    says=(phrase("ring without gems", "沒有寶石的戒指", "没有宝石的戒指"),),
    bore=uniform(14, 22),
    width=log_uniform(1.6, 10, "wide"),
    thick=uniform(1.1, 2.8, "thick"),
    style=one_of(*BANDS),
)
def plain_band(q: Look, *, bore: float, width: float, thick: float, style: str) -> Solid:
    return shank(q, bore=bore, width=width, thick=thick, style=style)


@ring(
    en="solitaire ring; diamond ring; engagement ring / single stone ring; proposal ring",
    zh_hant="單鑽戒指; 鑽戒; 訂婚戒指 / 單石戒指; 求婚鑽戒",
    zh_hans="单钻戒指; 钻戒; 订婚戒指 / 单石戒指; 求婚钻戒",
    says=GEM_SAYS,
    bore=uniform(15, 20),
    width=uniform(1.6, 3.4, "wide"),
    stone=log_uniform(3.5, 9.5, "large"),
    cut=one_of(*CUTS),
    seat=one_of("prong", "prong", "bezel"),
    claws=one_of(4, 4, 6),
    style=one_of("domed", "flat", "knife", "wire"),
    cathedral=maybe(),
)
def solitaire_ring(
    q: Look,
    *,
    bore: float,
    width: float,
    stone: float,
    cut: str,
    seat: str,
    claws: int,
    style: str,
    cathedral: bool,
) -> Solid:
    thick = 1.5 + 0.1 * width
    top = bore / 2 + thick * 0.6 + 0.62 * stone
    parts = [
        shank(q, bore=bore, width=width, thick=thick, style=style, taper=0.75),
        setting(cut, stone, style=seat, n=q.n, claws=claws).translate((0, 0, top)),
    ]
    if cathedral:
        reach = 0.6 * thick + 0.3 * stone
        parts.append(shoulders(q, bore=bore, width=width, thick=thick, reach=reach))
    return union(parts)


@ring(
    en="halo ring; halo diamond ring; ring with a halo of small diamonds"
    " / cluster halo engagement ring; ring with stones around the centre stone",
    zh_hant="光環戒指; 圍鑲鑽戒; 碎鑽圍繞的戒指 / 圍鑽訂婚戒; 主石周圍一圈小鑽的戒指",
    zh_hans="光环戒指; 围镶钻戒; 碎钻围绕的戒指 / 围钻订婚戒; 主石周围一圈小钻的戒指",
    says=GEM_SAYS[:3],
    bore=uniform(15, 20),
    stone=uniform(4, 8, "large"),
    cut=one_of("round", "oval", "cushion", "pear", "emerald"),
    small=uniform(1.0, 1.6),
    width=uniform(1.6, 2.8, "wide"),
)
def halo_ring(q: Look, *, bore: float, stone: float, cut: str, small: float, width: float) -> Solid:
    top = bore / 2 + 1.2 + 0.62 * stone
    path = girdle(cut, stone, 200) * (1 + 1.35 * small / stone)
    plate = prism(polygon(path * (1 + 0.62 * small / stone)), 0.8 * small)
    plate = plate.translate((0, 0, top - 0.75 * small))
    length = np.linalg.norm(np.diff(path, axis=0, append=path[:1]), axis=1)
    count = int(length.sum() / (1.12 * small))
    at = np.searchsorted(np.cumsum(length), np.arange(count) * length.sum() / count)
    stones = gem("round", small, 8)
    around = [stones.translate((*map(float, path[i % 200]), top + 0.1 * small)) for i in at]
    return union(
        shank(q, bore=bore, width=width, thick=1.7, style="domed", taper=0.8),
        setting(cut, stone, style="prong", n=q.n).translate((0, 0, top + 0.1 * stone)),
        plate,
        around,
    )


@ring(
    en="three-stone ring; trilogy ring; ring with three diamonds"
    " / past present future ring; triple stone engagement ring",
    zh_hant="三石戒指; 三鑽戒指; 三顆鑽石的戒指 / 三顆寶石並排的戒指; 三主石鑽戒",
    zh_hans="三石戒指; 三钻戒指; 三颗钻石的戒指 / 三颗宝石并排的戒指; 三主石钻戒",
    says=(
        phrase("{name}, {cut} centre stone", "{name}，{cut}主石", "{name}，{cut}主石"),
        phrase("{cut} {name}", "{cut}{name}", "{cut}{name}"),
    ),
    bore=uniform(15, 20),
    stone=uniform(3.5, 7, "large"),
    side=uniform(0.55, 1.0),
    cut=one_of("round", "oval", "princess", "cushion", "emerald"),
    width=uniform(1.8, 3.4, "wide"),
)
def three_stone_ring(
    q: Look, *, bore: float, stone: float, side: float, cut: str, width: float
) -> Solid:
    r = bore / 2 + 1.0
    middle = setting(cut, stone, style="prong", n=q.n).rotate((0, 0, 90))
    left = setting(cut, stone * side, style="prong", n=q.n).rotate((0, 0, 90))
    reach = r + 0.62 * stone
    lean = np.degrees((0.5 + 0.5 * side) * stone * 1.12 / reach)
    low = r + 0.62 * stone * side
    return union(
        shank(q, bore=bore, width=width, thick=1.7, style="domed", taper=0.8),
        middle.translate((0, 0, reach)),
        [left.translate((0, 0, low)).rotate((0, a, 0)) for a in (-lean, lean)],
    )


@ring(
    en="signet ring; seal ring; flat top ring / crest ring; monogram ring",
    zh_hant="印章戒指; 圖章戒; 平面男戒 / 紋章戒指; 方面大戒",
    zh_hans="印章戒指; 图章戒; 平面男戒 / 纹章戒指; 方面大戒",
    says=(phrase("{face} {name}", "{face}{name}", "{face}{name}"),),
    bore=uniform(16, 22),
    top=uniform(8, 17, "large"),
    face=one_of("round", "oval", "square", "octagon", "cushion"),
    width=uniform(2.5, 5),
    rim=maybe(),
)
def signet_ring(q: Look, *, bore: float, top: float, face: str, width: float, rim: bool) -> Solid:
    shapes = {
        "round": stadium(top, 0.999 * top, q.n),
        "oval": polygon(circle_points(0.42 * top, q.n, y=0.58 * top)),
        "square": rectangle(top, top, r=0.6),
        "octagon": polygon(circle_points(top / 2, 8)).rotate(22.5),
        "cushion": rectangle(top, 1.15 * top, r=0.35 * top, n=q.n),
    }
    section = shapes[face]
    r = bore / 2
    z = r + 2.2
    plate = prism(section, 1.2, bevel=q.edge(4)).translate((0, 0, z - 1.2))
    # The head flows down into the band: a hull from the face to two cuts of the band.
    low = [
        prism(rectangle(1.0, width), 1.0).translate((0, 0, r + 0.3)).rotate((0, a, 0))
        for a in (-62, 62)
    ]
    head = Solid.batch_hull([plate, *low])
    hole = Solid.cylinder(4 * top, r, r, 2 * q.n, True).rotate((90, 0, 0))
    made = union(head, shank(q, bore=bore, width=width, thick=1.7, style="domed")) - hole
    if rim:
        made = made - prism(section.offset(-0.09 * top), 1).translate((0, 0, z - 0.4))
    return made


@ring(
    en="eternity ring; full eternity band; ring with diamonds all around"
    " / infinity diamond band; anniversary ring set with stones all the way round",
    zh_hant="永恆戒; 滿鑽排戒; 整圈鑲鑽的戒指 / 一圈鑽石的線戒; 無限鑽石戒",
    zh_hans="永恒戒; 满钻排戒; 整圈镶钻的戒指 / 一圈钻石的线戒; 无限钻石戒",
    says=(phrase("{cut} {name}", "{cut}{name}", "{cut}{name}"),),
    bore=uniform(15, 20),
    stone=log_uniform(1.6, 4, "large"),
    cut=one_of("round", "princess", "oval", "cushion", "emerald"),
    half=maybe(),
)
def eternity_ring(q: Look, *, bore: float, stone: float, cut: str, half: bool) -> Solid:
    r = bore / 2 + 0.62 * stone
    count = int(2 * np.pi * r / (1.08 * stone))
    jewel = gem(cut, stone, 12).rotate((0, 0, 90)).translate((0, 0, r))
    grain = ball(0.11 * stone, 8)
    step = 360 / count
    grains = [
        grain.translate((0, y * stone, r + 0.1 * stone)).rotate((0, step / 2, 0))
        for y in (-0.42, 0.42)
    ]
    one = union(jewel, grains)
    kept = [i for i in range(count) if not half or abs((i * step + 180) % 360 - 180) < 95]
    return union(
        shank(q, bore=bore, width=1.15 * stone, thick=0.55 * stone, style="flat"),
        [one.rotate((0, i * step, 0)) for i in kept],
    )


@ring(
    en="stacking rings; set of stacked rings; stackable thin rings"
    " / three thin bands worn together; layered ring set",
    zh_hant="疊戴戒指; 多層細戒; 組合疊戒 / 三環疊戴戒; 層疊細圈戒",
    zh_hans="叠戴戒指; 多层细戒; 组合叠戒 / 三环叠戴戒; 层叠细圈戒",
    says=(phrase("{count} {name}", "{count}個{name}", "{count}个{name}"),),
    bore=uniform(15, 20),
    thick=uniform(1.0, 1.8, "thick"),
    count=whole(2, 5),
    beaded=maybe(),
)
def stacking_rings(q: Look, *, bore: float, thick: float, count: int, beaded: bool) -> Solid:
    r = bore / 2 + thick / 2
    hoop = torus(r, thick / 2, 2 * q.n, m=q.m).rotate((90, 0, 0))
    beads = ball(0.6 * thick, 8).translate((0, 0, r))
    n = int(2 * np.pi * r / (1.25 * thick))
    string = union([beads.rotate((0, 360 * i / n, 0)) for i in range(n)], hoop)
    return union(
        [
            (string if beaded and i % 2 else hoop).translate((0, 1.02 * thick * i, 0))
            for i in range(count)
        ]
    )


@ring(
    en="twisted ring; twist band; rope ring / spiral twisted band; braided rope style ring",
    zh_hant="扭紋戒指; 麻花戒指; 繩紋戒 / 螺旋扭轉戒指; 編織繩款戒指",
    zh_hans="扭纹戒指; 麻花戒指; 绳纹戒 / 螺旋扭转戒指; 编织绳款戒指",
    bore=uniform(15, 20),
    thick=uniform(1.8, 4, "heavy"),
    strands=one_of(2, 3, 4),
    turns=whole(5, 14),
    plain=maybe(),
)
def twisted_ring(
    q: Look, *, bore: float, thick: float, strands: int, turns: int, plain: bool
) -> Solid:
    r = bore / 2 + thick / 2
    if plain:
        k = max(3 * q.n, 8 * turns)
        square = softened(rectangle(thick, 0.55 * thick), 0.1 * thick).to_polygons()[0]
        made = sweep(arc(r, 0, 360, k + 1)[:-1], square, closed=True, twist=360 * (turns // 2))
        return made.rotate((90, 0, 0))
    t = np.linspace(0, 2 * np.pi, 10 * turns, endpoint=False)
    spread = thick / 2 * (0.5 if strands == 2 else 0.56)
    ropes = []
    for s in range(strands):
        a = turns * t + 2 * np.pi * s / strands
        rho = r + spread * np.cos(a)
        path = np.c_[rho * np.cos(t), spread * np.sin(a), rho * np.sin(t)]
        ropes.append(wire(path, thick / 2 - 0.5 * spread, q.m, closed=True))
    return union(ropes)


@ring(
    en="crown ring; princess crown ring; tiara ring / royal coronet ring; crown shaped ring",
    zh_hant="皇冠戒指; 公主皇冠戒; 冠冕戒指 / 王冠造型戒指; 皇后尖冠戒",
    zh_hans="皇冠戒指; 公主皇冠戒; 冠冕戒指 / 王冠造型戒指; 皇后尖冠戒",
    bore=uniform(15, 20),
    points=whole(5, 12),
    height=uniform(2.5, 6, "tall"),
    balls=maybe(),
)
def crown_ring(q: Look, *, bore: float, points: int, height: float, balls: bool) -> Solid:
    n = 2 * points * max(2, q.n // points)
    a = np.arange(n) / n * points
    peak = 1 - np.abs(2 * (a % 1) - 1)
    r, t = bore / 2, 1.3
    z = 2.0 + height * peak
    angle = 2 * np.pi * np.arange(n) / n
    ring_at = [(r, 0 * z), (r + t, 0 * z), (r + t, z), (r, z)]
    rings = np.stack([np.c_[d * np.cos(angle), d * np.sin(angle), h] for d, h in ring_at], 1)
    made = loft(rings, closed=True)
    if balls:
        tip = ball(0.75, q.m).translate((r + t / 2, 0, 2.0 + height))
        made = union(made, [s.rotate((0, 0, 180 / points)) for s in polar(tip, points)])
    return made


@ring(
    en="cluster ring; flower ring; flower cluster diamond ring"
    " / blossom ring with petals of stones; daisy cluster ring",
    zh_hant="花形戒指; 花朵鑽戒; 群鑲戒指 / 花瓣造型寶石戒指; 雛菊群鑲戒",
    zh_hans="花形戒指; 花朵钻戒; 群镶戒指 / 花瓣造型宝石戒指; 雏菊群镶戒",
    bore=uniform(15, 20),
    stone=uniform(2.4, 4.5, "large"),
    petals=whole(5, 9),
    width=uniform(1.6, 3),
)
def cluster_ring(q: Look, *, bore: float, stone: float, petals: int, width: float) -> Solid:
    small = stone * 3.0 / petals
    reach = 0.5 * stone + 0.56 * small
    top = bore / 2 + 1.2 + 0.45 * stone
    leaf = setting("round", small, style="bezel", n=max(12, q.n // 2))
    outer = polar(leaf.translate((reach, 0, -0.05 * stone)), petals)
    middle = setting("round", stone, style="bezel", n=q.n)
    return union(
        shank(q, bore=bore, width=width, thick=1.6, style="domed", taper=0.8),
        [s.translate((0, 0, top)) for s in [middle, *outer]],
    )


@ring(
    en="open ring; adjustable open band; open ended ring / cuff ring with a gap; bypass open ring",
    zh_hant="開口戒指; 活圍戒; 開口可調戒指 / 有缺口的戒指; 開口交錯戒",
    zh_hans="开口戒指; 活围戒; 开口可调戒指 / 有缺口的戒指; 开口交错戒",
    says=(phrase("{name} with ball ends", "珠頭{name}", "珠头{name}", when="ends=ball"),),
    bore=uniform(15, 20),
    thick=uniform(1.4, 3, "heavy"),
    gap=uniform(12, 60, "wide"),
    offset=uniform(0, 3.5),
    ends=one_of("ball", "flat", "stone"),
)
def open_ring(q: Look, *, bore: float, thick: float, gap: float, offset: float, ends: str) -> Solid:
    r = bore / 2 + thick / 2
    t = np.radians(np.linspace(90 + gap / 2, 450 - gap / 2, 2 * q.n))
    lean = offset * np.linspace(-1, 1, len(t)) ** 3
    path = np.c_[r * np.cos(t), lean, r * np.sin(t)]
    made = wire(path, thick / 2, q.m)
    if ends == "flat":
        return made
    tip = ball(0.85 * thick, q.m) if ends == "ball" else gem("round", 1.9 * thick, 12)
    placed = [
        tip.rotate((0, 90 - np.degrees(a), 0)).translate(tuple(path[i] * 1.03))
        for i, a in ((0, t[0]), (-1, t[-1]))
    ]
    return union(made, placed)
