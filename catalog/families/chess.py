"""Chess pieces; they stand on z = 0."""

from functools import partial

import numpy as np

from catalog.families.profiles import plus
from catalog.families.solids import (
    Solid,
    ball,
    block,
    curve,
    polar,
    prism,
    rod,
    turned,
    union,
)
from catalog.families.types import Look, family, log_uniform, one_of, uniform, whole

game = partial(family, group="everyday", category="game")


def pedestal(q: Look, *, r: float, h: float, waist: float, top: float) -> Solid:
    """A chess piece's turned body from its foot of radius r up to a collar at height h."""
    line = [
        (r, 0), (r, 0.07 * h), (0.82 * r, 0.13 * h), (0.86 * r, 0.17 * h), (0.6 * r, 0.26 * h),
        (waist * r, 0.6 * h), (waist * 0.95 * r, 0.9 * h), (top * r, 0.97 * h), (top * r, h),
    ]  # fmt: skip
    return turned(curve(line, 48), 2 * q.n)


PIECE = {
    "height": log_uniform(25, 100),
    "slim": uniform(0.36, 0.5, "slender"),
    "waist": uniform(0.3, 0.48),
}


@game(
    en="chess pawn; pawn chess piece / smallest chessman; game pawn token",
    zh_hant="西洋棋兵; 士兵棋子 / 最小的棋子; 遊戲小兵棋",
    zh_hans="国际象棋兵; 兵棋子 / 最小的棋子; 游戏小兵棋",
    **PIECE,
    head=uniform(0.5, 0.72),
)
def chess_pawn(q: Look, *, height: float, slim: float, waist: float, head: float) -> Solid:
    r = height * (0.75 - slim)
    h = height - 1.75 * head * r
    body = pedestal(q, r=r, h=h, waist=waist, top=0.62)
    return union(body, ball(head * r, 2 * q.n).translate((0, 0, h + 0.75 * head * r)))


@game(
    en="chess rook; castle chess piece; tower chess piece / chess castle; rook chessman",
    zh_hant="西洋棋城堡; 城堡棋子; 車棋 / 塔樓棋子; 西洋棋車",
    zh_hans="国际象棋车; 城堡棋子; 车棋 / 塔楼棋子; 国际象棋城堡",
    **PIECE,
    teeth=one_of(4, 5, 6, 8),
)
def chess_rook(q: Look, *, height: float, slim: float, waist: float, teeth: int) -> Solid:
    r = height * (0.75 - slim)
    h = 0.72 * height
    body = pedestal(q, r=r, h=h, waist=waist + 0.1, top=0.78)
    top = rod(0.72 * r, height - h, 2 * q.n, top=0.8 * r)
    top = top - rod(0.52 * r, height, q.n).translate((0, 0, 0.35 * (height - h)))
    slot = block(2 * r, 0.28 * r, height).translate((r, 0, 0.6 * (height - h)))
    return union(body, (top - union(polar(slot, teeth))).translate((0, 0, h - 0.01)))


@game(
    en="chess bishop; bishop chess piece / mitre-topped chessman; slotted head chess piece",
    zh_hant="西洋棋主教; 主教棋子 / 象棋; 尖頂有切口的棋子",
    zh_hans="国际象棋象; 主教棋子 / 象棋子; 尖顶带切口的棋子",
    **PIECE,
)
def chess_bishop(q: Look, *, height: float, slim: float, waist: float) -> Solid:
    r = height * (0.72 - slim)
    h = 0.62 * height
    body = pedestal(q, r=r, h=h, waist=waist, top=0.6)
    tall = height - h
    shape = [(0.3, 0), (0.55, 0.28), (0.44, 0.6), (0.12, 0.86), (0.02, 0.88)]
    mitre = turned(curve(np.array(shape) * (r, tall), 28), 2 * q.n)
    cut = block(0.09 * tall, 2 * r, tall).rotate((0, 38, 0)).translate((0.26 * r, 0, 0.42 * tall))
    bead = ball(0.1 * tall, q.m).translate((0, 0, 0.9 * tall))
    return union(body, union(mitre - cut, bead).translate((0, 0, h)))


@game(
    en="chess king; king chess piece / chessman with a cross on top; crowned chess piece",
    zh_hant="西洋棋國王; 國王棋子 / 頂端十字的棋子; 王棋",
    zh_hans="国际象棋王; 国王棋子 / 顶端十字的棋子; 王棋",
    **PIECE,
)
def chess_king(q: Look, *, height: float, slim: float, waist: float) -> Solid:
    r = height * (0.68 - slim)
    h = 0.66 * height
    body = pedestal(q, r=r, h=h, waist=waist, top=0.66)
    t = height - h
    crown = turned(
        [(0.4 * r, 0), (0.66 * r, 0.5 * t), (0.3 * r, 0.6 * t), (0.08 * r, 0.64 * t)], 2 * q.n
    )
    mark = prism(plus(0.34 * t, 0.42 * t, 0.1 * t, drop=0.04 * t), 0.1 * t, bevel=q.edge(0.1 * t))
    mark = mark.rotate((90, 0, 0)).translate((0, 0.05 * t, 0.8 * t))
    return union(body, union(crown, mark).translate((0, 0, h - 0.01)))


@game(
    en="chess queen; queen chess piece / coronet chessman; chess piece with a spiked crown",
    zh_hant="西洋棋皇后; 皇后棋子 / 后冠棋子; 帶尖冠的棋子",
    zh_hans="国际象棋后; 皇后棋子 / 后冠棋子; 带尖冠的棋子",
    **PIECE,
    points=whole(6, 10),
)
def chess_queen(q: Look, *, height: float, slim: float, waist: float, points: int) -> Solid:
    r = height * (0.69 - slim)
    h = 0.68 * height
    body = pedestal(q, r=r, h=h, waist=waist, top=0.62)
    t = height - h
    crown = turned(
        [(0.36 * r, 0), (0.7 * r, 0.66 * t), (0.5 * r, 0.6 * t), (0.2 * r, 0.75 * t)], 2 * q.n
    )
    bite = ball(0.62 * r * np.sin(np.pi / points), q.m).translate((0.72 * r, 0, 0.72 * t))
    top = ball(0.13 * t, q.m).translate((0, 0, 0.84 * t))
    return union(body, union(crown - union(polar(bite, points)), top).translate((0, 0, h - 0.01)))
