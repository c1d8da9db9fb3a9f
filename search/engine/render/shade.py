"""From a z-buffer to a picture: normals, light, edge lines, box filter, and the maps beside it.

The z-buffer has SAMPLES x SAMPLES samples a pixel. Only what `RenderStyle` says is drawn;
nothing here knows a mesh's format or a viewpoint's name.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from search.engine.render.normals import corner_normals, face_normals
from search.engine.render.raster import KERNEL
from search.engine.render.types import Bytes, Camera, Flags, Floats, Ints, Number, RenderStyle

SAMPLES = 2
SHADES = 2048
# Edge lines begin where the depths of three neighbours bend by BEND sample widths and are full
# BEND_RAMP later; or where 1 - cos of the angle between normals passes TURN, full TURN_RAMP later.
BEND, BEND_RAMP = np.float32(4.0), np.float32(7.0)
TURN, TURN_RAMP = np.float32(0.25), np.float32(0.5)
# A crease within the part is drawn lighter than an outline.
CREASE_LINE = np.float32(0.6)


@dataclass(frozen=True, slots=True)
class Surface:
    """Triangles with the normals they are shaded by: see normals.py."""

    triangles: Floats
    normals: Floats
    corners: Floats
    bent: Flags


def surface_make(triangles: Floats, *, crease: float) -> Surface:
    """Surface of (n, 3, 3) float32 triangles; crease in degrees, 0 for flat faces."""
    normals = face_normals(triangles)
    return Surface(triangles, normals, *corner_normals(triangles, normals, crease=crease))


def sample_normals(
    surface: Surface, camera: Camera, face_ids: Ints, *, out: Floats | None = None
) -> Floats:
    """(h, w, 3) float32 unit normals in view space, turned to the viewer; zero where empty."""
    normals = np.empty((*face_ids.shape, 3), np.float32) if out is None else out
    _sample_normals(
        surface.triangles,
        surface.normals,
        surface.corners,
        surface.bent,
        camera.projection,
        camera.rotation.astype(np.float32),
        np.array([camera.focal, *camera.principal], np.float32),
        face_ids,
        normals,
    )
    return normals


@njit(**KERNEL)
def _sample_normals(
    triangles: Floats,
    normals: Floats,
    corners: Floats,
    bent: Flags,
    projection: Floats,
    rotation: Floats,
    lens: Floats,
    face_ids: Ints,
    out: Floats,
) -> None:
    height, width = face_ids.shape
    half, one, zero = np.float32(0.5), np.float32(1.0), np.float32(0.0)
    r, p = rotation, projection
    per_focal = one / lens[0]
    bend = np.zeros((3, 3), np.float32)  # rows: at the origin, per column, per row of the picture
    for y in range(height):
        drawn = -1
        curved = False
        nx, ny, nz = zero, zero, zero
        for x in range(width):
            face = face_ids[y, x]
            if face < 0:
                out[y, x, 0], out[y, x, 1], out[y, x, 2] = zero, zero, zero
                continue
            if face != drawn:
                drawn = face
                curved = bent[face]
                fx, fy, fz = normals[face, 0], normals[face, 1], normals[face, 2]
                nx = r[0, 0] * fx + r[0, 1] * fy + r[0, 2] * fz
                ny = -(r[1, 0] * fx + r[1, 1] * fy + r[1, 2] * fz)
                nz = -(r[2, 0] * fx + r[2, 1] * fy + r[2, 2] * fz)
                vx = (np.float32(x) + half - lens[1]) * per_focal
                vy = -(np.float32(y) + half - lens[2]) * per_focal
                side = -one if nx * vx + ny * vy - nz > zero else one
                nx, ny, nz = nx * side, ny * side, nz * side
                if curved:
                    _bend(triangles[face], corners[face], p, r, side, bend)
            if curved:
                px, py = np.float32(x) + half, np.float32(y) + half
                nx = bend[0, 0] + px * bend[1, 0] + py * bend[2, 0]
                ny = bend[0, 1] + px * bend[1, 1] + py * bend[2, 1]
                nz = bend[0, 2] + px * bend[1, 2] + py * bend[2, 2]
                inverse = one / np.sqrt(max(nx * nx + ny * ny + nz * nz, np.float32(1e-12)))
                nx, ny, nz = nx * inverse, ny * inverse, nz * inverse
            out[y, x, 0], out[y, x, 1], out[y, x, 2] = nx, ny, nz


@njit(**KERNEL)
def _bend(
    triangle: Floats, corners: Floats, p: Floats, r: Floats, side: float, bend: Floats
) -> None:
    """A face's normal as an affine function of the pixel: from its three corners' normals.

    Affine in the picture, not on the face: within one face the difference is not seen.
    """
    x, y = np.empty(3, np.float32), np.empty(3, np.float32)
    for k in range(3):
        a, b, c = triangle[k, 0], triangle[k, 1], triangle[k, 2]
        q = np.float32(1.0) / (p[2, 0] * a + p[2, 1] * b + p[2, 2] * c + p[2, 3])
        x[k] = (p[0, 0] * a + p[0, 1] * b + p[0, 2] * c + p[0, 3]) * q
        y[k] = (p[1, 0] * a + p[1, 1] * b + p[1, 2] * c + p[1, 3]) * q
    area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])
    inverse = np.float32(1.0) / area
    for axis in range(3):
        turn = side if axis == 0 else -side
        n0 = turn * (
            r[axis, 0] * corners[0, 0] + r[axis, 1] * corners[0, 1] + r[axis, 2] * corners[0, 2]
        )
        n1 = turn * (
            r[axis, 0] * corners[1, 0] + r[axis, 1] * corners[1, 1] + r[axis, 2] * corners[1, 2]
        )
        n2 = turn * (
            r[axis, 0] * corners[2, 0] + r[axis, 1] * corners[2, 1] + r[axis, 2] * corners[2, 2]
        )
        by_x = ((n1 - n0) * (y[2] - y[0]) - (n2 - n0) * (y[1] - y[0])) * inverse
        by_y = ((n2 - n0) * (x[1] - x[0]) - (n1 - n0) * (x[2] - x[0])) * inverse
        bend[0, axis] = n0 - by_x * x[0] - by_y * y[0]
        bend[1, axis] = by_x
        bend[2, axis] = by_y


def lights_pack(style: RenderStyle, camera: Camera) -> Floats:
    """The style's numbers in the order `picture_shade` reads them."""
    key = np.array(style.key_from) / np.linalg.norm(style.key_from)
    terms = np.array([style.ambient + style.sky / 2, style.sky / 2, style.key, style.head])
    return np.array(
        [*(terms * style.exposure), *key, *style.base, style.line, camera.focal], np.float32
    )


