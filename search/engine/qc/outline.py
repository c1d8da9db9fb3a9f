"""Outlines: a mask's border and what it looks like from its middle. Knows no part and no photo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numba import njit

from search.engine.render.types import KERNEL

if TYPE_CHECKING:
    from search.engine.render.types import Bytes, Doubles, Floats, Ints

RINGS, ANGLES = 20, 72
# The signature reaches this many root mean square radii from the middle.
REACH = 2.4


def border_points(mask: Bytes) -> Ints:
    """(m, 2) int32 rows and columns of the pixels with one of four neighbours off the mask."""
    points: Ints = _border_points(mask)
    return points


@njit(**KERNEL)
def _border_points(mask: Bytes) -> Ints:
    height, width = mask.shape
    found = np.empty((height * width, 2), np.int32)
    count = 0
    for y in range(height):
        for x in range(width):
            if mask[y, x] == 0:
                continue
            if (
                y == 0 or x == 0 or y == height - 1 or x == width - 1
                or mask[y - 1, x] == 0 or mask[y + 1, x] == 0
                or mask[y, x - 1] == 0 or mask[y, x + 1] == 0
            ):  # fmt: skip
                found[count, 0], found[count, 1] = y, x
                count += 1
    return found[:count].copy()


def outward_normals(mask: Bytes, points: Ints) -> Floats:
    """(m, 2) float32 unit x, y away from the mask at its border points."""
    soft = cv2.GaussianBlur((mask > 0).astype(np.float32), (0, 0), 1.5)
    slope_x = cv2.Sobel(soft, cv2.CV_32F, 1, 0, ksize=3)[points[:, 0], points[:, 1]]
    slope_y = cv2.Sobel(soft, cv2.CV_32F, 0, 1, ksize=3)[points[:, 0], points[:, 1]]
    away = -np.column_stack([slope_x, slope_y])
    length = np.linalg.norm(away, axis=1, keepdims=True)
    return np.asarray(away / np.maximum(length, 1e-9), np.float32)


def signature(mask: Bytes) -> tuple[Floats, Doubles]:
    """What a mask (h, w) looks like from its middle: (RINGS, ANGLES) float32 of mean 0 and length
    1, and (3,) x, y in pixels of the middle and the root mean square radius.

    Scaled by that radius and not by the area, which holes change more.
    """
    moments = cv2.moments(mask, binaryImage=True)
    area = max(moments["m00"], 1.0)
    x, y = moments["m10"] / area, moments["m01"] / area
    radius = max(np.sqrt((moments["mu20"] + moments["mu02"]) / area), 0.5)
    reach = (np.arange(RINGS) + 0.5) / RINGS * (REACH * radius)
    angle = np.arange(ANGLES) * (2 * np.pi / ANGLES)
    across = (x + reach[:, None] * np.cos(angle)).astype(np.float32)
    down = (y + reach[:, None] * np.sin(angle)).astype(np.float32)
    soft = cv2.GaussianBlur((mask > 0).astype(np.float32), (0, 0), max(0.5, radius * 0.06))
    seen = cv2.remap(soft, across, down, cv2.INTER_LINEAR)
    # A ring counts by its length; the root keeps far, thin limbs from deciding alone.
    seen = seen * np.sqrt(reach / reach[-1])[:, None].astype(np.float32)
    seen -= seen.mean()
    seen /= np.linalg.norm(seen) + 1e-9
    return np.asarray(seen, np.float32), np.array([x + 0.5, y + 0.5, radius])


def masks_overlap(one: Bytes, other: Bytes) -> float:
    """Intersection over union of two masks of one shape; 0 when both are empty."""
    return float(_masks_overlap(one, other))


@njit(**KERNEL)
def _masks_overlap(one: Bytes, other: Bytes) -> float:
    both = either = 0
    for y in range(one.shape[0]):
        for x in range(one.shape[1]):
            a, b = one[y, x] > 0, other[y, x] > 0
            both += a and b
            either += a or b
    return both / max(either, 1)
