"""The catalogue's picture of a part: soft light from all around, and a shadow where it stands."""

import numpy as np

from search.engine.errors import RenderError
from search.engine.render.compose import picture_compose, places_sparse, share_apply
from search.engine.render.frame import camera_fit
from search.engine.render.ground import ground_shadow
from search.engine.render.hero import viewpoint_hero
from search.engine.render.occlusion import Lights, light_share
from search.engine.render.shade import Samples, samples_raster, samples_shade
from search.engine.render.surface import surface_make
from search.engine.render.types import Bytes, Camera, Doubles, Floats, RenderStyle
from search.engine.render.viewpoints import Z_UP, viewpoints_fibonacci

CATALOGUE = RenderStyle(
    base=(0.83, 0.85, 0.88),
    ambient=0.40,
    sky=0.16,
    key=0.30,
    head=0.24,
    gloss=0.12,
    exposure=1.02,
    line=0.45,
    margin=0.07,
)
# As many lights as the time allows, for every light draws the whole part: LIGHT_FACES faces in all.
LIGHTS_MOST, LIGHTS_LEAST, LIGHT_FACES = 64, 24, 800_000
# Lights from farther below than this reach no surface that a thumbnail shows.
BELOW = -0.2
# The light that no shadow takes away from the part, and how dark the ground's shadow gets.
UNSHADED = 0.28
SHADOW = 0.8


def thumbnail_render(
    triangles: Floats,
    *,
    size: int = 512,
    viewpoint: Doubles | None = None,
    up: tuple[float, float, float] = Z_UP,
    style: RenderStyle = CATALOGUE,
) -> Bytes:
    """(size, size, 4) uint8 RGBA, straight alpha: the part with its edges, and its soft shadow.

    triangles (n, 3, 3) float32 as for `views_render`. Without a `viewpoint` the one that shows
    most is chosen; `up` is the part's upright. Raises RenderError("blank_picture").
    """
    surface = surface_make(triangles, crease=style.crease)
    if viewpoint is None:
        viewpoint = viewpoint_hero(surface, up=up)
    camera = camera_fit(surface, viewpoint, size=size, margin=style.margin, up=up)
    samples = Samples.empty(size, size, band=size)
    projected, fine = samples_raster(samples, surface, camera)
    samples_shade(samples, surface, projected, fine, style, top=0)
    if not samples.inverse_depth.any():
        raise RenderError("blank_picture", "The viewpoint sees no surface of the mesh.")
    upright = np.asarray(up, np.float64) / np.linalg.norm(up)
    lights = _studio(camera, upright, faces=len(surface.faces))
    share = light_share(surface, *places_sparse(samples, camera), lights)
    share_apply(samples, share, camera, unshaded=UNSHADED)
    return picture_compose(samples, SHADOW * ground_shadow(surface, camera, upright), style)


def _studio(camera: Camera, upright: Doubles, *, faces: int) -> Lights:
    """Lights all around, stronger from above and from the viewer's upper left."""
    right, _, forward = camera.rotation
    level = np.cross(right, upright)
    level *= -np.sign(level @ forward) or 1.0
    count = max(LIGHTS_LEAST, min(LIGHTS_MOST, LIGHT_FACES // faces))
    local = viewpoints_fibonacci(count)
    local = local[local[:, 2] > BELOW]
    key = np.array([-0.5, 0.5, 0.9]) / np.linalg.norm([0.5, 0.5, 0.9])
    sky = np.clip(local[:, 2] + 0.5, 0.0, 1.0)
    strengths = 0.35 + 0.65 * sky + 0.6 * np.maximum(local @ key, 0.0) ** 4
    return Lights(local @ np.stack([right, level, upright]), strengths)
