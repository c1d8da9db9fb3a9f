"""Pulleys, sprockets and flywheels; they lie on z = 0 about z."""

from functools import partial

import numpy as np

from catalog.families.gears import HUB, TEETH_SAYS, WEB, bored, wheel_body
from catalog.families.profiles import (
    sprocket as sprocket_outline,
)
from catalog.families.profiles import (
    teeth_ring,
)
from catalog.families.solids import (
    Solid,
    curve,
    lathe,
    polar,
    prism,
    rod,
    torus,
    tube_straight,
    union,
    wire,
)
from catalog.families.types import Look, family, log_uniform, maybe, one_of, phrase, uniform, whole

drive = partial(family, group="transmission")
pulley = partial(drive, category="pulley")


@pulley(
    en="sprocket; chain sprocket; roller chain wheel / bicycle chainring; toothed chain wheel",
    zh_hant="鏈輪; 鏈條齒輪; 滾子鏈輪 / 腳踏車齒盤; 鏈條傳動輪",
    zh_hans="链轮; 链条齿轮; 滚子链轮 / 自行车牙盘; 链条传动轮",
    says=TEETH_SAYS[:2],
    pitch=one_of(6.35, 8.0, 9.525, 12.7, 15.875),
    teeth=whole(9, 48, "fine", log=True),
    bore=uniform(0.15, 0.4),
    web=WEB,
    hub=HUB,
    rows=one_of(1, 1, 1, 2),
)
def sprocket(
    q: Look, *, pitch: float, teeth: int, bore: float, web: str, hub: str, rows: int
) -> Solid:
    r = pitch / 2 / np.sin(np.pi / teeth)
    tip, h = r + 0.3 * pitch, 0.3 * pitch
    flat = prism(sprocket_outline(teeth, pitch, 0.62 * pitch), h)
    edge = lathe(
        [(0, 0), (tip - 0.4 * pitch, 0), (tip, 0.36 * h), (tip, 0.64 * h), (tip - 0.4 * pitch, h),
         (0, h)], 2 * q.n,
    )  # fmt: skip
    ring, root = flat ^ edge, r - 0.45 * pitch
    if rows == 2:
        spacer = rod(0.8 * root, 0.8 * pitch, q.n)
        ring = union(ring, spacer, ring.translate((0, 0, 0.8 * pitch)))
        h += 0.8 * pitch
    return wheel_body(q, ring, root=root, bore=bore * root, h=h, web=web, hub=hub, key=True)


@pulley(
    en="timing pulley; timing belt pulley; toothed belt wheel / GT2 pulley; synchronous pulley",
    zh_hant="同步帶輪; 時規皮帶輪; 齒形皮帶輪 / GT2帶輪; 正時皮帶輪",
    zh_hans="同步带轮; 同步轮; 齿形带轮 / GT2带轮; 正时皮带轮",
    says=TEETH_SAYS[:2],
    pitch=one_of(2.0, 3.0, 5.0, 8.0),
    teeth=whole(14, 60, "fine", log=True),
    wide=uniform(2.5, 6, "thick"),
    bore=uniform(0.25, 0.5),
    flanges=one_of(0, 1, 2, 2),
    hub=maybe(),
)
def timing_pulley(
    q: Look, *, pitch: float, teeth: int, wide: float, bore: float, flanges: int, hub: bool
) -> Solid:
    r, h = pitch * teeth / (2 * np.pi), wide * pitch
    flat = teeth_ring(teeth, r, r - 0.38 * pitch, top=0.52, foot=0.62)
    body = [prism(flat, h)]
    lip = rod(r + 0.4 * pitch, 0.4 * pitch, 2 * q.n, bevel=q.edge(pitch))
    body += [lip.translate((0, 0, z)) for z in (-0.39 * pitch, h - 0.01)[:flanges]]
    low = 0.0
    if hub:
        low = 0.6 * h
        neck = rod(0.78 * r, low + 0.4 * pitch, 2 * q.n, bevel=q.edge(r))
        body.append(neck.translate((0, 0, -low - 0.39 * pitch)))
        grub = Solid.cylinder(3 * r, 0.12 * r, 0.12 * r, q.m).rotate((90, 0, 0))
        body = [union(body) - grub.translate((0, 0, -0.4 * pitch - low / 2))]
    return bored(q, union(body), bore=bore * r, h=2 * h, key=False)


