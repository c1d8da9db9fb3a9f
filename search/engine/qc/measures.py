"""Piece and part laid over each other at the pose found: where they differ, and how much.

Outlines tell most; colours say whether a difference of outlines is one of the piece or a shadow;
light and edges tell what happens inside. Lengths are shares of the part's diagonal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from search.engine.qc.interior import interior_look
from search.engine.qc.outline import border_points, masks_overlap
from search.engine.qc.types import Blob, Measures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search.engine.qc.fit import Fit, Window
    from search.engine.qc.interior import Interior
    from search.engine.qc.part import PreparedPart
    from search.engine.render.types import Bytes, Floats

    Flags = NDArray[np.bool_]

SIDE = 320  # of the window that is measured
# Differences of outlines thinner than this (diagonals) are no blob; at most so many are listed.
OPENING, MOST_BLOBS = 0.007, 8
# Colours of piece and ground are learnt as far as this from a blob (diagonals).
BESIDE = 0.12
# A photo's edge that is strong, and one too weak to support an inner edge of the part.
STRONG, WEAK = 0.45, 0.2
# Light is smoothed over this (diagonals) before it is compared; off by more than so many of its
# spreads is a patch.
SMOOTH, PATCH = 0.01, 2.5


class Comparison(NamedTuple):
    """Maps (s, s) of the window: the part's mask, the deviation of the surface in spreads of the
    light (0 where not seen), and the blobs, the worst first."""

    measures: Measures
    drawn: Bytes
    surface: Floats
    blobs: tuple[Blob, ...]
    interior: Interior


def piece_compare(part: PreparedPart, window: Window, fit: Fit) -> Comparison:
    """The part at `fit` against the piece in the window."""
    look = interior_look(part.surface, window, fit)
    drawn = look.maps.mask
    unit = float(fit.translation[2]) / (fit.focal * window.scale)  # diagonals a window pixel
    near, mean = _outline_distances(drawn, window.mask, unit)
    blobs = _outline_blobs(drawn, window, unit)
    weighed = max((b.thickness * e for b, e in blobs), default=0.0)
    blobs.sort(key=lambda pair: -pair[0].thickness * (0.25 + pair[1]))
    surface = _surface_deviation(look, unit)
    patches = np.abs(surface) > PATCH
    explained = cv2.dilate(look.edges.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    well_inside = cv2.erode(look.inside.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    enough = look.edges.sum() > 8
    support = cv2.dilate(look.gradient, np.ones((5, 5), np.uint8))
    measures = Measures(
        iou=masks_overlap(drawn, window.mask),
        mean=mean,
        p95=near,
        thickness=max((b.thickness for b, _ in blobs), default=0.0),
        blob=max((b.area for b, _ in blobs), default=0.0),
        evidence=max((e for _, e in blobs), default=0.0),
        weighed=weighed,
        supported=look.supported,
        unsupported=float((support[look.edges] < WEAK).mean()) if enough else 0.0,
        unexplained=float(((look.gradient > STRONG) & ~explained & well_inside).sum()) * unit**2,
        shading=look.shading,
        surface=float(patches.sum()) * unit**2,
        strength=float(np.abs(surface).max(initial=0.0)),
        contrast=_contrast(window, unit),
        pixel=unit,
    )
    return Comparison(measures, drawn, surface, tuple(b for b, _ in blobs[:MOST_BLOBS]), look)


def _outline_distances(drawn: Bytes, seen: Bytes, unit: float) -> tuple[float, float]:
    """95% of the way from either outline to the other, and the area between them a length."""
    ours, theirs = border_points(drawn), border_points(seen)
    if not len(ours) or not len(theirs):
        return 1.0, 1.0
    away = np.concatenate([_way_to(theirs, drawn.shape)[tuple(ours.T)],
                           _way_to(ours, drawn.shape)[tuple(theirs.T)]])  # fmt: skip
    between = np.count_nonzero(drawn != seen) / max(len(ours), 1)
    return float(np.quantile(away, 0.95)) * unit, float(between) * unit


def _way_to(points: NDArray[np.int32], shape: tuple[int, ...]) -> Floats:
    ground = np.ones(shape, np.uint8)
    ground[points[:, 0], points[:, 1]] = 0
    return np.asarray(cv2.distanceTransform(ground, cv2.DIST_L2, 5), np.float32)


def _outline_blobs(drawn: Bytes, window: Window, unit: float) -> list[tuple[Blob, float]]:
    """Where the outlines differ, each with the evidence (0..1) that the photo's colours give."""
    radius = max(1, round(OPENING / 2 / unit))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    lab = cv2.cvtColor(window.rgb, cv2.COLOR_RGB2LAB).astype(np.float32)
    found: list[tuple[Blob, float]] = []
    for kind, region in (
        ("missing", (drawn > 0) & (window.mask == 0)),
        ("extra", (drawn == 0) & (window.mask > 0)),
    ):
        opened = cv2.morphologyEx(region.astype(np.uint8), cv2.MORPH_OPEN, kernel)
        depth = cv2.distanceTransform(opened, cv2.DIST_L2, 5)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(opened)
        for label in sorted(range(1, count), key=lambda i: -stats[i, cv2.CC_STAT_AREA])[
            :MOST_BLOBS
        ]:
            left, top, width, height, area = (int(v) for v in stats[label])
            here = np.s_[top : top + height, left : left + width]
            own = labels[here] == label
            y, x = np.unravel_index((depth[here] * own).argmax(), own.shape)
            place = window.in_photo(left + x + 0.5, top + y + 0.5)
            corner, end = window.in_photo(left, top), window.in_photo(left + width, top + height)
            blob = Blob(
                "missing" if kind == "missing" else "extra",
                (*corner, *end),
                place,
                2 * float((depth[here] * own).max()) * unit,
                area * unit**2,
            )
            inside = _inside_both(drawn, window.mask)
            found.append((blob, _evidence(lab, labels == label, inside, drawn, window, kind, unit)))
    return found


