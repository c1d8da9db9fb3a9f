"""From a z-buffer to a picture: normals, light, edge lines, box filter, and the maps beside it.

A picture is drawn as SAMPLES x SAMPLES samples a pixel, with BORDER more all around so that no
sample in it lacks a neighbour's neighbour. Passes over samples are planes of float32 with few
branches, which LLVM turns into vector instructions; a picture is shaded band by band, so that a
band's planes stay in the processor's cache.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numba import njit

from search.engine.render.raster import LEAST_AREA, faces_raster, vertices_project
from search.engine.render.surface import Surface
from search.engine.render.types import (
    KERNEL,
    Bytes,
    Camera,
    Flags,
    Floats,
    Ints,
    Number,
    RenderStyle,
)

SAMPLES = 2
BORDER = 2
SHADES = 2048
# Squares of lengths below this are zero: inverse depths of far parts are small.
LEAST_SQUARE = np.float32(1e-36)
# Edge lines begin where the depths of three neighbours bend by BEND sample widths and are full
# BEND_RAMP later; or where 1 - cos of the angle between normals passes TURN, full TURN_RAMP later.
BEND, BEND_RAMP = np.float32(4.0), np.float32(7.0)
TURN, TURN_RAMP = np.float32(0.25), np.float32(0.5)
# A crease within the part is drawn lighter than an outline.
CREASE_LINE = np.float32(0.6)


@dataclass(frozen=True, slots=True)
class Samples:
    """Planes of one picture, used again for the next: (h, w) with the border.

    inverse_depth float32 (0: empty) and face_ids int32 (-1: empty) of the whole picture; of one
    band of it normals (3, h, w) float32 unit in view space, turned to the viewer (0: empty),
    lines float32: how much of an edge 0..1, light float32: linear brightness where drawn.
    """

    inverse_depth: Floats
    face_ids: Ints
    normals: Floats
    lines: Floats
    light: Floats

    @classmethod
    def empty(cls, width: int, height: int, *, band: int) -> Self:
        """Planes for a picture of so many pixels, shaded `band` rows of pixels at a time."""
        across = width * SAMPLES + 2 * BORDER
        whole = height * SAMPLES + 2 * BORDER, across
        part = band * SAMPLES + 2 * BORDER, across
        return cls(
            np.empty(whole, np.float32),
            np.empty(whole, np.int32),
            np.empty((3, *part), np.float32),
            np.zeros(part, np.float32),
            np.zeros(part, np.float32),
        )

    def band(self, top: int) -> Self:
        """The same planes, the whole ones cut to the band that begins at row `top` of pixels."""
        rows = slice(top * SAMPLES, top * SAMPLES + len(self.light))
        return type(self)(
            self.inverse_depth[rows], self.face_ids[rows], self.normals, self.lines, self.light
        )


def samples_raster(samples: Samples, surface: Surface, camera: Camera) -> tuple[Floats, Camera]:
    """Fill the whole planes with `surface` seen by `camera` (of the picture, in pixels).

    Returns the projected vertices and the camera of the samples.
    """
    fine = camera.magnified(SAMPLES, border=BORDER)
    projected = vertices_project(surface.vertices, fine)
    faces_raster(
        projected, surface.faces, inverse_depth=samples.inverse_depth, face_ids=samples.face_ids
    )
    return projected, fine


def samples_shade(
    band: Samples,
    surface: Surface,
    projected: Floats,
    fine: Camera,
    style: RenderStyle,
    *,
    top: int,
) -> None:
    """Fill normals, lines and light of the band that begins at row `top` of pixels."""
    normals_fill(band.normals, band.face_ids, projected, surface, fine, top=top * SAMPLES)
    _lines(band.inverse_depth, band.normals, np.float32(fine.focal), band.lines)
    _light(band.normals, band.lines, _lights(style), band.light)


def normals_fill(
    normals: Floats,
    face_ids: Ints,
    projected: Floats,
    surface: Surface,
    camera: Camera,
    *,
    top: int = 0,
) -> None:
    """Fill normals (3, h, w) by face_ids (h, w), whose first row is row `top` of the camera's;
    projected as the rasteriser used them.
    """
    _normals(
        face_ids,
        projected,
        surface.faces,
        surface.normals,
        surface.corners,
        surface.bent,
        np.diag([1.0, -1.0, -1.0]).astype(np.float32) @ camera.rotation.astype(np.float32),
        np.array([camera.focal, *camera.principal], np.float32),
        top,
        normals,
    )


@njit(**KERNEL)
def _normals(
    face_ids: Ints,
    projected: Floats,
    faces: Ints,
    face_normals: Floats,
    corners: Floats,
    bent: Flags,
    r: Floats,
    lens: Floats,
    first: int,
    normals: Floats,
) -> None:
    """Run by run of samples of one face in a row.

    Over a bent face the normal is the mean of its corners', by barycentric weights times inverse
    depth (which is right in perspective but for a factor): affine along the run before it is
    scaled to one.
    """
    height, width = face_ids.shape
    half, one, zero = np.float32(0.5), np.float32(1.0), np.float32(0.0)
    r00, r01, r02 = r[0, 0], r[0, 1], r[0, 2]
    r10, r11, r12 = r[1, 0], r[1, 1], r[1, 2]
    r20, r21, r22 = r[2, 0], r[2, 1], r[2, 2]
    per_focal = one / lens[0]
    for y in range(height):
        py = np.float32(y + first) + half
        vy = (lens[2] - py) * per_focal
        ids, out_x, out_y, out_z = face_ids[y], normals[0, y], normals[1, y], normals[2, y]
        begin = 0
        while begin < width:
            face = ids[begin]
            end = begin + 1
            while end < width and ids[end] == face:
                end += 1
            # Unsigned: Numba need not ask whether an index counts from the end, LLVM vectorises.
            start, count = np.uint64(begin), np.uint64(end - begin)
            nx = ny = nz = zero
            if face >= 0:
                fx, fy, fz = face_normals[face, 0], face_normals[face, 1], face_normals[face, 2]
                nx = r00 * fx + r01 * fy + r02 * fz
                ny = r10 * fx + r11 * fy + r12 * fz
                nz = r20 * fx + r21 * fy + r22 * fz
                px = np.float32(begin) + half
                vx = (px - lens[1]) * per_focal
                side = -one if nx * vx + ny * vy - nz > zero else one
                if not bent[face]:
                    nx, ny, nz = nx * side, ny * side, nz * side
                else:
                    i0, i1, i2 = faces[face, 0], faces[face, 1], faces[face, 2]
                    x2, y2, q2 = projected[i2, 0], projected[i2, 1], projected[i2, 2]
                    x0, y0, q0 = projected[i0, 0] - x2, projected[i0, 1] - y2, projected[i0, 2]
                    x1, y1, q1 = projected[i1, 0] - x2, projected[i1, 1] - y2, projected[i1, 2]
                    # The weights sum to `side`, which turns the normal to the viewer.
                    area = x0 * y1 - x1 * y0
                    # Edge on, rounding may leave none where the rasteriser still saw some.
                    inverse = side / area if abs(area) > LEAST_AREA else zero
                    w0 = ((px - x2) * y1 - (py - y2) * x1) * inverse
                    w1 = ((py - y2) * x0 - (px - x2) * y0) * inverse
                    w2 = (side - w0 - w1) * q2
                    w0, w1 = w0 * q0, w1 * q1
                    d0, d1 = y1 * inverse, -y0 * inverse
                    d2 = -(d0 + d1) * q2
                    d0, d1 = d0 * q0, d1 * q1
                    ax = w0 * corners[face, 0, 0] + w1 * corners[face, 1, 0]
                    ay = w0 * corners[face, 0, 1] + w1 * corners[face, 1, 1]
                    az = w0 * corners[face, 0, 2] + w1 * corners[face, 1, 2]
                    ax += w2 * corners[face, 2, 0]
                    ay += w2 * corners[face, 2, 1]
                    az += w2 * corners[face, 2, 2]
                    bx = d0 * corners[face, 0, 0] + d1 * corners[face, 1, 0]
                    by = d0 * corners[face, 0, 1] + d1 * corners[face, 1, 1]
                    bz = d0 * corners[face, 0, 2] + d1 * corners[face, 1, 2]
                    bx += d2 * corners[face, 2, 0]
                    by += d2 * corners[face, 2, 1]
                    bz += d2 * corners[face, 2, 2]
                    nx = r00 * ax + r01 * ay + r02 * az
                    ny = r10 * ax + r11 * ay + r12 * az
                    nz = r20 * ax + r21 * ay + r22 * az
                    dx = r00 * bx + r01 * by + r02 * bz
                    dy = r10 * bx + r11 * by + r12 * bz
                    dz = r20 * bx + r21 * by + r22 * bz
                    for i in range(count):
                        step = np.float32(np.int32(i))
                        sx, sy, sz = nx + step * dx, ny + step * dy, nz + step * dz
                        scale = one / np.sqrt(max(sx * sx + sy * sy + sz * sz, LEAST_SQUARE))
                        out_x[start + i] = sx * scale
                        out_y[start + i] = sy * scale
                        out_z[start + i] = sz * scale
                    begin = end
                    continue
            for i in range(count):
                out_x[start + i], out_y[start + i], out_z[start + i] = nx, ny, nz
            begin = end


def _lights(style: RenderStyle) -> Floats:
    """The style's numbers in the order `_light` reads them."""
    key = np.array(style.key_from) / np.linalg.norm(style.key_from)
    half = key + (0.0, 0.0, 1.0)
    half /= np.linalg.norm(half)
    plain = np.array([style.ambient + style.sky / 2, style.sky / 2, style.head, *(key * style.key)])
    lights = [*(plain * style.exposure), *half, style.gloss * style.exposure, style.line]
    return np.array(lights, np.float32)


