"""A second, closer look at the piece: a network at the fineness an inspection needs.

The first look (search/engine/photo) says where the piece is; this one is shown the square about
it and what the first saw, and tells piece from ground to the pixel: mirrors of the ground, dark
sides beside dark shadows. How it was made: training/piece_net.py. Knows pictures only.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from search.engine.small_network import network_open

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from search.engine.render.types import Bytes, Floats

# Beside the code, as constants of it.
NETWORK = Path(__file__).with_name("close_look.onnx")
SIDE = 320  # pixels the network was taught at; multiples of 16 will do
# It is shown the window at these sizes: the mean of the looks errs less than any.
SIDES = (SIDE, 384, 448)
PAD = 0.16  # around what the first look found, of its longer side
# As its first layers were taught (EfficientNet-Lite0): grey is nothing.
GREY, SPREAD = 127.0, 128.0


class Place(NamedTuple):
    """A square of a picture: the corner's x and y and the side, in its pixels."""

    left: int
    top: int
    side: int


def window_about(mask: Bytes, *, pad: float) -> Place:
    """The square about what is not 0 in (h, w), `pad` of its longer side free around it."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return Place(0, 0, max(mask.shape))
    side = float(max(np.ptp(columns), np.ptp(rows)) + 1) * (1 + 2 * pad)
    x, y = (columns[0] + columns[-1] + 1) / 2, (rows[0] + rows[-1] + 1) / 2
    return Place(round(x - side / 2), round(y - side / 2), max(1, round(side)))


def window_cut(plane: Bytes, place: Place, size: int) -> Bytes:
    """(h, w, ...) -> (size, size, ...) of the square; beyond the picture its edge goes on."""
    left, top, side = place
    height, width = plane.shape[:2]
    inside = plane[max(0, top) : top + side, max(0, left) : left + side]
    padded = cv2.copyMakeBorder(
        inside,
        max(0, -top), max(0, top + side - height), max(0, -left), max(0, left + side - width),
        cv2.BORDER_REPLICATE,
    )  # fmt: skip
    how = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(padded, (size, size), interpolation=how), np.uint8)


def clues_of(rgb: Bytes, found: Bytes) -> Floats:
    """(..., s, s, 3) and (..., s, s) uint8 -> (..., 4, s, s) float32: what the network is shown."""
    planes = np.empty((*rgb.shape[:-3], 4, *rgb.shape[-3:-1]), np.float32)
    planes[..., :3, :, :] = np.moveaxis((rgb.astype(np.float32) - GREY) / SPREAD, -1, -3)
    planes[..., 3, :, :] = found.astype(np.float32) / 127.5 - 1
    return planes


def close_look(picture: Bytes, found: Bytes) -> Bytes:
    """(h, w) uint8 0..255, how surely each pixel is the piece's; 0 beyond the window.

    picture  (h, w, 3) sRGB
    found    (h, w) uint8, not 0 where the first look saw the piece
    """
    place = window_about(found, pad=PAD)
    looks = []
    for side in SIDES:
        clues = clues_of(window_cut(picture, place, side), window_cut(found, place, side))
        (logits,) = _network().run(["logits"], {"clues": clues[None]})
        chances = 1 / (1 + np.exp(-np.clip(logits[0, 0], -20, 20)))
        looks.append(cv2.resize(chances, SIDES[-1:] * 2, interpolation=cv2.INTER_LINEAR))
    mean = np.asarray(255 * np.mean(looks, axis=0) + 0.5, np.uint8)
    return _window_back(mean, place, found.shape)


def mask_closer(picture: Bytes, found: Bytes) -> Bytes:
    """(h, w) uint8, 255 on the piece: a first mask made finer; as it was where nothing is seen."""
    seen = np.where(close_look(picture, found) > 127, 255, 0).astype(np.uint8)
    return seen if seen.any() else found


def _window_back(window: Bytes, place: Place, shape: tuple[int, ...]) -> Bytes:
    """(h, w) of the whole picture, from what was cut by `window_cut`."""
    left, top, side = place
    full = np.zeros(shape[:2], np.uint8)
    grown = cv2.resize(window, (side, side), interpolation=cv2.INTER_LINEAR)
    bottom, right = min(shape[0], top + side), min(shape[1], left + side)
    y, x = max(0, top), max(0, left)
    full[y:bottom, x:right] = grown[y - top : bottom - top, x - left : right - left]
    return full


@cache
def _network() -> InferenceSession:
    """Opened at the first photo."""
    return network_open(NETWORK)
