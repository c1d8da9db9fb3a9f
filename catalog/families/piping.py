"""Pipe fittings."""

from functools import partial

import numpy as np

from catalog.families.flanges import BORES, DN_SAYS
from catalog.families.gears import bored
from catalog.families.profiles import disc, holes, ngon, on_circle
from catalog.families.solids import (
    Solid,
    arc,
    ball,
    circle_points,
    loft,
    prism,
    rod,
    thread,
    turned,
    union,
    wire,
)
from catalog.families.types import Look, family, maybe, one_of, uniform, whole

pipe = partial(family, group="piping")
fitting = partial(pipe, category="fitting")
valve = partial(pipe, category="valve")
seal = partial(pipe, category="seal")
END = one_of("plain", "collar", "collar", "flange")
WALL = uniform(0.08, 0.18, "thick")


def pipe_end(q: Look, *, bore: float, wall: float, length: float, end: str) -> Solid:
    """The solid of a straight branch from the origin up z, with its collar or flange."""
    r = bore / 2 + wall * bore
    made = rod(r, length, 2 * q.n)
    if end == "collar":
        ring = rod(r * 1.16, 0.32 * bore, 2 * q.n, bevel=q.edge(0.3 * bore))
        made = union(made, ring.translate((0, 0, length - 0.32 * bore)))
    elif end == "flange":
        flat = holes(disc(1.75 * r, 2 * q.n), on_circle(4, 1.4 * r, start=45), 0.16 * r, q.m)
        made = union(made, prism(flat, 0.22 * bore).translate((0, 0, length - 0.22 * bore)))
    return made


def branches(
    q: Look, turns: list[tuple[float, float, float]], *, bore: float, wall: float, length: float,
    end: str,
) -> Solid:  # fmt: skip
    """Pipe branches meeting at the origin, each turned from +z, hollow."""
    r = bore / 2
    one = pipe_end(q, bore=bore, wall=wall, length=length, end=end)
    hole = rod(r, length + 1, 2 * q.n)
    joint = ball(r + wall * bore, 2 * q.n)
    outer = union(joint, [one.rotate(t) for t in turns])
    return outer - union(ball(r, 2 * q.n), [hole.rotate(t) for t in turns])


def bent_pipe(
    q: Look, *, bore: float, wall: float, radius: float, angle: float, end: str, leg: float
) -> Solid:
    """A pipe bend in the plane of x and z with short straight legs."""
    r, big = bore / 2, radius * bore
    path = arc(big, 0, angle, max(6, int(min(q.n, 40) * angle / 120)))[:, [0, 2, 1]] - (big, 0, 0)
    out = path[-1] - path[-2]
    out /= np.linalg.norm(out)
    long = leg * bore
    path = np.concatenate([[(0, 0, -long)], path, [path[-1] + out * long]])
    extra = np.concatenate([[path[0] - (0, 0, 1)], path[1:-1], [path[-1] + out]])
    made = wire(path, r + wall * bore, q.n)
    if end != "plain":
        cap = pipe_end(q, bore=bore, wall=wall, length=0.4 * bore, end=end)
        low = cap.mirror((0, 0, 1)).translate((0, 0, -long + 0.4 * bore))
        high = cap.rotate((0, -angle, 0)).translate(tuple(path[-1] - out * 0.4 * bore))
        made = union(made, low, high)
    return made - wire(extra, r, q.n)


@fitting(
    en="pipe elbow; 90 degree elbow; pipe bend / right-angle pipe fitting; curved pipe connector",
    zh_hant="彎頭; 90度彎頭; 管彎頭 / 直角管接頭; 彎管接頭",
    zh_hans="弯头; 90度弯头; 管弯头 / 直角管接头; 弯管接头",
    says=DN_SAYS,
    bore=BORES,
    wall=WALL,
    radius=uniform(0.9, 1.6),
    leg=uniform(0.1, 0.7, "long"),
    end=END,
)
def elbow_90(q: Look, *, bore: float, wall: float, radius: float, leg: float, end: str) -> Solid:
    return bent_pipe(q, bore=bore, wall=wall, radius=radius, angle=90, end=end, leg=leg)


@fitting(
    en="45 degree elbow; 45 elbow pipe fitting / slightly bent pipe connector; half bend",
    zh_hant="45度彎頭; 四十五度管接頭 / 斜彎管接頭; 小角度彎頭",
    zh_hans="45度弯头; 四十五度管接头 / 斜弯管接头; 小角度弯头",
    says=DN_SAYS,
    bore=BORES,
    wall=WALL,
    radius=uniform(1.0, 1.8),
    leg=uniform(0.2, 0.8, "long"),
    end=END,
)
def elbow_45(q: Look, *, bore: float, wall: float, radius: float, leg: float, end: str) -> Solid:
    return bent_pipe(q, bore=bore, wall=wall, radius=radius, angle=45, end=end, leg=leg)