@njit(**KERNEL)
def _lines(inverse_depth: Floats, normals: Floats, focal: Number, lines: Floats) -> None:
    """How much of an edge line every sample but the outermost is, 0..1.

    Inverse depth is affine in the picture over a plane, so its second difference is a step or a
    fold of the surface; times focal / inverse depth it is in sample widths.
    """
    height, width = inverse_depth.shape
    zero, one = np.float32(0.0), np.float32(1.0)
    per_bend, per_turn = one / BEND_RAMP, CREASE_LINE / TURN_RAMP
    for y in range(1, height - 1):
        q, q_up, q_down = inverse_depth[y], inverse_depth[y - 1], inverse_depth[y + 1]
        xs, ys, zs = normals[0, y], normals[1, y], normals[2, y]
        xs_up, ys_up, zs_up = normals[0, y - 1], normals[1, y - 1], normals[2, y - 1]
        xs_down, ys_down, zs_down = normals[0, y + 1], normals[1, y + 1], normals[2, y + 1]
        out = lines[y]
        for i in range(width - 2):
            here = q[i + 1]
            across = abs(q[i] - here - here + q[i + 2])
            along = abs(q_up[i + 1] - here - here + q_down[i + 1])
            step = max(across, along) * focal / max(here, np.float32(1e-30))
            nx, ny, nz = xs[i + 1], ys[i + 1], zs[i + 1]
            # Against each neighbour, not between them: a ridge one sample wide has like sides.
            left = nx * xs[i] + ny * ys[i] + nz * zs[i]
            right = nx * xs[i + 2] + ny * ys[i + 2] + nz * zs[i + 2]
            above = nx * xs_up[i + 1] + ny * ys_up[i + 1] + nz * zs_up[i + 1]
            below = nx * xs_down[i + 1] + ny * ys_down[i + 1] + nz * zs_down[i + 1]
            turn = one - min(min(left, right), min(above, below))
            outline = min(max((step - BEND) * per_bend, zero), one)
            crease = min(max((turn - TURN) * per_turn, zero), CREASE_LINE)
            out[i + 1] = max(outline, crease)


