"""Pendants: they hang in the plane of x and z, the bail on top."""

from functools import partial

import numpy as np

from catalog.families.gems import CUTS, gem, girdle, setting
from catalog.families.jewelry_parts import bail, plaque, puffed, upright
from catalog.families.profiles import (
    annulus,
    crescent,
    disc,
    heart,
    petals,
    plus,
    rectangle,
    softened,
    star,
    teardrop,
)
from catalog.families.solids import (
    Section,
    Solid,
    ball,
    circle_points,
    polygon,
    prism,
    rod,
    turned,
    union,
    wire,
)
from catalog.families.types import Look, family, log_uniform, maybe, one_of, phrase, uniform, whole

pendant = partial(family, group="jewelry", category="pendant")
BAILS = one_of("ring", "ring", "tube", "loop")
PENDANT_SAYS = (
    phrase("necklace pendant, {name}", "項鍊吊墜，{name}", "项链吊坠，{name}"),
    phrase("silver {name}", "銀色{name}", "银色{name}"),
)
HOW = one_of("flat", "open", "puffed", "stones")
HOW_SAYS = (
    *PENDANT_SAYS,
    phrase("open {name}", "鏤空{name}", "镂空{name}", when="how=open"),
    phrase("{name} set with stones", "鑲鑽的{name}", "镶钻的{name}", when="how=stones"),
)
SIZE = log_uniform(9, 36)
THICK = uniform(0.05, 0.16, "thick")


@pendant(
    en="heart pendant; heart shaped pendant; love heart necklace charm"
    " / heart locket style charm; valentine heart pendant",
    zh_hant="心形吊墜; 愛心吊墜; 心型墜子 / 愛心項鍊墜; 情人節心形飾品",
    zh_hans="心形吊坠; 爱心吊坠; 心型坠子 / 爱心项链坠; 情人节心形饰品",
    says=HOW_SAYS,
    size=SIZE,
    thick=THICK,
    how=HOW,
    hung=BAILS,
    notch=uniform(0.9, 1.15),
)
def heart_pendant(
    q: Look, *, size: float, thick: float, how: str, hung: str, notch: float
) -> Solid:
    flat = heart(size, q.n * 2).scale((notch, 1))
    made = plaque(q, flat, size=size, thick=thick, how=how, hung=hung)
    # The cleft lies below the lobes: a post joins it to the bail.
    low, high = 0.2 * size, flat.bounds()[3]
    post = rod(0.035 * size, high - low, q.m).translate((0, 0, low))
    return union(made, post)


@pendant(
    en="cross pendant; crucifix pendant; Latin cross / religious cross charm; Christian necklace",
    zh_hant="十字架吊墜; 十字吊墜; 拉丁十字墜子 / 宗教十字架飾品; 基督教項鍊墜",
    zh_hans="十字架吊坠; 十字吊坠; 拉丁十字坠子 / 宗教十字架饰品; 基督教项链坠",
    says=HOW_SAYS,
    size=SIZE,
    thick=THICK,
    how=HOW,
    hung=BAILS,
    wide=uniform(0.55, 0.85, "wide"),
    bar=uniform(0.14, 0.26, "thick"),
    ends=one_of("plain", "flared", "round"),
)
def cross_pendant(
    q: Look, *, size: float, thick: float, how: str, hung: str, wide: float, bar: float, ends: str
) -> Solid:
    w = bar * size
    flat = plus(wide * size, size, w, drop=0.17 * size)
    at = [(0, size / 2), (0, -size / 2)]
    at += [(s * wide * size / 2, 0.17 * size) for s in (-1, 1)]
    if ends == "round":
        for x, y in at:
            flat = flat + disc(0.75 * w, q.n).translate((x, y))
    elif ends == "flared":
        for (x, y), turn in zip(at, (0, 180, 90, -90), strict=True):
            foot = polygon([(-w / 2, -w), (w / 2, -w), (0.95 * w, 0.1 * w), (-0.95 * w, 0.1 * w)])
            flat = flat + foot.rotate(turn).translate((x, y))
    return plaque(q, flat, size=size, thick=thick, how=how, hung=hung)


@pendant(
    en="star pendant; star shaped pendant; five-pointed star charm"
    " / pentagram necklace; starry pendant",
    zh_hant="星形吊墜; 星星吊墜; 五角星墜子 / 星星項鍊墜; 幸運星飾品",
    zh_hans="星形吊坠; 星星吊坠; 五角星坠子 / 星星项链坠; 幸运星饰品",
    says=(
        *HOW_SAYS,
        phrase("{points} pointed {name}", "{points}角{name}", "{points}角{name}"),
    ),
    size=SIZE,
    thick=THICK,
    how=HOW,
    hung=BAILS,
    points=one_of(4, 5, 5, 6, 8),
    inner=uniform(0.36, 0.58),
)
def star_pendant(
    q: Look, *, size: float, thick: float, how: str, hung: str, points: int, inner: float
) -> Solid:
    flat = softened(star(points, size / 2, inner=inner), 0.02 * size)
    return plaque(q, flat, size=size, thick=thick, how=how, hung=hung)