@fitting(
    en="U-bend; 180 degree return bend; U pipe / hairpin pipe; trap bend",
    zh_hant="U型彎管; 180度彎頭; 回彎管 / 迴轉彎頭; U形管",
    zh_hans="U型弯管; 180度弯头; 回弯管 / 回转弯头; U形管",
    says=DN_SAYS,
    bore=BORES,
    wall=WALL,
    radius=uniform(0.9, 1.6),
    leg=uniform(0.3, 2.0, "long"),
    end=one_of("plain", "collar", "plain"),
)
def u_bend(q: Look, *, bore: float, wall: float, radius: float, leg: float, end: str) -> Solid:
    return bent_pipe(q, bore=bore, wall=wall, radius=radius, angle=180, end=end, leg=leg)


BRANCH = {"bore": BORES, "wall": WALL, "length": uniform(1.0, 1.9, "long"), "end": END}


@fitting(
    en="pipe tee; T fitting; three-way connector / T-shaped pipe joint; branch tee",
    zh_hant="三通; T型管接頭; 三通管件 / T形三向接頭; 分支三通",
    zh_hans="三通; T型管接头; 三通管件 / T形三向接头; 分支三通",
    says=DN_SAYS,
    **BRANCH,
)
def pipe_tee(q: Look, *, bore: float, wall: float, length: float, end: str) -> Solid:
    turns = [(0.0, 90.0, 0.0), (0.0, -90.0, 0.0), (0.0, 0.0, 0.0)]
    return branches(q, turns, bore=bore, wall=wall, length=length * bore, end=end)


@fitting(
    en="pipe cross; four-way fitting; cross connector / plus-shaped pipe joint; 4-way tee",
    zh_hant="四通; 十字管接頭; 四通管件 / 十字形接頭; 四向管件",
    zh_hans="四通; 十字管接头; 四通管件 / 十字形接头; 四向管件",
    says=DN_SAYS,
    **BRANCH,
)
def pipe_cross(q: Look, *, bore: float, wall: float, length: float, end: str) -> Solid:
    turns = [(0.0, 90.0, 0.0), (0.0, -90.0, 0.0), (0.0, 0.0, 0.0), (180.0, 0.0, 0.0)]
    return branches(q, turns, bore=bore, wall=wall, length=length * bore, end=end)


@fitting(
    en="Y fitting; wye connector; lateral pipe branch / Y-shaped pipe joint; forked pipe",
    zh_hant="Y型三通; 斜三通; Y形管接頭 / 分岔管件; 人字形接頭",
    zh_hans="Y型三通; 斜三通; Y形管接头 / 分岔管件; 人字形接头",
    says=DN_SAYS,
    **BRANCH,
    angle=uniform(35, 60),
)
def pipe_wye(q: Look, *, bore: float, wall: float, length: float, end: str, angle: float) -> Solid:
    turns = [(180.0, 0.0, 0.0), (0.0, angle, 0.0), (0.0, -angle, 0.0)]
    return branches(q, turns, bore=bore, wall=wall, length=(length + 0.4) * bore, end=end)


@fitting(
    en="pipe reducer; concentric reducer; step-down connector / conical pipe adapter;"
    " large to small coupling",
    zh_hant="大小頭; 異徑管; 異徑接頭 / 錐形變徑接頭; 縮管接頭",
    zh_hans="大小头; 异径管; 异径接头 / 锥形变径接头; 缩管接头",
    says=DN_SAYS,
    bore=BORES,
    wall=WALL,
    ratio=uniform(0.4, 0.75),
    cone=uniform(0.4, 1.2, "long"),
    offset=one_of(0.0, 0.0, 1.0),
)
def pipe_reducer(
    q: Look, *, bore: float, wall: float, ratio: float, cone: float, offset: float
) -> Solid:
    r1, r2, w = bore / 2, ratio * bore / 2, wall * bore
    z = np.array([0, 0.5, 0.5 + cone, 1.0 + cone]) * bore
    shift = np.array([0, 0, 1, 1]) * offset * (r1 - r2)
    radius = np.array([r1, r1, r2, r2])

    def skin(grow: float, reach: float) -> Solid:
        flat = circle_points(1, 2 * q.n)
        height = z + np.array([-reach, 0, 0, reach])
        rings = [
            np.c_[flat * (a + grow) + (s, 0), np.full(len(flat), h)]
            for a, s, h in zip(radius, shift, height, strict=True)
        ]
        return loft(np.stack(rings))

    return skin(w, 0) - skin(0, 1)