@njit(**KERNEL)
def _light(normals: Floats, lines: Floats, lights: Floats, light: Floats) -> None:
    """Brightness of every sample but the outermost, darkened by edge lines.

    Lines are spread over neighbours (1 2 1 each way): one sample wide, they would look dotted.
    """
    height, width = light.shape
    zero = np.float32(0.0)
    ambient, sky, head = lights[0], lights[1], lights[2]
    kx, ky, kz, hx, hy, hz = lights[3], lights[4], lights[5], lights[6], lights[7], lights[8]
    gloss, darkness = lights[9], lights[10] / np.float32(16.0)
    for y in range(1, height - 1):
        xs, ys, zs = normals[0, y], normals[1, y], normals[2, y]
        line, line_up, line_down = lines[y], lines[y - 1], lines[y + 1]
        out = light[y]
        for i in range(width - 2):
            nx, ny, nz = xs[i + 1], ys[i + 1], zs[i + 1]
            shine = max(hx * nx + hy * ny + hz * nz, zero)
            shine *= shine
            shine *= shine
            shine *= shine
            shine *= shine
            key = max(kx * nx + ky * ny + kz * nz, zero)
            bright = ambient + sky * ny + head * max(nz, zero) + key + gloss * shine
            corners = line_up[i] + line_up[i + 2] + line_down[i] + line_down[i + 2]
            sides = line_up[i + 1] + line[i] + line[i + 2] + line_down[i + 1]
            middle = line[i + 1]
            ink = corners + sides + sides + middle + middle + middle + middle
            out[i + 1] = bright * (np.float32(1.0) - darkness * ink)


