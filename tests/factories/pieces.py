"""Plain photos of pieces: a part lit by one lamp on a grey ground with grain, its truth known."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from search.engine.qc.types import InspectionPhoto, Pose
from search.engine.render.pose import pose_render
from search.engine.render.surface import surface_make
from search.engine.render.types import Camera

HEIGHT, WIDTH = 420, 560
BITE = 26  # pixels


def _pose(turns: tuple[float, float, float]) -> Pose:
    rotation = np.eye(3)
    for axis, angle in enumerate(turns):
        vector = np.zeros(3)
        vector[axis] = np.radians(angle)
        rotation = cv2.Rodrigues(vector)[0] @ rotation
    # Looking at the middle of `tests.factories.solids.drilled_bracket` from 150 mm.
    middle = np.array([30.0, 20.0, 25.0])
    return Pose(rotation, np.array([6.0, -4.0, 190.0]) - rotation @ middle, 600.0)


TRUE_POSES = (_pose((215, 25, 10)), _pose((150, -40, 75)), _pose((200, 40, 160)))


@dataclass(frozen=True)
class PiecePhoto(InspectionPhoto):
    """mask: the piece's true pixels; lost: (x, y) where the corner was, NaN for a whole piece."""

    mask: NDArray[np.bool_] | None = None
    lost: tuple[float, float] = (np.nan, np.nan)
    pose: Pose = TRUE_POSES[0]

    @cached_property
    def mm_a_pixel(self) -> float:
        return float(190.0 / self.pose.focal)


def photo_of(triangles, *, pose: int = 0, broken: bool = False) -> PiecePhoto:
    """Of (n, 3, 3) mm. Broken: a round bite out of the silhouette, showing the ground."""
    true = TRUE_POSES[pose]
    middle = (WIDTH / 2, HEIGHT / 2)
    camera = Camera(true.rotation, true.translation, true.focal, middle, WIDTH, HEIGHT)
    maps = pose_render(surface_make(np.asarray(triangles, np.float32)), camera)
    rng = np.random.default_rng(pose)
    lamp = np.array([0.3, 0.7, 0.65])
    light = 0.25 + 0.7 * np.clip(maps.normals @ lamp, 0, 1)
    mask, lost = maps.mask > 0, (np.nan, np.nan)
    if broken:
        rows, columns = np.nonzero(mask)
        corner = int((columns + rows).argmax())
        lost = float(columns[corner]), float(rows[corner])
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
        mask = mask & (np.hypot(x - lost[0], y - lost[1]) > BITE)
    ground = np.array([0.32, 0.36, 0.42]) * (1 + 0.1 * np.linspace(-1, 1, WIDTH)[None, :, None])
    piece = light[..., None] * np.array([0.95, 0.80, 0.45])
    scene = np.where(mask[..., None], piece, ground).astype(np.float32)
    scene = cv2.GaussianBlur(scene, (0, 0), 0.6) + rng.normal(0, 0.012, scene.shape)
    rgb = (scene.clip(0, 1) * 255).astype(np.uint8)
    return PiecePhoto(rgb, None, None, mask, lost, true)
