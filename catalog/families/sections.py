"""Section steel, extrusions and tubes, lying along y (round tube: along z)."""

from functools import partial

from catalog.families.profiles import (
    angle_section,
    channel_section,
    i_section,
    ngon,
    rectangle,
    slot_section,
    softened,
    t_section,
)
from catalog.families.solids import (
    Section,
    Solid,
    prism,
    tube_straight,
)
from catalog.families.types import Look, family, log_uniform, maybe, one_of, uniform

profile = partial(family, group="structure", category="profile")

LONG = log_uniform(1.5, 8, "long")


def lying(section: Section, h: float) -> Solid:
    """A bar of that section along y."""
    return prism(section, h).rotate((90, 0, 0)).translate((0, h / 2, 0))


@profile(
    en="angle profile; L profile; angle iron / equal angle bar; L-shaped extrusion",
    zh_hant="角鋼; 角鐵; L型材 / 等邊角鋼; L形擠型",
    zh_hans="角钢; 角铁; L型材 / 等边角钢; L形挤型",
    size=log_uniform(10, 100),
    ratio=uniform(0.5, 1.0),
    thick=uniform(0.06, 0.18, "thick"),
    long=LONG,
    round_=maybe(),
)
def angle_profile(
    q: Look, *, size: float, ratio: float, thick: float, long: float, round_: bool
) -> Solid:
    t = thick * size
    section = angle_section(size, ratio * size, t)
    return lying(softened(section, 0.4 * t) if round_ else section, long * size)


@profile(
    en="I-beam; H-beam; universal beam / double-T girder; rolled steel joist",
    zh_hant="工字鋼; H型鋼; 工字樑 / 雙T型鋼; 鋼樑",
    zh_hans="工字钢; H型钢; 工字梁 / 双T型钢; 钢梁",
    size=log_uniform(15, 200),
    wide=uniform(0.45, 1.0, "wide"),
    thick=uniform(0.06, 0.16, "thick"),
    web=uniform(0.5, 0.9),
    long=LONG,
    round_=maybe(),
)
def i_beam(
    q: Look, *, size: float, wide: float, thick: float, web: float, long: float, round_: bool
) -> Solid:
    t = thick * size
    section = i_section(wide * size, size, t, web * t)
    return lying(softened(section, 0.3 * web * t) if round_ else section, long * size)


@profile(
    en="T profile; T bar; tee section / T-shaped extrusion; T-beam",
    zh_hant="T型鋼; T型材; T字型材 / T形擠型; T形樑",
    zh_hans="T型钢; T型材; T字型材 / T形挤型; T形梁",
    size=log_uniform(10, 120),
    wide=uniform(0.6, 1.4, "wide"),
    thick=uniform(0.07, 0.18, "thick"),
    long=LONG,
)
def t_profile(q: Look, *, size: float, wide: float, thick: float, long: float) -> Solid:
    t = thick * size
    return lying(t_section(wide * size, size, t, t), long * size)


@profile(
    en="U channel; C channel; U profile / channel steel; three-sided extrusion",
    zh_hant="槽鋼; U型槽; U型材 / C型槽鋼; 凹槽擠型",
    zh_hans="槽钢; U型槽; U型材 / C型槽钢; 凹槽挤型",
    size=log_uniform(10, 120),
    ratio=uniform(0.4, 1.2, "deep"),
    thick=uniform(0.06, 0.16, "thick"),
    long=LONG,
    lips=one_of(0.0, 0.0, 0.2),
)
def u_channel(
    q: Look, *, size: float, ratio: float, thick: float, long: float, lips: float
) -> Solid:
    t, h = thick * size, ratio * size
    section = channel_section(size, h, t, t)
    if lips:
        for s in (-1, 1):
            lip = rectangle(lips * size, t).translate(
                (s * (size / 2 - lips * size / 2), h / 2 - t / 2)
            )
            section = section + lip
    return lying(section, long * size)


@profile(
    en="T-slot profile; aluminium extrusion; V-slot rail / 2020 profile; slotted framing",
    zh_hant="鋁擠型; T型槽鋁材; 歐規鋁擠 / 2020鋁型材; 開槽框架鋁條",
    zh_hans="铝型材; T型槽铝材; 欧标型材 / 2020铝型材; 开槽框架铝条",
    size=one_of(15, 20, 25, 30, 40, 45),
    slot=uniform(0.26, 0.36),
    bore=uniform(0.15, 0.28),
    cells=one_of(1, 1, 1, 2, 3),
    long=uniform(1.0, 8, "long"),
)
def slot_profile(
    q: Look, *, size: float, slot: float, bore: float, cells: int, long: float
) -> Solid:
    one = slot_section(size, slot * size, bore=bore * size, n=q.m)
    flat = one
    for i in range(1, cells):
        flat = flat + one.translate((0, i * size * 0.999))
    return lying(flat, long * size)


@profile(
    en="square tube; rectangular hollow section; box tube / hollow steel tube; square pipe",
    zh_hant="方管; 矩形管; 方形鋼管 / 空心方通; 方形空心管",
    zh_hans="方管; 矩形管; 方形钢管 / 空心方通; 方形空心管",
    size=log_uniform(8, 120),
    ratio=uniform(0.5, 1.0),
    wall=uniform(0.05, 0.16, "thick"),
    long=LONG,
    sides=one_of(4, 4, 4, 6),
)
def square_tube(
    q: Look, *, size: float, ratio: float, wall: float, long: float, sides: int
) -> Solid:
    t = wall * size
    outer = rectangle(size, ratio * size, r=1.2 * t) if sides == 4 else ngon(6, size)
    return lying(outer - outer.offset(-t), long * size)


@profile(
    en="round tube; pipe; cylindrical tube / hollow round bar; straight pipe section",
    zh_hant="圓管; 管子; 直管 / 空心圓管; 圓形鋼管",
    zh_hans="圆管; 管子; 直管 / 空心圆管; 圆形钢管",
    d=log_uniform(4, 120),
    wall=uniform(0.04, 0.22, "thick"),
    long=LONG,
)
def round_tube(q: Look, *, d: float, wall: float, long: float) -> Solid:
    return tube_straight(d / 2, d / 2 - wall * d, long * d, 2 * q.n, bevel=q.edge(wall * d))
