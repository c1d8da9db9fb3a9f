"""Views of a part for the encoders and the pages: the room's main door."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from search.engine.errors import RenderError
from search.engine.render.frame import camera_fit
from search.engine.render.shade import (
    Samples,
    picture_filter,
    samples_raster,
    samples_shade,
    tones_make,
)
from search.engine.render.surface import Surface, surface_make
from search.engine.render.types import Camera, Doubles, Floats, RenderStyle, Views

PLAIN = RenderStyle()
# At most so many rows of pixels are shaded at a time.
BAND = 64


def views_render(
    triangles: Floats,
    *,
    viewpoints: Doubles | Iterable[Iterable[float]],
    size: int = 224,
    style: RenderStyle = PLAIN,
) -> Views:
    """Views (v, size, size) of (n, 3, 3) float32 triangles from (v, 3) viewpoints.

    Each view fills its picture: perspective of 25 degrees, cropped to the part. Faces with
    numbers that are not finite, and stray ones far away, are not drawn; face ids are those of
    the input. Raises RenderError("blank_picture") when no viewpoint sees any surface.
    """
    directions = np.asarray(viewpoints, dtype=np.float64).reshape(-1, 3)
    surface = surface_make(triangles, crease=style.crease)
    cameras = [
        camera_fit(surface, direction, size=size, margin=style.margin) for direction in directions
    ]
    return cameras_render(surface, cameras, size=size, style=style)


def cameras_render(
    surface: Surface, cameras: Sequence[Camera], *, size: int = 224, style: RenderStyle = PLAIN
) -> Views:
    """Views (v, size, size) of a surface by cameras whose pictures have that size.

    Make the surface with the style's crease. Raises RenderError("blank_picture") when no camera
    sees any of it.
    """
    shape = (len(cameras), size, size)
    views = Views(
        rgb=np.empty((*shape, 3), np.uint8),
        mask=np.empty(shape, np.uint8),
        depth=np.empty(shape, np.float32),
        normals=np.empty((*shape, 3), np.float32),
        face_ids=np.empty(shape, np.int32),
        cameras=tuple(cameras),
    )
    rows = math.ceil(size / math.ceil(size / BAND))
    samples = Samples.empty(size, size, band=rows)
    base, tones = np.array(style.base, np.float32), tones_make(style.gamma)
    for i, camera in enumerate(views.cameras):
        projected, fine = samples_raster(samples, surface, camera)
        for top in range(0, size, rows):
            top = min(top, size - rows)
            band = samples.band(top)
            samples_shade(band, surface, projected, fine, style, top=top)
            picture_filter(
                band.inverse_depth,
                band.face_ids,
                band.normals,
                band.light,
                base,
                tones,
                views.rgb[i, top : top + rows],
                views.mask[i, top : top + rows],
                views.depth[i, top : top + rows],
                views.normals[i, top : top + rows],
                views.face_ids[i, top : top + rows],
            )
    if not views.mask.any():
        raise RenderError("blank_picture", "No viewpoint sees any surface of the mesh.")
    return views
