"""Gears and racks. Wheels lie on z = 0 about z."""

from functools import partial

import numpy as np

from catalog.families.profiles import annulus, disc, gear, on_circle, rectangle
from catalog.families.solids import (
    Array,
    Section,
    Solid,
    field,
    lathe,
    polar,
    polygon,
    prism,
    rod,
    union,
)
from catalog.families.types import Look, family, log_uniform, maybe, one_of, phrase, uniform, whole

wheel = partial(family, group="transmission", category="gear")

TEETH_SAYS = (
    phrase("{name} with {teeth} teeth", "{teeth}齒的{name}", "{teeth}齿的{name}"),
    phrase("{teeth} tooth {name}", "{teeth}齒{name}", "{teeth}齿{name}"),
    phrase("gear with {teeth} teeth", "{teeth}齒齒輪", "{teeth}齿齿轮"),
)
MODULE = one_of(0.5, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0)
WEB = one_of("solid", "solid", "holes", "spokes", "recess")
HUB = one_of("none", "one", "both")


def bored(q: Look, body: Solid, *, bore: float, h: float, key: bool) -> Solid:
    """A body with a hole of radius `bore` through it and, if wanted, a keyway."""
    hole = Solid.cylinder(3 * h, bore, bore, q.n, True).translate((0, 0, h / 2))
    if key:
        slot = rectangle(0.7 * bore, 0.6 * bore).translate((0, bore))
        hole = union(hole, prism(slot, 3 * h).translate((0, 0, -h)))
    return body - hole


def wheel_body(
    q: Look, teeth: Solid, *, root: float, bore: float, h: float, web: str, hub: str, key: bool
) -> Solid:
    """A toothed rim turned into a wheel: its web lightened, its hub raised, its bore cut.

    `root` is the radius free of teeth; the web is cut only where there is room.
    """
    hub_r = min(1.75 * bore, 0.5 * (bore + root))
    rim = 0.86 * root
    made = teeth
    if rim - hub_r > 0.18 * root:
        if web == "recess":
            cut = prism(annulus(rim, hub_r, q.n), 0.3 * h)
            made = made - cut - cut.translate((0, 0, 0.7 * h + 1e-3))
        elif web == "holes":
            r = 0.36 * (rim - hub_r)
            count = int(min(8, max(3, 0.7 * np.pi * (rim + hub_r) / (2.6 * r))))
            hole = rod(r, 3 * h, q.m * 2).translate(((rim + hub_r) / 2, 0, -h))
            made = made - union(polar(hole, count))
        elif web == "spokes":
            count = 5 if root < 20 else 6
            bar = rectangle(2 * rim, 0.2 * root).translate((rim, 0))
            gap = annulus(rim, hub_r, q.n)
            for i in range(count):
                gap = gap - bar.rotate(360 * i / count)
            made = made - prism(gap, 3 * h).translate((0, 0, -h))
    rise = 0.0 if hub == "none" else 0.5 * h
    low = -rise if hub == "both" else 0.0
    if rise:
        boss = rod(hub_r, h + rise - low, q.n, bevel=q.edge(bore))
        made = union(made, boss.translate((0, 0, low)))
    return bored(q, made, bore=bore, h=h + 2 * rise, key=key)


def rim_cut(q: Look, teeth: Solid, tip: float, h: float) -> Solid:
    """Tooth ends chamfered on a lathe."""
    b = q.edge(min(h, 0.4 * tip))
    if b <= 0:
        return teeth
    outline = [(tip - b, 0), (tip + 0.01, b), (tip + 0.01, h - b), (tip - b, h)]
    return teeth ^ rod(tip * 1.01, h, q.n * 2) ^ lathe([(0, 0), *outline, (0, h)], q.n * 2)