@pulley(
    en="V-belt pulley; V pulley; grooved pulley / belt sheave; single groove belt wheel",
    zh_hant="V型皮帶輪; 三角皮帶輪; 皮帶輪 / 槽輪; V溝帶輪",
    zh_hans="V型皮带轮; 三角皮带轮; 皮带轮 / 槽轮; V槽带轮",
    says=(phrase("{name} with {grooves} grooves", "{grooves}槽{name}", "{grooves}槽{name}"),),
    r=log_uniform(15, 100),
    grooves=whole(1, 4),
    pitch=uniform(0.2, 0.36),
    bore=uniform(0.15, 0.35),
    web=WEB,
    hub=HUB,
)
def v_pulley(
    q: Look, *, r: float, grooves: int, pitch: float, bore: float, web: str, hub: str
) -> Solid:
    p, deep = pitch * r, 0.75 * pitch * r
    h = (grooves + 0.35) * p
    line: list[tuple[float, float]] = [(0, 0), (r, 0)]
    for i in range(grooves):
        z = (i + 0.175 + 0.12) * p
        line += [(r, z), (r - deep, z + 0.22 * p), (r - deep, z + 0.54 * p), (r, z + 0.76 * p)]
    rim = lathe([*line, (r, h), (0, h)], 2 * q.n)
    root = r - deep
    return wheel_body(q, rim, root=root, bore=bore * root, h=h, web=web, hub=hub, key=True)


@pulley(
    en="rope pulley; cable wheel; round groove sheave / idler wheel; clothesline pulley wheel",
    zh_hant="滑輪; 繩輪; 導輪 / 鋼索滑輪; 惰輪",
    zh_hans="滑轮; 绳轮; 导轮 / 钢索滑轮; 惰轮",
    r=log_uniform(8, 80),
    wide=uniform(0.25, 0.6, "thick"),
    bore=uniform(0.12, 0.35),
    web=WEB,
)
def rope_pulley(q: Look, *, r: float, wide: float, bore: float, web: str) -> Solid:
    h = wide * r
    groove = torus(r * 1.08, 0.36 * h, 2 * q.n, m=24).translate((0, 0, h / 2))
    body = rod(r, h, 2 * q.n, bevel=q.edge(h)) - groove
    root = r * 1.08 - 0.4 * h
    return wheel_body(q, body, root=root, bore=bore * root, h=h, web=web, hub="none", key=False)


@pulley(
    en="flywheel; heavy rim wheel; balance wheel / inertia wheel; spoked machine wheel",
    zh_hant="飛輪; 慣性輪; 平衡輪 / 蓄能輪; 重型輪盤",
    zh_hans="飞轮; 惯性轮; 平衡轮 / 蓄能轮; 重型轮盘",
    r=log_uniform(25, 150),
    rim=uniform(0.12, 0.25, "heavy"),
    wide=uniform(0.15, 0.4, "thick"),
    spokes=whole(4, 8),
    curved=maybe(),
)
def flywheel(q: Look, *, r: float, rim: float, wide: float, spokes: int, curved: bool) -> Solid:
    h = wide * r
    ring = tube_straight(r, (1 - rim) * r, h, 2 * q.n, bevel=q.edge(h))
    hub = rod(0.22 * r, 1.15 * h, q.n, bevel=q.edge(0.3 * r)).translate((0, 0, -0.075 * h))
    bend = 0.22 * r if curved else 0.0
    path = curve(
        [(0.15 * r, 0, h / 2), (0.5 * r, bend, h / 2), (0.93 * r * (1 - rim / 2), 0, h / 2)], 14
    )
    arm = wire(path, 0.055 * r, q.m)
    made = union(ring, hub, polar(arm, spokes))
    return bored(q, made, bore=0.1 * r, h=2 * h, key=True)
