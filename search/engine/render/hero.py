"""The viewpoint for a part's one picture: three-quarter from above, showing as much as it can."""

import numpy as np

from search.engine.render.frame import DISTANCE
from search.engine.render.pose import pose_render
from search.engine.render.surface import Surface
from search.engine.render.types import Camera, Doubles
from search.engine.render.viewpoints import Z_UP, viewpoint_rotation

AZIMUTHS = (-30.0, 30.0, -60.0, 60.0)
ELEVATIONS = (24.0, 40.0)
SIDE = 72


def viewpoint_hero(surface: Surface, *, up: tuple[float, float, float] = Z_UP) -> Doubles:
    """(3,) unit vector: of three-quarter viewpoints the one that shows the most.

    A view scores its visible area, times the entropy of the directions its surface faces (Vazquez
    et al. 2001, viewpoint entropy): a flat washer is seen more from above, a bolt from the side.
    Azimuths are measured from the front, -y for z up; earlier ones win ties.
    """
    upright = np.asarray(up, np.float64) / np.linalg.norm(up)
    side = np.roll(upright, 1)
    side -= (side @ upright) * upright
    side /= np.linalg.norm(side)
    front = np.cross(side, upright)
    best, best_score = front, -1.0
    for elevation in np.radians(ELEVATIONS):
        for azimuth in np.radians(AZIMUTHS):
            level = np.cos(azimuth) * front + np.sin(azimuth) * side
            viewpoint = np.cos(elevation) * level + np.sin(elevation) * upright
            score = _shown(surface, viewpoint, up)
            if score > best_score * 1.02:
                best, best_score = viewpoint, score
    return best


def _shown(surface: Surface, viewpoint: Doubles, up: tuple[float, float, float]) -> float:
    rotation = viewpoint_rotation(viewpoint, up=up)
    translation = np.array([0.0, 0.0, DISTANCE * surface.radius]) - rotation @ surface.centre
    focal = SIDE / 2 * np.sqrt(DISTANCE**2 - 1)
    camera = Camera(rotation, translation, focal, (SIDE / 2, SIDE / 2), SIDE, SIDE)
    maps = pose_render(surface, camera)
    seen = maps.normals[maps.mask > 0]
    if len(seen) == 0:
        return 0.0
    bins = np.round(seen * 1.5).astype(np.int64) @ np.array([1, 5, 25]) + 62
    shares = np.bincount(bins) / len(seen)
    shares = shares[shares > 0]
    entropy = -(shares * np.log(shares)).sum()
    return float((1.0 + entropy) * len(seen))