@wheel(
    en="spur gear; gear; gear wheel; straight tooth gear / cogwheel; toothed wheel; pinion",
    zh_hant="正齒輪; 齒輪; 直齒輪; 直齒圓柱齒輪 / 傳動齒輪; 平齒輪; 小齒輪",
    zh_hans="正齿轮; 齿轮; 直齿轮; 直齿圆柱齿轮 / 传动齿轮; 平齿轮; 小齿轮",
    says=TEETH_SAYS,
    module=MODULE,
    teeth=whole(10, 80, "fine", log=True),
    face=log_uniform(3, 14, "thick"),
    bore=uniform(0.15, 0.45),
    web=WEB,
    hub=HUB,
    key=maybe(),
)
def spur_gear(
    q: Look,
    *,
    module: float,
    teeth: int,
    face: float,
    bore: float,
    web: str,
    hub: str,
    key: bool,
) -> Solid:
    h, root = face * module, (teeth / 2 - 1.25) * module
    rim = prism(gear(module, teeth), h)
    rim = rim_cut(q, rim, (teeth / 2 + 1) * module, h)
    return wheel_body(q, rim, root=root, bore=bore * root, h=h, web=web, hub=hub, key=key)


@wheel(
    en="helical gear; slanted tooth gear; spiral tooth gear / gear with angled teeth; skew gear",
    zh_hant="斜齒輪; 螺旋齒輪; 斜齒圓柱齒輪 / 傾斜齒的齒輪; 螺旋正齒輪",
    zh_hans="斜齿轮; 螺旋齿轮; 斜齿圆柱齿轮 / 倾斜齿的齿轮; 螺旋正齿轮",
    says=TEETH_SAYS,
    module=MODULE,
    teeth=whole(10, 60, "fine", log=True),
    face=log_uniform(5, 18, "thick"),
    bore=uniform(0.15, 0.45),
    angle=one_of(-30.0, -20.0, 15.0, 20.0, 25.0, 30.0),
    hub=HUB,
    web=one_of("solid", "solid", "recess"),
    key=maybe(),
)
def helical_gear(
    q: Look,
    *,
    module: float,
    teeth: int,
    face: float,
    bore: float,
    angle: float,
    hub: str,
    web: str,
    key: bool,
) -> Solid:
    h, root = face * module, (teeth / 2 - 1.25) * module
    twist = np.degrees(h * np.tan(np.radians(angle)) / (teeth * module / 2))
    rim = prism(gear(module, teeth), h, twist=twist, steps=max(4, int(abs(twist) / 4)))
    return wheel_body(q, rim, root=root, bore=bore * root, h=h, web=web, hub=hub, key=key)


@wheel(
    en="herringbone gear; double helical gear; chevron gear / V tooth gear; arrow pattern gear",
    zh_hant="人字齒輪; 雙螺旋齒輪; 人字形齒輪 / V形齒齒輪; 箭形紋齒輪",
    zh_hans="人字齿轮; 双螺旋齿轮; 人字形齿轮 / V形齿齿轮; 箭形纹齿轮",
    says=TEETH_SAYS,
    module=MODULE,
    teeth=whole(10, 50, "fine", log=True),
    face=log_uniform(6, 20, "thick"),
    bore=uniform(0.15, 0.45),
    angle=one_of(15.0, 20.0, 25.0, 30.0, 35.0),
    hub=HUB,
    key=maybe(),
)
def herringbone_gear(
    q: Look,
    *,
    module: float,
    teeth: int,
    face: float,
    bore: float,
    angle: float,
    hub: str,
    key: bool,
) -> Solid:
    h, root = face * module, (teeth / 2 - 1.25) * module
    twist = np.degrees(h / 2 * np.tan(np.radians(angle)) / (teeth * module / 2))
    half = prism(gear(module, teeth), h / 2, twist=twist, steps=max(4, int(twist / 4)))
    low = half.mirror((0, 0, 1)).translate((0, 0, h / 2))
    rim = union(low, half.translate((0, 0, h / 2)))
    return wheel_body(q, rim, root=root, bore=bore * root, h=h, web="solid", hub=hub, key=key)


