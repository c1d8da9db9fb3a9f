"""Views of a part for the encoders and the pages: the room's main door."""

from collections.abc import Iterable

import numpy as np

from search.engine.errors import RenderError
from search.engine.render.frame import camera_fit, part_frame
from search.engine.render.raster import faces_raster
from search.engine.render.shade import (
    SAMPLES,
    lights_pack,
    picture_shade,
    sample_normals,
    surface_make,
    tones_make,
)
from search.engine.render.types import Doubles, Floats, RenderStyle, Views

PLAIN = RenderStyle()


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
    frame = part_frame(triangles)
    surface = surface_make(frame.triangles, crease=style.crease)
    tones = tones_make(style.gamma)
    shape = (len(directions), size, size)
    views = Views(
        rgb=np.empty((*shape, 3), np.uint8),
        mask=np.empty(shape, np.uint8),
        depth=np.empty(shape, np.float32),
        normals=np.empty((*shape, 3), np.float32),
        face_ids=np.empty(shape, np.int32),
        cameras=tuple(
            camera_fit(frame, direction, size=size, margin=style.margin) for direction in directions
        ),
    )
    scratch = np.empty((size * SAMPLES, size * SAMPLES, 3), np.float32)
    for i, camera in enumerate(views.cameras):
        fine = camera.magnified(SAMPLES)
        inverse_depth, face_ids = faces_raster(surface.triangles, fine)
        picture_shade(
            inverse_depth,
            face_ids,
            sample_normals(surface, fine, face_ids, out=scratch),
            lights_pack(style, fine),
            tones,
            views.rgb[i],
            views.mask[i],
            views.depth[i],
            views.normals[i],
            views.face_ids[i],
        )
    if not views.mask.any():
        raise RenderError("blank_picture", "No viewpoint sees any surface of the mesh.")
    return views
