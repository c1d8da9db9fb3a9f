"""Inside the outline: does light on the part's surface explain the photo, and do its edges show?

Light by spherical harmonics of order 2 over the rendered normals (Ramamoorthi and Hanrahan 2001,
nine numbers hold all of a matte surface's light), fitted to each photo robustly. Edges where the
rendered normals or depths jump.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from search.engine.render.pose import pose_render

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search.engine.qc.fit import Fit, Window
    from search.engine.render.surface import Surface
    from search.engine.render.types import Bytes, Floats, Maps

    Flags = NDArray[np.bool_]

# A pixel's normal turned by more than 41 degrees from its neighbour's, or a step in depth of this
# many diagonals, is an edge.
EDGE_TURN, EDGE_STEP = 0.25, 0.05
# Fewer edge pixels than this say nothing.
LEAST_EDGE, LEAST_INSIDE = 8, 80


@dataclass(frozen=True, eq=False)
class Interior:
    """What is seen inside the outline; maps are (s, s) of the window.

    shading    up to 1: the share of the light's spread that the surface explains
    supported  mean strength of the photo's edges where the part has edges, 0..1; 0.5 without any
    residual   float32, lightness (0..1) the light does not explain; 0 off `inside`
    inside     bool, well inside both outlines
    edges      bool, the part's
    gradient   float32 0..1, the photo's edges
    maps       the part's own
    """

    shading: float
    supported: float
    residual: Floats
    inside: Flags
    edges: Flags
    gradient: Floats
    maps: Maps


def interior_look(surface: Surface, window: Window, fit: Fit) -> Interior:
    maps = pose_render(surface, window.camera(fit))
    both = ((maps.mask > 0) & (window.mask > 0)).astype(np.uint8)
    inside = cv2.erode(both, np.ones((3, 3), np.uint8), iterations=2) > 0
    lightness = _lightness(window.rgb)
    shading, residual = shading_fit(lightness, maps.normals, inside)
    edges = edges_of(maps) & inside
    gradient = gradient_of(lightness, inside)
    near = cv2.dilate(gradient, np.ones((5, 5), np.uint8))
    supported = float(near[edges].mean()) if edges.sum() > LEAST_EDGE else 0.5
    return Interior(shading, supported, residual, inside, edges, gradient, maps)


def _lightness(rgb: Bytes) -> Floats:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)[..., 0], np.float32) / np.float32(255)


def shading_fit(lightness: Floats, normals: Floats, inside: Flags) -> tuple[float, Floats]:
    """How much of the lightness (s, s) the light on `normals` (s, s, 3) explains, and what not."""
    residual = np.zeros_like(lightness)
    if inside.sum() < LEAST_INSIDE:
        return 0.0, residual
    x, y, z = normals[inside].T
    basis = np.stack(
        [np.ones_like(x), x, y, z, x * y, x * z, y * z, x * x - y * y, 3 * z * z - 1], axis=1
    )
    seen = lightness[inside]
    weights = np.ones_like(seen)
    for _ in range(3):
        weighted = basis * weights[:, None]
        square = weighted.T @ weighted + 0.09 * np.eye(9, dtype=np.float32)
        light = np.linalg.solve(square, weighted.T @ (seen * weights))
        rest = seen - basis @ light
        weights = (1 / np.sqrt(1 + (np.abs(rest) / 0.06) ** 2)).astype(np.float32)
    residual[inside] = rest
    spread = np.abs(seen - np.median(seen)).mean() + 0.01
    return float(1 - np.abs(rest).mean() / spread), residual


def edges_of(maps: Maps) -> Flags:
    """(s, s) bool: where normals or depths of the maps jump between neighbours."""
    seen, normals = maps.mask > 0, maps.normals
    depth = np.where(seen, maps.depth, 0)
    edges = np.zeros(seen.shape, bool)
    for here, there in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1])):
        both = seen[here] & seen[there]
        turned = (normals[here] * normals[there]).sum(-1) < 1 - EDGE_TURN
        stepped = np.abs(depth[here] - depth[there]) > EDGE_STEP
        edges[here] |= both & (turned | stepped)
    return edges


def gradient_of(lightness: Floats, inside: Flags) -> Floats:
    """(s, s) 0..1: how strong the photo's edges are beside its own texture."""
    soft = cv2.GaussianBlur(lightness * 255, (0, 0), 1.0)
    slope = np.hypot(
        cv2.Sobel(soft, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(soft, cv2.CV_32F, 0, 1, ksize=3)
    )
    usual = float(np.median(slope[inside])) if inside.sum() > LEAST_INSIDE else 1.0
    return np.asarray(slope / (slope + 3 * usual + 8), np.float32)
