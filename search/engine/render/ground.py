"""The soft shadow a part throws on the ground it stands on.

From a map of how high the part's underside is above the ground: what hangs low darkens sharply
and strongly, what hangs high widely and faintly. No lights, hence no bands.
"""

import cv2
import numpy as np

from search.engine.render.raster import faces_raster, vertices_transform
from search.engine.render.surface import Surface
from search.engine.render.types import Camera, Doubles, Floats
from search.engine.render.viewpoints import viewpoint_rotation

MAP = 128
# The map reaches this many radii from the part's centre.
REACH = 1.6
# Layers: the part below a height darkens the ground by a share, blurred by about half the height.
HEIGHTS = (0.03, 0.09, 0.22, 0.5)
DARKNESS = (0.5, 0.4, 0.3, 0.15)
# The shadow is soft: it is worked out for every STEP-th pixel.
STEP = 2


def ground_shadow(surface: Surface, camera: Camera, upright: Doubles) -> Floats:
    """(h, w) float32 0..1: how dark the ground is, 0 where it is free or out of sight.

    The ground lies under the part's lowest vertex along `upright` (unit) and is seen from above
    only. Towards the picture's border the shadow fades, so that no edge cuts it.
    """
    eye = -camera.rotation.T @ camera.translation
    floor = float((surface.vertices @ upright.astype(np.float32)).min())
    height = floor - eye @ upright
    shape = camera.height, camera.width
    if height >= 0:
        return np.zeros(shape, np.float32)
    rotation = viewpoint_rotation(-upright)
    shadow_map = _shadow_map(surface, rotation, floor)
    across = (np.arange(STEP / 2, camera.width, STEP) - camera.principal[0]) / camera.focal
    down = (np.arange(STEP / 2, camera.height, STEP) - camera.principal[1]) / camera.focal
    turn, scale = rotation @ camera.rotation.T, MAP / 2 / (REACH * surface.radius)
    rays = across[None, :, None] * turn[:, 0] + down[:, None, None] * turn[:, 1] + turn[:, 2]
    # Row 2 of `rotation` is upright: a ray meets the ground where its rise is `height`.
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(rays[..., 2] < 0, height / rays[..., 2], np.nan)
        place = reach[..., None] * rays + rotation @ (eye - surface.centre)
    column, row = (place[..., i].astype(np.float32) * np.float32(scale) + MAP / 2 for i in (0, 1))
    shadow = cv2.remap(
        shadow_map,
        np.nan_to_num(column - 0.5, nan=-9.0),
        np.nan_to_num(row - 0.5, nan=-9.0),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0.0,
    )
    full = cv2.resize(shadow, shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(full * _fade(camera.height)[:, None] * _fade(camera.width), np.float32)


def _shadow_map(surface: Surface, rotation: Doubles, floor: float) -> Floats:
    """(MAP, MAP) float32 darkness of the ground about the part, looking up at its underside."""
    unit = surface.radius
    scale = np.array([MAP / 2 / REACH, MAP / 2 / REACH, -1.0]) / unit
    linear = rotation * scale[:, None]
    offset = np.array([MAP / 2, MAP / 2, 0.0]) - linear @ surface.centre
    offset[2] = 3.0 + floor / unit
    nearness, face_ids = np.empty((MAP, MAP), np.float32), np.empty((MAP, MAP), np.int32)
    projected = vertices_transform(surface.vertices, np.column_stack([linear, offset]))
    faces_raster(projected, surface.faces, inverse_depth=nearness, face_ids=face_ids)
    above = np.float32(3.0) - nearness
    light = np.ones((MAP, MAP), np.float32)
    for height, darkness in zip(HEIGHTS, DARKNESS, strict=True):
        low = (above < height).astype(np.float32)
        sigma = max(0.45 * height * MAP / 2 / REACH, 0.8)
        light *= 1.0 - darkness * cv2.GaussianBlur(low, (0, 0), sigma)
    return 1.0 - light


def _fade(size: int) -> Floats:
    inset = np.minimum(np.arange(size), np.arange(size)[::-1]) / (0.06 * size)
    ramp = np.clip(inset, 0.0, 1.0).astype(np.float32)
    return ramp * ramp * (3 - 2 * ramp)