@wheel(
    en="bevel gear; conical gear; straight bevel gear / mitre gear; cone shaped right-angle gear",
    zh_hant="傘齒輪; 錐齒輪; 斜角齒輪 / 圓錐齒輪; 直角傳動傘形齒輪",
    zh_hans="锥齿轮; 伞齿轮; 斜角齿轮 / 圆锥齿轮; 直角传动伞形齿轮",
    says=TEETH_SAYS,
    module=MODULE,
    teeth=whole(12, 48, "fine", log=True),
    cone=uniform(0.3, 0.95),
    face=uniform(0.22, 0.4, "thick"),
    bore=uniform(0.2, 0.4),
    spiral=one_of(0.0, 0.0, 18.0, -18.0),
)
def bevel_gear(
    q: Look,
    *,
    module: float,
    teeth: int,
    cone: float,
    face: float,
    bore: float,
    spiral: float,
) -> Solid:
    r = teeth * module / 2
    h, small = face * r * 1.4 * cone, 1 - face
    rim = prism(gear(module, teeth), h, taper=small, twist=spiral, steps=6)
    back = 0.45 * r
    hub = rod(0.55 * r, back, q.n, top=0.85 * r, bevel=q.edge(0.3 * r))
    made = union(rim, hub.translate((0, 0, 1e-3 - back)))
    return bored(q, made, bore=bore * r * small, h=h + 2 * back, key=True)


@wheel(
    en="worm; worm screw; worm shaft / helical drive worm; worm gear screw",
    zh_hant="蝸桿; 蝸桿軸; 螺旋蝸桿 / 蝸輪螺桿; 傳動蝸桿",
    zh_hans="蜗杆; 蜗杆轴; 螺旋蜗杆 / 蜗轮螺杆; 传动蜗杆",
    module=one_of(1.0, 1.5, 2.0, 2.5, 3.0, 4.0),
    quotient=uniform(6, 12, "heavy"),
    threads=uniform(4, 9, "long"),
    ends=one_of("bore", "shaft", "shaft"),
)
def worm(q: Look, *, module: float, quotient: float, threads: float, ends: str) -> Solid:
    pitch = np.pi * module
    h, tip = threads * pitch, (quotient / 2 + 1) * module
    rows = int(threads * 12)
    t, a = np.arange(rows + 1) / 12, np.arange(q.n) / q.n
    phase = (t[:, None] - a[None]) % 1
    # A trapezoid wave: flat crest and root, steep flanks, in steps of the grid.
    wave = np.clip(0.5 + 2.2 * (0.5 - np.abs(2 * phase - 1)), 0, 1)
    made = field(tip - 2.2 * module * wave, t * pitch)
    b = 1.2 * module
    made = made ^ lathe([(0, 0), (tip - b, 0), (tip, b), (tip, h - b), (tip - b, h), (0, h)], q.n)
    core = 0.42 * quotient * module
    if ends == "bore":
        collar = union(rod(0.9 * core, h + 8 * module, q.n)).translate((0, 0, -4 * module))
        return bored(q, union(made, collar), bore=0.5 * core, h=h + 8 * module, key=False)
    neck = rod(0.7 * core, h + 16 * module, q.n, bevel=q.edge(core)).translate((0, 0, -8 * module))
    return union(made, neck, rod(0.9 * core, h + 5 * module, q.n).translate((0, 0, -2.5 * module)))


@wheel(
    en="worm wheel; worm gear / throated gear driven by a worm; concave tooth wheel",
    zh_hant="蝸輪; 蝸桿輪 / 蝸輪減速用輪; 凹面斜齒輪",
    zh_hans="蜗轮; 蜗杆轮 / 蜗轮减速用轮; 凹面斜齿轮",
    says=TEETH_SAYS[:2],
    module=MODULE,
    teeth=whole(20, 60, "fine", log=True),
    face=uniform(6, 10, "thick"),
    bore=uniform(0.2, 0.4),
    hub=HUB,
)
def worm_wheel(q: Look, *, module: float, teeth: int, face: float, bore: float, hub: str) -> Solid:
    h, r = face * module, teeth * module / 2
    rim = prism(gear(module, teeth, addendum=1.6), h, twist=360 / teeth * 0.9, steps=8)
    throat = 0.72 * h
    a = np.radians(np.linspace(130, 230, 13))
    centre = r - 0.9 * module + throat
    cut = np.c_[centre + throat * np.cos(a), h / 2 - throat * np.sin(a)]
    groove = lathe([*map(tuple, cut), (2 * r, h), (2 * r, 0)], 2 * q.n)
    return wheel_body(
        q, rim - groove, root=r - 2.2 * module, bore=bore * r, h=h, web="solid", hub=hub, key=True
    )


