"""Maps of a part in any pose, without colour: the inner loop of pose searches."""

import numpy as np

from search.engine.render.raster import faces_raster, vertices_project
from search.engine.render.shade import normals_fill
from search.engine.render.surface import Surface
from search.engine.render.types import Camera, Maps


def pose_render(surface: Surface, camera: Camera) -> Maps:
    """Maps (h, w) of `surface` as `camera` sees it, one sample a pixel; empty maps are no error.

    Make the surface once with `surface_make` (its default shades faces flat) and the camera for
    each pose. Faces that reach behind the camera are not drawn.
    """
    shape = camera.height, camera.width
    inverse_depth, face_ids = np.empty(shape, np.float32), np.empty(shape, np.int32)
    normals = np.empty((3, *shape), np.float32)
    projected = vertices_project(surface.vertices, camera)
    faces_raster(projected, surface.faces, inverse_depth=inverse_depth, face_ids=face_ids)
    normals_fill(normals, face_ids, projected, surface, camera)
    seen = face_ids >= 0
    depth = np.full(shape, np.inf, np.float32)
    np.divide(np.float32(1), inverse_depth, out=depth, where=seen)
    mask = seen.astype(np.uint8) * np.uint8(255)
    return Maps(mask, depth, np.moveaxis(normals, 0, -1), face_ids)
