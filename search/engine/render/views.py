"""Views of a part for the encoders and the pages: the room's main door."""

from collections.abc import Iterable

import numpy as np

from search.engine.errors import RenderError
from search.engine.render.frame import camera_fit
from search.engine.render.shade import Samples, picture_filter, samples_draw, tones_make
from search.engine.render.surface import surface_make
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
    surface = surface_make(triangles, crease=style.crease)
    shape = (len(directions), size, size)
    views = Views(
        rgb=np.empty((*shape, 3), np.uint8),
        mask=np.empty(shape, np.uint8),
        depth=np.empty(shape, np.float32),
        normals=np.empty((*shape, 3), np.float32),
        face_ids=np.empty(shape, np.int32),
        cameras=tuple(
            camera_fit(surface, direction, size=size, margin=style.margin)
            for direction in directions
        ),
    )
    samples = Samples.empty(size, size)
    base, tones = np.array(style.base, np.float32), tones_make(style.gamma)
    for i, camera in enumerate(views.cameras):
        samples_draw(samples, surface, camera, style)
        picture_filter(
            samples.inverse_depth,
            samples.face_ids,
            samples.normals,
            samples.light,
            base,
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
