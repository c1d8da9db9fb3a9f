"""Parts on a table, by a path tracer: light goes from face to face, as it does in no drawn scene.

Table, camera and what a camera does to a picture are those of `training.scenes`; between them
Mitsuba 3 (Jakob et al. 2022) follows the light: metal that mirrors itself and the ground, dark
insides, colours that bleed. Three seconds of a core each, so they are few beside drawn scenes.

Mitsuba compiles with a library of the machine, LLVM 16 or newer (DRJIT_LIBLLVM_PATH names it);
without one the same scene takes ten times as long.
"""

from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from search.engine.render.pose import pose_render
from search.engine.render.surface import Surface
from search.engine.render.types import Camera
from training.scenes import (
    TILE,
    Rng,
    camera_draw,
    colour_draw,
    developed,
    floor_draw,
    rotation_draw,
    surface_stood,
)

SIZE = (448, 336)
FILL = (0.55, 0.95)  # of the shorter side: all pixels are paid for
SAMPLES = 24  # paths a pixel
BOUNCES = 6
METALS = ("Ag", "Al", "Au", "Cr", "Cu", "W")
TABLE = 14.0  # half its side, in radii of the part
SKY = (32, 64)  # pixels of the light around, the first row straight above


def scene_trace(
    triangles: NDArray[np.float32], rng: Rng, *, size: tuple[int, int] = SIZE
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(n, 3, 3) triangles in the unit sphere, photographed lying or leaning: the picture (h, w, 3)
    sRGB, and (h, w) how much of each pixel the part covers, 0..255."""
    surface = surface_stood(triangles, rotation_draw(rng, triangles, upright=False))
    camera, _ = camera_draw(surface, rng, size, fill=FILL)
    pixels = size if camera.width > camera.height else size[::-1]
    light = cv2.resize(_traced(surface, camera, rng), pixels, interpolation=cv2.INTER_AREA)
    cover = cv2.resize(pose_render(surface, camera).mask, pixels, interpolation=cv2.INTER_AREA)
    return developed(light, rng), np.asarray(cover, np.uint8)


def _traced(surface: Surface, camera: Camera, rng: Rng) -> NDArray[np.float32]:
    """(h, w, 3) linear light."""
    mi = mitsuba_open()
    scene = {
        "type": "scene",
        "integrator": {"type": "path", "max_depth": BOUNCES},
        "sensor": sensor_make(camera, seed=int(rng.integers(1 << 30))),
        "part": _part(mi, surface, rng),
        "table": {
            "type": "rectangle",
            "to_world": mi.ScalarTransform4f().scale([TABLE, TABLE, 1]),
            "bsdf": {"type": "diffuse", "reflectance": _table(mi, rng)},
        },
        "sky": {
            "type": "envmap",
            "bitmap": mi.Bitmap(_sky(rng)),
            "to_world": mi.ScalarTransform4f().rotate([1, 0, 0], 90),
        },
    }
    light = np.array(mi.render(mi.load_dict(scene)), np.float32)
    # A path that finds the lamp by chance alone is a spark: no lens shows those.
    calm = cv2.medianBlur(light, 3)
    return np.where(light > 4 * calm + 0.1, calm, light)


@cache
def mitsuba_open() -> Any:
    """Mitsuba, compiling where the machine has what that needs."""
    import drjit
    import mitsuba

    try:
        mitsuba.set_variant("llvm_ad_rgb")
        drjit.eval(drjit.llvm.ad.Float(1) + 1)  # without LLVM it fails here at the latest
    except (ImportError, RuntimeError, AttributeError):
        mitsuba.set_variant("scalar_rgb")
    drjit.set_thread_count(1)
    return mitsuba


def sensor_make(camera: Camera, *, seed: int) -> dict[str, Any]:
    """The same camera as Mitsuba has it: it looks along z with x to the left and y up."""
    right, down, forward = camera.rotation
    eye = -camera.rotation.T @ camera.translation
    pose = np.eye(4)
    pose[:3] = np.column_stack([-right, -down, forward, eye])
    middle = np.array([camera.width, camera.height]) / 2
    off = (middle - np.array(camera.principal)) / (2 * middle)
    return {
        "type": "perspective",
        "to_world": mitsuba_open().ScalarTransform4f(pose),
        "fov_axis": "x",
        "fov": float(np.degrees(2 * np.arctan(middle[0] / camera.focal))),
        "principal_point_offset_x": float(off[0]),
        "principal_point_offset_y": float(off[1]),
        "film": {
            "type": "hdrfilm",
            "width": camera.width,
            "height": camera.height,
            "rfilter": {"type": "box"},
            "pixel_format": "rgb",
        },
        "sampler": {
            "type": "independent",
            "sample_count": SAMPLES,
            "seed": seed,
        },
    }


def _part(mi: Any, surface: Surface, rng: Rng) -> Any:
    """The mesh with the normals of its corners, round edges smooth."""
    properties = mi.Properties()
    properties["mesh_bsdf"] = mi.load_dict({"type": "twosided", "bsdf": _material(rng)})
    count = len(surface.faces)
    mesh = mi.Mesh("part", 3 * count, count, has_vertex_normals=True, props=properties)
    held = mi.traverse(mesh)
    held["vertex_positions"] = surface.vertices[surface.faces].astype(np.float32).ravel()
    held["vertex_normals"] = surface.corners.astype(np.float32).ravel()
    held["faces"] = np.arange(3 * count, dtype=np.uint32)
    held.update()
    return mesh


def _material(rng: Rng) -> dict[str, Any]:
    """Metal, plastic or printed resin."""
    colour = {"type": "rgb", "value": np.clip(colour_draw(rng), 0.02, 0.9).tolist()}
    rough = float(rng.uniform(0.05, 0.45))
    chance = rng.random()
    if chance < 0.5:
        metal = str(rng.choice(METALS))
        return {"type": "roughconductor", "material": metal, "alpha": rough}
    if chance < 0.58:  # blackened or coloured metal
        return {
            "type": "roughconductor", "material": "none", "alpha": rough,
            "specular_reflectance": colour,
        }  # fmt: skip
    if chance < 0.8:
        return {"type": "roughplastic", "diffuse_reflectance": colour, "alpha": rough}
    return {"type": "diffuse", "reflectance": colour}


def _table(mi: Any, rng: Rng) -> dict[str, Any]:
    span = float(rng.uniform(3, 9))  # radii a tile
    turn = mi.ScalarTransform4f().rotate([0, 0, 1], float(rng.uniform(0, 360)))
    tile = np.ascontiguousarray(floor_draw(rng).reshape(TILE, TILE, 3))
    return {
        "type": "bitmap",
        "data": mi.TensorXf(tile),
        "raw": True,
        "to_uv": turn.scale([2 * TABLE / span] * 3),
    }


def _sky(rng: Rng) -> NDArray[np.float32]:
    """SKY (.., 3) radiance: dimmer below, with one to three windows."""
    rows, columns = SKY
    above = np.linspace(1, 0.4, rows)[:, None, None]
    sky = above * np.exp(rng.uniform(-3.4, -0.9)) * (1 + 0.06 * rng.normal(size=3))
    sky = np.repeat(sky, columns, axis=1)
    for number in range(rng.integers(1, 4)):
        height, width = rng.integers(2, 7), rng.integers(2, 14)
        row, column = rng.integers(1, rows // 2 - height), rng.integers(0, columns)
        warmth = 1 + rng.uniform(-0.15, 0.15) * np.array([1, 0.1, -1])
        power = rng.uniform(0.5, 1) * 0.6**number * rows * columns / 4
        where = np.ix_(np.arange(row, row + height), np.arange(column, column + width) % columns)
        sky[where] += power / (height * width) * warmth
    return np.ascontiguousarray(sky, np.float32)