@pendant(
    en="moon pendant; crescent pendant; crescent moon charm"
    " / half moon necklace; lunar shaped pendant",
    zh_hant="月亮吊墜; 新月吊墜; 彎月墜子 / 弦月項鍊墜; 月牙形飾品",
    zh_hans="月亮吊坠; 新月吊坠; 弯月坠子 / 弦月项链坠; 月牙形饰品",
    says=HOW_SAYS[:2],
    size=SIZE,
    thick=THICK,
    how=one_of("flat", "flat", "stones"),
    hung=BAILS,
    phase=uniform(0.3, 0.5),
    tilt=uniform(0, 40),
    starry=maybe(),
)
def moon_pendant(
    q: Look, *, size: float, thick: float, how: str, hung: str, phase: float, tilt: float,
    starry: bool,
) -> Solid:  # fmt: skip
    flat = softened(crescent(size / 2, 3 * q.n, phase=phase), 0.012 * size).rotate(tilt)
    x, top = _top(flat)
    made = plaque(q, flat.translate((-x, 0)), size=size, thick=thick, how=how, hung=hung)
    if starry:
        small = prism(star(5, 0.17 * size), thick * size).translate((0, 0, -thick * size / 2))
        tie = wire(np.array([(0, 0, top), (0.17 * size - x, 0, 0.1 * size)]), 0.02 * size, 8)
        made = union(made, upright(small).translate((0.17 * size - x, 0, 0)), tie)
    return made


def _top(flat: Section) -> tuple[float, float]:
    """The (x, y) of the section's highest vertex."""
    points = np.concatenate(flat.to_polygons())
    x, y = points[points[:, 1].argmax()]
    return float(x), float(y)


@pendant(
    en="teardrop pendant; drop pendant; water drop necklace charm"
    " / pear drop pendant; raindrop charm",
    zh_hant="水滴吊墜; 淚滴吊墜; 水滴形墜子 / 雨滴項鍊墜; 淚珠飾品",
    zh_hans="水滴吊坠; 泪滴吊坠; 水滴形坠子 / 雨滴项链坠; 泪珠饰品",
    says=HOW_SAYS,
    size=SIZE,
    thick=THICK,
    how=one_of("flat", "open", "puffed", "stones", "solid"),
    hung=BAILS,
    bulb=uniform(0.28, 0.4, "wide"),
)
def teardrop_pendant(
    q: Look, *, size: float, thick: float, how: str, hung: str, bulb: float
) -> Solid:
    if how == "solid":
        a = np.linspace(0, np.pi, 24)
        r = bulb * size * np.sin(a) * (0.55 + 0.45 * np.cos(a))
        body = turned(np.c_[np.maximum(r, 0), -np.cos(a) * size / 2], q.n)
        return union(body, bail(q, hung, size=size, z=0.5 * size))
    flat = teardrop(bulb * size, size, 2 * q.n)
    return plaque(q, flat, size=size, thick=thick, how=how, hung=hung)


@pendant(
    en="disc pendant; round pendant; coin pendant / circle medallion; engraved disc necklace",
    zh_hant="圓牌吊墜; 圓形吊墜; 硬幣吊墜 / 圓形紀念章墜; 刻字圓牌項鍊",
    zh_hans="圆牌吊坠; 圆形吊坠; 硬币吊坠 / 圆形纪念章坠; 刻字圆牌项链",
    says=HOW_SAYS[:2],
    size=SIZE,
    thick=THICK,
    face=one_of("plain", "rim", "star", "heart", "sun", "gem"),
    hung=BAILS,
)
def disc_pendant(q: Look, *, size: float, thick: float, face: str, hung: str) -> Solid:
    t, r = thick * size * 0.8, size / 2
    made = prism(disc(r, 2 * q.n), t, bevel=q.edge(t))
    relief = {
        "rim": annulus(r, 0.88 * r, 2 * q.n),
        "star": star(5, 0.62 * r),
        "heart": heart(0.95 * r, q.n),
        "sun": star(16, 0.78 * r, inner=0.62),
    }.get(face)
    if relief is not None:
        made = union(made, prism(relief, 0.5 * t).translate((0, 0, 0.98 * t)))
    elif face == "gem":
        stone = setting("round", 0.34 * size, style="bezel", n=q.n)
        made = union(made, stone.translate((0, 0, t + 0.12 * size)))
    body = upright(made.translate((0, 0, -t / 2)))
    return union(body, bail(q, hung, size=size, z=r))