def tones_make(gamma: float) -> Bytes:
    """(SHADES + 1,) uint8: the display value of a linear brightness 0..1 in SHADES steps."""
    return np.round(255 * np.linspace(0, 1, SHADES + 1) ** (1 / gamma)).astype(np.uint8)


@njit(**KERNEL)
def picture_filter(
    inverse_depth: Floats,
    face_ids: Ints,
    normals: Floats,
    light: Floats,
    base: Floats,
    tones: Bytes,
    rgb: Bytes,
    mask: Bytes,
    depth: Floats,
    mean_normals: Floats,
    nearest_ids: Ints,
) -> None:
    """A band of a view on white from its samples: writes the last five arrays (b, s, ...) whole."""
    zero, one = np.float32(0.0), np.float32(1.0)
    base_r, base_g, base_b = base[0], base[1], base[2]
    full = np.float32(SAMPLES * SAMPLES)
    share = np.float32(SHADES) / full
    for row in range(mask.shape[0]):
        for column in range(mask.shape[1]):
            top, left = row * SAMPLES + BORDER, column * SAMPLES + BORDER
            seen = zero
            for y in range(top, top + SAMPLES):
                for x in range(left, left + SAMPLES):
                    seen = max(seen, inverse_depth[y, x])
            if seen == zero:
                mask[row, column], depth[row, column] = 0, np.float32(np.inf)
                nearest_ids[row, column] = -1
                for c in range(3):
                    rgb[row, column, c], mean_normals[row, column, c] = 255, zero
                continue
            covered = bright = nx = ny = nz = nearest = zero
            nearest_id = np.int32(-1)
            for y in range(top, top + SAMPLES):
                for x in range(left, left + SAMPLES):
                    q = inverse_depth[y, x]
                    here = one if q > zero else zero
                    covered += here
                    bright += here * light[y, x]
                    nx += normals[0, y, x]
                    ny += normals[1, y, x]
                    nz += normals[2, y, x]
                    nearest_id = face_ids[y, x] if q > nearest else nearest_id
                    nearest = max(q, nearest)
            nearest_ids[row, column] = nearest_id
            depth[row, column] = one / nearest
            mask[row, column] = int(covered * np.float32(255.0 / (SAMPLES * SAMPLES)))
            white = full - covered
            rgb[row, column, 0] = tones[int(min(bright * base_r + white, full) * share)]
            rgb[row, column, 1] = tones[int(min(bright * base_g + white, full) * share)]
            rgb[row, column, 2] = tones[int(min(bright * base_b + white, full) * share)]
            inverse = one / np.sqrt(max(nx * nx + ny * ny + nz * nz, np.float32(1e-12)))
            mean_normals[row, column, 0] = nx * inverse
            mean_normals[row, column, 1] = ny * inverse
            mean_normals[row, column, 2] = nz * inverse