def _inside_both(drawn: Bytes, seen: Bytes) -> Flags:
    both = ((drawn > 0) & (seen > 0)).astype(np.uint8)
    return cv2.erode(both, np.ones((3, 3), np.uint8)) > 0


def _evidence(
    lab: Floats,
    blob: Flags,
    inside: Flags,
    drawn: Bytes,
    window: Window,
    kind: str,
    unit: float,
) -> float:
    """How surely a blob looks like what the mask says and not like what the part says, 0..1.

    Each pixel's distance to the nearest colours of piece and of ground near the blob; 0.5 when
    either cannot be told.
    """
    reach = max(4, round(BESIDE / unit))
    rows, columns = np.nonzero(blob)
    top, bottom = max(0, rows.min() - reach), rows.max() + reach + 1
    left, right = max(0, columns.min() - reach), columns.max() + reach + 1
    near = np.s_[top:bottom, left:right]
    either = cv2.dilate(
        ((drawn > 0) | (window.mask > 0)).astype(np.uint8), np.ones((5, 5), np.uint8)
    )
    piece, ground = lab[near][inside[near]], lab[near][either[near] == 0]
    if len(piece) < 20 or len(ground) < 20:
        return 0.5
    colours = lab[blob]
    colours = colours[:: 1 + len(colours) // 300]
    to_piece, to_ground = _colour_gap(colours, piece), _colour_gap(colours, ground)
    lean = np.log((to_piece + 2) / (to_ground + 2))
    share = float(np.mean(1 / (1 + np.exp(-3 * lean))))
    return share if kind == "missing" else 1 - share


def _colour_gap(colours: Floats, among: Floats) -> Floats:
    """(n,) how far each colour is from the tenth part of `among` that is nearest to it."""
    sample = among[:: 1 + len(among) // 200]
    gaps = np.linalg.norm(colours[:, None] - sample[None], axis=2)
    return np.asarray(np.quantile(gaps, 0.1, axis=1), np.float32)


def _surface_deviation(look: Interior, unit: float) -> Floats:
    """(s, s) how far the light is off, smoothed, in its own spread."""
    inside = look.inside.astype(np.float32)
    if not look.inside.any():
        return np.zeros_like(look.residual)
    spread = 1.48 * float(np.median(np.abs(look.residual[look.inside]))) + 0.01
    sigma = SMOOTH / unit
    smooth = cv2.GaussianBlur(look.residual, (0, 0), sigma)
    weight = cv2.GaussianBlur(inside, (0, 0), sigma)
    return np.where(look.inside, smooth / (weight + 0.1) / spread, 0).astype(np.float32)


def _contrast(window: Window, unit: float) -> float:
    """Median colour of a strip inside the outline against one outside, in their spreads."""
    lab = cv2.cvtColor(window.rgb, cv2.COLOR_RGB2LAB).astype(np.float32)
    mask = (window.mask > 0).astype(np.uint8)
    width = max(2.0, 0.03 / unit)
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 3)
    piece = lab[(inside > 1) & (inside < width)]
    ground = lab[(outside > 1) & (outside < width)]
    if len(piece) < 20 or len(ground) < 20:
        return 0.0
    middle, other = np.median(piece, axis=0), np.median(ground, axis=0)
    spread = np.abs(piece - middle).mean() + np.abs(ground - other).mean() + 2
    return float(np.linalg.norm(middle - other) / spread)
