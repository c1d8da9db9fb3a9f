"""Pipe flanges; they lie on z = 0 about z."""

from functools import partial

import numpy as np

from catalog.families.gears import bored
from catalog.families.profiles import annulus, disc, holes, on_circle, rectangle
from catalog.families.solids import (
    Solid,
    lathe,
    prism,
    rod,
    tube_straight,
    union,
)
from catalog.families.types import Look, family, maybe, one_of, phrase, uniform

pipe = partial(family, group="piping")
flange = partial(pipe, category="flange")
BORES = one_of(10, 15, 20, 25, 32, 40, 50, 65, 80, 100)
DN_SAYS = (phrase("DN{bore} {name}", "DN{bore}{name}", "DN{bore}{name}"),)
BOLT_SAYS = (
    *DN_SAYS,
    phrase("{name} with {bolts} bolt holes", "{bolts}孔{name}", "{bolts}孔{name}"),
)


def drilled_disc(
    q: Look, *, outer: float, bore: float, h: float, bolts: int, hole: float, at: float
) -> Solid:
    """A round plate with a bolt circle of radius `at`; no bore when it is 0."""
    flat = holes(disc(outer, 2 * q.n), on_circle(bolts, at, start=180 / bolts), hole, q.m)
    if bore > 0:
        flat = flat - disc(bore, 2 * q.n)
    return prism(flat, h, bevel=q.edge(0.5 * h))


FLANGE = {
    "bore": BORES,
    "outer": uniform(2.0, 3.2, "wide"),
    "thick": uniform(0.2, 0.42, "thick"),
    "bolts": one_of(4, 4, 6, 8, 8, 12),
    "face": maybe(),
}


def flange_disc(
    q: Look, *, bore: float, outer: float, thick: float, bolts: int, face: bool, blind: bool = False
) -> Solid:
    """The drilled plate of every pipe flange, with or without a raised face below."""
    r, big, h = bore / 2, outer * bore / 2, thick * bore
    at = 0.5 * (0.62 * r + 0.62 * big) + 0.36 * big - 0.16 * r
    at = max(at, r * 1.45)
    hole = min(0.34 * (big - at) * 2, 0.8 * np.pi * at / bolts * 0.5, 0.16 * bore)
    hole = max(hole, 0.04 * bore)
    made = drilled_disc(
        q,
        outer=big,
        bore=0 if blind else r,
        h=h,
        bolts=bolts,
        hole=hole,
        at=(at + big) / 2 - hole / 2,
    )
    if face:
        ring = disc(0.5 * (at + r), 2 * q.n) if blind else annulus(0.5 * (at + r), r, 2 * q.n)
        made = union(made, prism(ring, 0.06 * bore).translate((0, 0, -0.05 * bore)))
    return made


@flange(
    en="weld-neck flange; pipe flange; flange with a tapered neck / high-hub flange; WN flange",
    zh_hant="對焊法蘭; 管法蘭; 高頸法蘭 / 帶頸法蘭; 長頸焊接法蘭",
    zh_hans="对焊法兰; 管法兰; 高颈法兰 / 带颈法兰; 长颈焊接法兰",
    says=BOLT_SAYS,
    **FLANGE,
    neck=uniform(0.35, 0.9, "tall"),
)
def weld_neck_flange(
    q: Look, *, bore: float, outer: float, thick: float, bolts: int, face: bool, neck: float
) -> Solid:
    made = flange_disc(q, bore=bore, outer=outer, thick=thick, bolts=bolts, face=face)
    r, h, w = bore / 2, thick * bore, 0.09 * bore
    root = min(2.4 * w, 0.3 * (outer - 1) * bore / 2)
    z = h + neck * bore
    line = [(r, 0.5 * h), (r + root, h - 0.01), (r + w, h + 0.7 * neck * bore), (r + w, z), (r, z)]
    return union(made, lathe(line, 2 * q.n))


@flange(
    en="blind flange; blank flange; closed flange / pipe end cover disc; flange without a bore",
    zh_hant="盲法蘭; 法蘭蓋; 盲板 / 封板法蘭; 無內孔法蘭",
    zh_hans="盲法兰; 法兰盖; 盲板 / 封板法兰; 无内孔法兰",
    says=BOLT_SAYS,
    **FLANGE,
)
def blind_flange(
    q: Look, *, bore: float, outer: float, thick: float, bolts: int, face: bool
) -> Solid:
    return flange_disc(q, bore=bore, outer=outer, thick=thick, bolts=bolts, face=face, blind=True)


@flange(
    en="slip-on flange; plate flange; ring flange with bolt holes / flat welding flange; SO flange",
    zh_hant="平焊法蘭; 套入式法蘭; 板式法蘭 / 滑套法蘭; 平面法蘭圈",
    zh_hans="平焊法兰; 套入式法兰; 板式法兰 / 滑套法兰; 平面法兰圈",
    says=BOLT_SAYS,
    **FLANGE,
    hub=uniform(0.0, 0.3, "tall"),
)
def slip_on_flange(
    q: Look, *, bore: float, outer: float, thick: float, bolts: int, face: bool, hub: float
) -> Solid:
    made = flange_disc(q, bore=bore, outer=outer, thick=thick, bolts=bolts, face=face)
    if hub < 0.08:
        return made
    w = min(0.16 * bore, 0.25 * (outer - 1) * bore / 2)
    ring = tube_straight(bore / 2 + w, bore / 2, (thick + hub) * bore, 2 * q.n, bevel=q.edge(w))
    return union(made, ring)


@flange(
    en="square flange; four-hole square flange; oval mounting flange / rectangular pipe flange;"
    " motor mount flange",
    zh_hant="方法蘭; 四孔方形法蘭; 方形固定座 / 矩形管法蘭; 菱形法蘭",
    zh_hans="方法兰; 四孔方形法兰; 方形固定座 / 矩形管法兰; 菱形法兰",
    says=DN_SAYS,
    bore=BORES,
    outer=uniform(1.9, 2.8, "wide"),
    thick=uniform(0.15, 0.4, "thick"),
    kind=one_of("square", "square", "oval"),
    hub=uniform(0, 1.0, "tall"),
)
def square_flange(
    q: Look, *, bore: float, outer: float, thick: float, kind: str, hub: float
) -> Solid:
    s, h, r = outer * bore, thick * bore, bore / 2
    if kind == "square":
        flat = rectangle(s, s, r=0.16 * s, n=q.n)
        at = [(x * 0.37 * s, y * 0.37 * s) for x in (-1, 1) for y in (-1, 1)]
    else:
        end = disc(0.17 * s, q.n)
        flat = end.translate((0.52 * s, 0)) + end.translate((-0.52 * s, 0)) + disc(0.4 * s, 2 * q.n)
        flat, at = flat.hull(), [(0.52 * s, 0), (-0.52 * s, 0)]
    flat = holes(flat, at, 0.065 * s, q.m)
    made = prism(flat, h, bevel=q.edge(0.5 * h))
    if hub > 0.15:
        made = union(made, rod(1.35 * r, h + hub * bore, 2 * q.n, bevel=q.edge(0.4 * r)))
    return bored(q, made, bore=r, h=h + hub * bore, key=False)