@pendant(
    en="bar pendant; vertical bar necklace; rectangular bar charm / dog tag bar; stick pendant",
    zh_hant="長條吊墜; 直條吊墜; 長方形墜子 / 條形項鍊墜; 棒形吊墜",
    zh_hans="长条吊坠; 直条吊坠; 长方形坠子 / 条形项链坠; 棒形吊坠",
    says=PENDANT_SAYS,
    size=SIZE,
    wide=uniform(0.08, 0.24, "wide"),
    kind=one_of("flat", "square", "round", "twisted"),
    hung=BAILS,
)
def bar_pendant(q: Look, *, size: float, wide: float, kind: str, hung: str) -> Solid:
    w = wide * size
    match kind:
        case "flat":
            flat = prism(rectangle(w, size, r=0.08 * w), 0.25 * w, bevel=q.edge(0.4 * w))
            body = upright(flat.translate((0, 0, -0.125 * w)))
        case "round":
            body = rod(w / 2, size, q.n, bevel=0.2 * w).translate((0, 0, -size / 2))
        case "twisted":
            body = prism(rectangle(w, w, r=0.05 * w), size, twist=360, steps=40)
            body = body.translate((0, 0, -size / 2))
        case _:
            body = prism(rectangle(w, w), size, bevel=q.edge(w)).translate((0, 0, -size / 2))
    return union(body, bail(q, hung, size=max(0.45 * size, 3 * w), z=size / 2))


@pendant(
    en="locket; photo locket pendant; oval locket / keepsake locket that opens; picture locket",
    zh_hant="相片盒吊墜; 可開式吊墜; 照片墜盒 / 可打開的紀念墜; 橢圓相盒項鍊",
    zh_hans="相片盒吊坠; 可开式吊坠; 照片坠盒 / 可打开的纪念坠; 椭圆相盒项链",
    says=PENDANT_SAYS,
    size=SIZE,
    thick=uniform(0.14, 0.26, "thick"),
    shape=one_of("oval", "round", "heart"),
    hung=BAILS,
    gem_on=maybe(),
)
def locket(q: Look, *, size: float, thick: float, shape: str, hung: str, gem_on: bool) -> Solid:
    flat = {
        "oval": polygon(circle_points(0.38 * size, 2 * q.n, y=0.5 * size)),
        "round": disc(size / 2, 2 * q.n),
        "heart": heart(size, 2 * q.n),
    }[shape]
    t = thick * size
    shell = puffed(flat, t)
    # The seam between the two halves, and the hinge at one side.
    seam = prism(flat.offset(0.1 * size) - flat.offset(-0.03 * size), 0.08 * t)
    x0, _, x1, top = flat.bounds()
    hinge = rod(0.07 * t + 0.02 * size, 0.2 * size, q.m).rotate((-90, 0, 0))
    made = union(
        shell - seam.translate((0, 0, 0.46 * t)), hinge.translate((x0, -0.1 * size, 0.5 * t))
    )
    if gem_on:
        made = union(made, setting("round", 0.2 * size, style="bezel", n=24).translate((0, 0, t)))
    post = rod(0.035 * size, 0.3 * size, q.m).translate((0, 0, top - 0.3 * size))
    return union(upright(made.translate((0, 0, -t / 2))), post, bail(q, hung, size=size, z=top))


@pendant(
    en="solitaire pendant; diamond pendant; gemstone pendant"
    " / single stone necklace; pendant with one diamond",
    zh_hant="單鑽吊墜; 鑽石吊墜; 寶石墜子 / 單石項鍊墜; 一顆鑽石的吊墜",
    zh_hans="单钻吊坠; 钻石吊坠; 宝石坠子 / 单石项链坠; 一颗钻石的吊坠",
    says=(
        phrase("{cut} {name}", "{cut}{name}", "{cut}{name}"),
        phrase("{name} with a {cut} stone", "鑲{cut}寶石的{name}", "镶{cut}宝石的{name}"),
        phrase("{seat} {name}", "{seat}{name}", "{seat}{name}"),
    ),
    stone=log_uniform(4, 16, "large"),
    cut=one_of(*CUTS),
    seat=one_of("prong", "bezel"),
    halo=one_of(False, False, True),
    hung=BAILS,
)
def gem_pendant(q: Look, *, stone: float, cut: str, seat: str, halo: bool, hung: str) -> Solid:
    edge = girdle(cut, stone, 120)
    parts = [setting(cut, stone, style=seat, n=q.n)]
    reach = float(edge[:, 0].max()) + 0.12 * stone
    if halo:
        small = 0.17 * stone
        path = edge * (1 + 1.5 * small / stone)
        rim = path * (1 + 1.2 * small / stone)
        plate = prism(polygon(rim), 0.12 * stone).translate((0, 0, -0.14 * stone))
        reach = float(rim[:, 0].max())
        far = np.cumsum(np.linalg.norm(np.diff(path, axis=0, append=path[:1]), axis=1))
        at = np.searchsorted(far, np.arange(0, far[-1] - 0.6 * small, 1.12 * small))
        grain = gem("round", small, 8)
        parts += [plate, *(grain.translate((*map(float, path[i]), 0.0)) for i in at)]
    made = upright(union(parts).rotate((0, 0, 90)))
    return union(made, bail(q, hung, size=1.6 * stone, z=reach - 0.05 * stone))