def tones_make(gamma: float) -> Bytes:
    """(SHADES + 1,) uint8: the display value of a linear brightness 0..1 in SHADES steps."""
    return np.round(255 * np.linspace(0, 1, SHADES + 1) ** (1 / gamma)).astype(np.uint8)


@njit(**KERNEL)
def picture_shade(
    inverse_depth: Floats,
    face_ids: Ints,
    normals: Floats,
    lights: Floats,
    tones: Bytes,
    rgb: Bytes,
    mask: Bytes,
    depth: Floats,
    mean_normals: Floats,
    nearest_ids: Ints,
) -> None:
    """One view, from samples (2s, 2s) to pixels (s, s): writes the last five arrays whole."""
    size = mask.shape[0]
    zero, one = np.float32(0.0), np.float32(1.0)
    steps = np.float32(SHADES)
    for row in range(size):
        for column in range(size):
            y0, x0 = row * SAMPLES, column * SAMPLES
            covered = 0
            red, green, blue = zero, zero, zero
            nx, ny, nz = zero, zero, zero
            nearest, nearest_id = zero, -1
            for y in range(y0, y0 + SAMPLES):
                for x in range(x0, x0 + SAMPLES):
                    if face_ids[y, x] < 0:
                        continue
                    covered += 1
                    bright = _light(normals[y, x], lights)
                    if lights[10] > zero:
                        bright *= one - lights[10] * _line(inverse_depth, normals, y, x, lights[11])
                    red += min(bright * lights[7], one)
                    green += min(bright * lights[8], one)
                    blue += min(bright * lights[9], one)
                    nx += normals[y, x, 0]
                    ny += normals[y, x, 1]
                    nz += normals[y, x, 2]
                    if inverse_depth[y, x] > nearest:
                        nearest, nearest_id = inverse_depth[y, x], face_ids[y, x]
            nearest_ids[row, column] = nearest_id
            mask[row, column] = covered * 255 // (SAMPLES * SAMPLES)
            if covered == 0:
                depth[row, column] = np.float32(np.inf)
                for c in range(3):
                    rgb[row, column, c] = 255
                    mean_normals[row, column, c] = zero
                continue
            depth[row, column] = one / nearest
            white = np.float32(SAMPLES * SAMPLES - covered)
            share = steps / np.float32(SAMPLES * SAMPLES)
            rgb[row, column, 0] = tones[int((red + white) * share)]
            rgb[row, column, 1] = tones[int((green + white) * share)]
            rgb[row, column, 2] = tones[int((blue + white) * share)]
            inverse = one / np.sqrt(max(nx * nx + ny * ny + nz * nz, np.float32(1e-12)))
            mean_normals[row, column, 0] = nx * inverse
            mean_normals[row, column, 1] = ny * inverse
            mean_normals[row, column, 2] = nz * inverse


@njit(**KERNEL)
def _light(normal: Floats, lights: Floats) -> Number:
    key = normal[0] * lights[4] + normal[1] * lights[5] + normal[2] * lights[6]
    return (
        lights[0]
        + lights[1] * normal[1]
        + lights[2] * max(key, np.float32(0.0))
        + lights[3] * max(normal[2], np.float32(0.0))
    )


@njit(**KERNEL)
def _line(inverse_depth: Floats, normals: Floats, y: int, x: int, focal: Number) -> Number:
    """How much of an edge line a sample is, 0..1.

    Inverse depth is affine in the picture over a plane, so its second difference is a step or a
    fold of the surface; times focal / inverse depth it is in sample widths.
    """
    zero, one = np.float32(0.0), np.float32(1.0)
    height, width = inverse_depth.shape
    here = inverse_depth[y, x]
    line = zero
    for axis in range(2):
        dy, dx = axis, 1 - axis
        if y < dy or x < dx or y + dy >= height or x + dx >= width:
            continue
        before, after = inverse_depth[y - dy, x - dx], inverse_depth[y + dy, x + dx]
        step = abs(before - here - here + after) * focal / here
        cosine = zero
        for c in range(3):
            cosine += normals[y - dy, x - dx, c] * normals[y + dy, x + dx, c]
        outline = min((step - BEND) / BEND_RAMP, one)
        crease = CREASE_LINE * min((one - cosine - TURN) / TURN_RAMP, one)
        line = max(line, outline, crease)
    return line
