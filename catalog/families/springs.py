"""Springs; their axis is z."""

from functools import partial

import numpy as np

from catalog.families.solids import (
    Solid,
    curve,
    helix,
    wire,
)
from catalog.families.types import Look, family, log_uniform, one_of, phrase, uniform, whole

drive = partial(family, group="transmission")
spring = partial(drive, category="spring")


@spring(
    en="compression spring; coil spring; helical spring / spiral wire spring; push spring",
    zh_hant="壓縮彈簧; 彈簧; 螺旋彈簧 / 線圈彈簧; 壓簧",
    zh_hans="压缩弹簧; 弹簧; 螺旋弹簧 / 线圈弹簧; 压簧",
    says=(phrase("{name}, conical", "錐形{name}", "锥形{name}", when="cone"),),
    d=log_uniform(4, 60),
    wire_=uniform(0.08, 0.2, "heavy"),
    turns=uniform(4, 14, "long"),
    pitch=uniform(1.6, 3.2),
    cone=one_of(False, False, False, True),
    ends=one_of("open", "ground"),
)
def coil_spring(
    q: Look, *, d: float, wire_: float, turns: float, pitch: float, cone: bool, ends: str
) -> Solid:
    w = wire_ * d
    r = (d - w) / 2
    path = helix(r, pitch * w, turns, min(q.n, 32), top=0.45 * r if cone else None)
    if ends == "ground" and not cone:
        a = np.linspace(0, 2 * np.pi, q.n)[:-1]
        dead = np.c_[r * np.cos(a), r * np.sin(a), 0.5 * w * a / np.pi - w]
        path = np.concatenate([dead, path])
        top = path[-1]
        spin = np.arctan2(top[1], top[0]) + np.linspace(0, 2 * np.pi, q.n)[1:]
        rise = top[2] + w * np.linspace(0, 1, q.n)[1:]
        path = np.concatenate([path, np.c_[r * np.cos(spin), r * np.sin(spin), rise]])
    made = wire(path, w / 2, q.m)
    if ends == "ground" and not cone:
        low, high = path[0, 2], path[-1, 2]
        made = made.trim_by_plane((0, 0, 1), low).trim_by_plane((0, 0, -1), -high)
    return made


@spring(
    en="extension spring; tension spring; spring with hooks / pull spring; coil with end loops",
    zh_hant="拉伸彈簧; 拉力彈簧; 帶鉤彈簧 / 拉簧; 兩端有鉤的彈簧",
    zh_hans="拉伸弹簧; 拉力弹簧; 带钩弹簧 / 拉簧; 两端有钩的弹簧",
    d=log_uniform(4, 40),
    wire_=uniform(0.1, 0.2, "heavy"),
    turns=whole(8, 26, "long"),
    hook=uniform(0.8, 1.6),
)
def tension_spring(q: Look, *, d: float, wire_: float, turns: int, hook: float) -> Solid:
    w = wire_ * d
    r = (d - w) / 2
    path = helix(r, 1.04 * w, turns, min(q.n, 28))
    h = path[-1, 2]
    reach = hook * r
    up = curve([(r, 0, h), (0.6 * r, 0, h + 0.15 * d), (0, 0, h + 0.3 * d + 0.1 * reach)], 10)
    a = np.radians(np.linspace(0, 300, q.n))
    ring = np.c_[reach * np.sin(a), 0 * a, h + 0.3 * d + reach * (1.1 - np.cos(a))]
    top = np.concatenate([up, ring[1:]])
    line = np.concatenate([path, top[1:]])
    low = np.c_[top[:, 0], -top[:, 1], h - top[:, 2]]
    return wire(np.concatenate([low[::-1], line[1:]]), w / 2, q.m)


@spring(
    en="torsion spring; spring with two legs / clothes-peg spring; twisting coil with arms",
    zh_hant="扭轉彈簧; 扭簧; 雙臂彈簧 / 曬衣夾彈簧; 有兩支腳的彈簧",
    zh_hans="扭转弹簧; 扭簧; 双臂弹簧 / 晾衣夹弹簧; 有两支脚的弹簧",
    d=log_uniform(4, 40),
    wire_=uniform(0.1, 0.2, "heavy"),
    turns=uniform(2.5, 8),
    leg=uniform(0.8, 2.2, "long"),
)
def torsion_spring(q: Look, *, d: float, wire_: float, turns: float, leg: float) -> Solid:
    w = wire_ * d
    r = (d - w) / 2
    path = helix(r, 1.06 * w, turns, min(q.n, 32))
    first, last = path[0] - path[1], path[-1] - path[-2]
    arms = [path[0] + first / np.linalg.norm(first) * leg * d,
            path[-1] + last / np.linalg.norm(last) * leg * d]  # fmt: skip
    return wire(np.concatenate([arms[:1], path, arms[1:]]), w / 2, q.m)