@wheel(
    en="internal gear; ring gear; annular gear / gear with teeth on the inside; planetary ring",
    zh_hant="內齒輪; 環形齒輪; 內齒圈 / 齒在內側的齒輪; 行星齒圈",
    zh_hans="内齿轮; 环形齿轮; 内齿圈 / 齿在内侧的齿轮; 行星齿圈",
    says=TEETH_SAYS,
    module=MODULE,
    teeth=whole(24, 90, "fine", log=True),
    face=log_uniform(4, 14, "thick"),
    rim=uniform(2.5, 6),
    bolts=one_of(0, 0, 4, 6, 8),
)
def internal_gear(
    q: Look, *, module: float, teeth: int, face: float, rim: float, bolts: int
) -> Solid:
    h, r = face * module, (teeth / 2 + 1.25 + rim) * module
    flat = disc(r, 2 * q.n) - gear(module, teeth, addendum=1.2, dedendum=1.0)
    if bolts:
        r_hole = 0.26 * rim * module
        for x, y in on_circle(bolts, r - 0.48 * rim * module):
            flat = flat - disc(r_hole, q.m).translate((x, y))
    return prism(flat, h) ^ rod(r, h, 2 * q.n, bevel=q.edge(0.4 * h))


@wheel(
    en="gear rack; toothed rack; linear rack / straight bar with teeth; rack for pinion",
    zh_hant="齒條; 直齒條; 傳動齒條 / 帶齒的直條; 齒輪齒條",
    zh_hans="齿条; 直齿条; 传动齿条 / 带齿的直条; 齿轮齿条",
    says=TEETH_SAYS[:2],
    module=MODULE,
    teeth=whole(8, 40, "long"),
    face=uniform(4, 12, "wide"),
    back=uniform(1.5, 5),
    slant=one_of(0.0, 0.0, 15.0),
    holes=maybe(),
)
def gear_rack(
    q: Look, *, module: float, teeth: int, face: float, back: float, slant: float, holes: bool
) -> Solid:
    pitch, m, w = np.pi * module, module, face * module
    lean = np.tan(np.radians(20)) * m
    tooth = np.array([(-0.785 - 0.45, -1.25), (-0.42, 1), (0.42, 1), (0.785 + 0.45, -1.25)])
    tooth[:, 0] *= m
    tooth[:, 1] *= m
    tooth[[0, 3], 0] = (-0.785 * m - 1.25 * lean, 0.785 * m + 1.25 * lean)
    tooth[[1, 2], 0] = (-0.785 * m + lean, 0.785 * m - lean)
    line = np.concatenate([tooth + (i * pitch, 0) for i in range(teeth)])
    foot = -1.25 * m - back * m
    left, right = -pitch / 2, (teeth - 0.5) * pitch
    outline: Array = np.concatenate([[(left, -1.25 * m)], line, [(right, -1.25 * m)]])
    flat: Section = polygon(np.concatenate([outline, [(right, foot), (left, foot)]]))
    made = prism(flat, w).rotate((90, 0, 0)).translate((-(left + right) / 2, w / 2, -foot))
    if slant:
        shear = np.tan(np.radians(slant))
        made = made.transform([[1, shear, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]])
    if holes:
        r = min(0.18 * w, 0.3 * back * m)
        drill = Solid.cylinder(3 * w, r, r, q.m, True).rotate((90, 0, 0))
        long = right - left
        made = made - union(
            [drill.translate((x * long, 0, 0.45 * back * m)) for x in (-0.35, 0, 0.35)]
        )
    return made