@pendant(
    en="flower pendant; floral pendant; daisy charm / blossom necklace; petal shaped pendant",
    zh_hant="花朵吊墜; 花形吊墜; 雛菊墜子 / 花瓣項鍊墜; 小花飾品",
    zh_hans="花朵吊坠; 花形吊坠; 雏菊坠子 / 花瓣项链坠; 小花饰品",
    says=HOW_SAYS,
    size=SIZE,
    thick=THICK,
    how=one_of("flat", "open", "stones"),
    leaves=whole(4, 9),
    hung=BAILS,
    middle=one_of("dome", "gem"),
)
def flower_pendant(
    q: Look, *, size: float, thick: float, how: str, leaves: int, hung: str, middle: str
) -> Solid:
    flat = petals(leaves, size / 2, 2 * q.n).rotate(90)
    made = plaque(q, flat, size=size, thick=thick, how=how, hung=hung)
    heart_ = ball(0.16 * size, q.n, squash=0.7)
    if middle == "gem":
        heart_ = setting("round", 0.3 * size, style="bezel", n=q.n)
    bars = [rod(0.03 * size, size / 2, 8).rotate((0, 360 * i / leaves, 0)) for i in range(leaves)]
    core = upright(heart_.translate((0, 0, thick * size / 2)))
    return union(made, core, bars if how == "open" else [])


@pendant(
    en="cameo pendant; cabochon pendant; oval stone pendant / smooth dome stone in a frame;"
    " moonstone pendant",
    zh_hant="蛋面吊墜; 寶石浮雕墜; 橢圓寶石吊墜 / 圓弧面寶石鑲框墜; 月光石吊墜",
    zh_hans="蛋面吊坠; 宝石浮雕坠; 椭圆宝石吊坠 / 圆弧面宝石镶框坠; 月光石吊坠",
    says=PENDANT_SAYS,
    size=SIZE,
    aspect=uniform(0.6, 1.0, "wide"),
    frame=one_of("plain", "beaded", "rope"),
    hung=BAILS,
)
def cabochon_pendant(q: Look, *, size: float, aspect: float, frame: str, hung: str) -> Solid:
    x, y = aspect * size / 2, size / 2
    plate = prism(polygon(circle_points(x, 2 * q.n, y=y)), 0.08 * size, bevel=q.edge(0.1 * size))
    dome = ball(1.0, 2 * q.n).scale((0.8 * x, 0.8 * y, 0.22 * size)).trim_by_plane((0, 0, 1), 0)
    rim = circle_points(0.88 * x, 4 * q.n, y=0.88 * y)
    path = np.c_[rim, np.full(len(rim), 0.09 * size)]
    if frame == "beaded":
        count = int(np.pi * (x + y) * 0.88 / (0.075 * size))
        grain = ball(0.045 * size, 8)
        at = path[np.linspace(0, len(path), count, endpoint=False).astype(int)]
        edge = [grain.translate(tuple(map(float, p))) for p in at]
    elif frame == "rope":
        t = np.linspace(0, 2 * np.pi, 360, endpoint=False)
        edge = []
        for start in (0, np.pi):
            turn = 24 * t + start
            grown = 0.88 + 0.05 * np.cos(turn)
            coil = [
                grown * x * np.cos(t),
                grown * y * np.sin(t),
                (0.09 + 0.025 * np.sin(turn)) * size,
            ]
            edge.append(wire(np.stack(coil, 1), 0.025 * size, 8, closed=True))
    else:
        edge = [wire(path, 0.04 * size, 10, closed=True)]
    made = union(plate, dome.translate((0, 0, 0.06 * size)), edge)
    return union(upright(made), bail(q, hung, size=size, z=y).translate((0, -0.03 * size, 0)))