@fitting(
    en="pipe cap; end cap; pipe end plug / closed pipe cover; domed tube cap",
    zh_hant="管帽; 管蓋; 端蓋 / 封頭管塞; 圓頂管帽",
    zh_hans="管帽; 管盖; 端盖 / 封头管塞; 圆顶管帽",
    says=DN_SAYS,
    bore=BORES,
    wall=WALL,
    tall=uniform(0.4, 1.0, "tall"),
    kind=one_of("dome", "flat", "hex"),
)
def pipe_cap(q: Look, *, bore: float, wall: float, tall: float, kind: str) -> Solid:
    r, w, h = bore / 2, wall * bore, tall * bore
    big = r + w
    if kind == "dome":
        a = np.radians(np.linspace(0, 90, 9))
        line = [(big, 0), *zip(big * np.cos(a), h + 0.6 * big * np.sin(a), strict=True)]
        body = turned(line[:-1], 2 * q.n)
    else:
        body = rod(big, h, 2 * q.n, bevel=q.edge(big))
        if kind == "hex":
            body = union(body, prism(ngon(6, 1.5 * big), 0.4 * h).translate((0, 0, h - 0.01)))
    return body - rod(r, h - w, 2 * q.n).translate((0, 0, -0.01))


@fitting(
    en="pipe union; union coupling; threaded pipe union / three-piece hex pipe connector;"
    " ground joint union",
    zh_hant="由令; 活接頭; 管活接 / 六角活動接頭; 三件式管接頭",
    zh_hans="由任; 活接头; 管活接 / 六角活动接头; 三件式管接头",
    says=DN_SAYS,
    bore=BORES,
    wall=uniform(0.14, 0.22, "thick"),
    long=uniform(1.4, 2.2, "long"),
    sides=one_of(6, 8),
)
def pipe_union(q: Look, *, bore: float, wall: float, long: float, sides: int) -> Solid:
    r, h = bore / 2, long * bore
    big = r + wall * bore
    end = prism(ngon(sides, 2.25 * big), 0.24 * h, bevel=q.edge(0.3 * bore))
    ring = prism(ngon(sides, 3.0 * big), 0.36 * h, bevel=q.edge(0.4 * bore))
    body = union(
        rod(big, h, q.n), end, end.translate((0, 0, 0.76 * h)), ring.translate((0, 0, 0.34 * h))
    )
    return bored(q, body, bore=r, h=h, key=False)


@fitting(
    en="pipe nipple; threaded pipe; double-ended nipple / short threaded connector; hex nipple",
    zh_hant="對絲; 外牙接頭; 雙頭外牙管 / 短螺紋接管; 六角內接",
    zh_hans="对丝; 外丝接头; 双头外丝管 / 短螺纹接管; 六角内接",
    says=DN_SAYS,
    bore=BORES,
    length=uniform(1.2, 3, "long"),
    hexed=maybe(),
    threaded=one_of(True, True, False),
)
def pipe_nipple(q: Look, *, bore: float, length: float, hexed: bool, threaded: bool) -> Solid:
    d, h = 1.3 * bore, length * bore
    leg = 0.42 * h
    end = rod(d / 2, leg, q.n, bevel=0.04 * d)
    if threaded:
        end = thread(d, 0.1 * d, leg, q.n) ^ rod(d / 2, leg, q.n, bevel=0.05 * d)
    middle = prism(ngon(6, 1.35 * d), 0.24 * h, bevel=q.edge(0.4 * d))
    if not hexed:
        middle = rod(0.46 * d, 0.24 * h, q.n)
    body = union(
        end, end.mirror((0, 0, 1)).translate((0, 0, h)), middle.translate((0, 0, 0.38 * h))
    )
    return bored(q, body, bore=bore / 2, h=h, key=False)


@fitting(
    en="hose barb; hose tail fitting; barbed hose connector / ridged tube nozzle; barb adapter",
    zh_hant="寶塔接頭; 軟管倒鉤接頭; 竹節接頭 / 倒刺軟管接頭; 皮管接頭",
    zh_hans="宝塔接头; 软管倒钩接头; 竹节接头 / 倒刺软管接头; 皮管接头",
    bore=one_of(4, 6, 8, 10, 12, 16, 20, 25),
    barbs=whole(3, 6, "long"),
    base=one_of("thread", "hex", "double"),
    wall=uniform(0.14, 0.24, "thick"),
)
def hose_barb(q: Look, *, bore: float, barbs: int, base: str, wall: float) -> Solid:
    r = bore / 2 + wall * bore
    step = 0.5 * bore
    line: list[tuple[float, float]] = [(r, 0)]
    for i in range(barbs):
        line += [
            (1.22 * r, i * step + 0.02),
            (1.22 * r, i * step + 0.1 * step),
            (r, (i + 1) * step),
        ]
    barb = turned(line, 2 * q.n)
    hexed = prism(ngon(6, 3.2 * r), 0.5 * bore, bevel=q.edge(bore))
    h = 0.5 * bore
    body = [hexed, barb.translate((0, 0, h + 0.3 * bore)), rod(r, h + 0.4 * bore, q.n)]
    if base == "thread":
        body.append(thread(2.4 * r, 0.24 * r, bore, q.n).translate((0, 0, -bore + 0.01)))
    elif base == "double":
        body.append(rod(r, 0.4 * bore, q.n).translate((0, 0, -0.35 * bore)))
        body.append(barb.mirror((0, 0, 1)).translate((0, 0, -0.3 * bore)))
    return bored(q, union(body), bore=bore / 2, h=2 * (barbs + 3) * bore, key=False)