@wheel(
    en="ratchet wheel; ratchet gear; saw tooth wheel / pawl wheel; one-way toothed wheel",
    zh_hant="棘輪; 棘齒輪; 鋸齒輪 / 單向齒輪; 棘爪輪",
    zh_hans="棘轮; 棘齿轮; 锯齿轮 / 单向齿轮; 棘爪轮",
    says=TEETH_SAYS[:2],
    r=log_uniform(8, 50),
    teeth=whole(8, 40, "fine"),
    face=uniform(0.15, 0.6, "thick"),
    deep=uniform(0.08, 0.2),
    bore=uniform(0.15, 0.4),
    web=WEB,
)
def ratchet_wheel(
    q: Look, *, r: float, teeth: int, face: float, deep: float, bore: float, web: str
) -> Solid:
    deep = min(deep, 3.5 / teeth)
    a = 2 * np.pi * np.repeat(np.arange(teeth), 2) / teeth + np.tile([0, 0.06 / teeth], teeth)
    radius = np.tile([r * (1 - deep), r], teeth)
    flat = polygon(np.c_[radius * np.cos(a), radius * np.sin(a)])
    rim = prism(flat, face * r)
    root = r * (1 - deep)
    return wheel_body(
        q, rim, root=root, bore=bore * root, h=face * r, web=web, hub="none", key=bore > 0.25
    )


@wheel(
    en="compound gear; double gear; stepped gear cluster / two gears on one hub; duplex pinion",
    zh_hant="雙聯齒輪; 複合齒輪; 塔形齒輪 / 大小雙層齒輪; 階梯齒輪",
    zh_hans="双联齿轮; 复合齿轮; 塔形齿轮 / 大小双层齿轮; 阶梯齿轮",
    module=MODULE,
    teeth=whole(24, 60, "fine", log=True),
    ratio=uniform(0.25, 0.6),
    face=uniform(4, 9, "thick"),
    bore=uniform(0.25, 0.5),
)
def compound_gear(
    q: Look, *, module: float, teeth: int, ratio: float, face: float, bore: float
) -> Solid:
    h, small = face * module, max(10, round(teeth * ratio))
    low = prism(gear(module, teeth), h)
    high = prism(gear(module, small), 1.3 * h).translate((0, 0, h - 1e-3))
    return bored(q, union(low, high), bore=bore * (small / 2 - 1.25) * module, h=2.3 * h, key=False)


@wheel(
    en="crown gear; face gear; contrate gear / gear with teeth on its face; castle wheel",
    zh_hant="冠狀齒輪; 端面齒輪; 平面齒輪 / 齒朝上的齒輪; 冠齒輪",
    zh_hans="冠状齿轮; 端面齿轮; 平面齿轮 / 齿朝上的齿轮; 冠齿轮",
    says=TEETH_SAYS[:2],
    r=log_uniform(10, 40),
    teeth=whole(12, 48, "fine"),
    tall=uniform(0.6, 1.3, "tall"),
    wall=uniform(0.15, 0.3),
    bore=uniform(0.12, 0.35),
)
def crown_gear(q: Look, *, r: float, teeth: int, tall: float, wall: float, bore: float) -> Solid:
    pitch = 2 * np.pi * r / teeth
    h, base = tall * pitch, 0.3 * r
    half = np.array([(-0.32, 0), (0.32, 0), (0.16, tall), (-0.16, tall)]) * pitch
    tooth = prism(polygon(half), wall * r * 1.5).rotate((90, 0, 90)).translate((r, 0, 0))
    teeth_up = union(polar(tooth.translate((-wall * r * 1.2, 0, base - 1e-3)), teeth))
    ring_cut = annulus(r, (1 - wall) * r, 2 * q.n)
    body = rod(r, base, 2 * q.n, bevel=0)
    made = union(body, teeth_up ^ prism(ring_cut, 2 * h + base))
    return bored(q, made, bore=bore * r, h=base, key=False)
