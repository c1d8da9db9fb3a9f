"""From samples to a picture with transparency: what the thumbnail adds to a view's shading."""

import numpy as np
from numba import njit

from search.engine.render.shade import BORDER, SAMPLES, SHADES, Samples, tones_make
from search.engine.render.types import (
    KERNEL,
    Bytes,
    Camera,
    Floats,
    Number,
    RenderStyle,
)

# Light's share changes slowly: it is worked out for every STEP-th sample along each side, and
# spread from there to the samples' neighbours on the same surface, REACH steps to either side.
STEP = 2 * SAMPLES
REACH = 2
# On the same surface: this near the tangent plane, in pixels, with normals this alike.
PLANE, ALIKE = np.float32(2.5), np.float32(0.8)


def places_sparse(samples: Samples, camera: Camera) -> tuple[Floats, Floats]:
    """Places and unit normals (p, 3) float32, in the triangles' axes, of every STEP-th sample
    that is drawn. camera: the picture's.
    """
    fine = camera.magnified(SAMPLES, border=BORDER)
    inverse_depth = samples.inverse_depth[BORDER:-BORDER:STEP, BORDER:-BORDER:STEP]
    at = np.flatnonzero(inverse_depth > 0)
    rows, columns = np.divmod(at, inverse_depth.shape[1])
    depth = 1 / inverse_depth.reshape(-1)[at]
    across = (columns * STEP + (BORDER + 0.5 - fine.principal[0])) / fine.focal * depth
    down = (rows * STEP + (BORDER + 0.5 - fine.principal[1])) / fine.focal * depth
    places = (np.column_stack([across, down, depth]) - camera.translation) @ camera.rotation
    normals = samples.normals[:, BORDER:-BORDER:STEP, BORDER:-BORDER:STEP].reshape(3, -1)[:, at]
    turned = normals.T * np.array([1, -1, -1]) @ camera.rotation
    return places.astype(np.float32), turned.astype(np.float32)


def share_spread(share: Floats, samples: Samples, camera: Camera) -> Floats:
    """(h, w) float32 from `share` (p,) of `places_sparse`; 1 where nothing is drawn."""
    spread = np.ones((camera.height, camera.width), np.float32)
    inverse_depth = samples.inverse_depth[BORDER:-BORDER:STEP, BORDER:-BORDER:STEP]
    sparse = np.full(inverse_depth.shape, -1, np.float32)
    sparse[inverse_depth > 0] = share
    _share_spread(sparse, samples.inverse_depth, samples.normals, camera.focal * SAMPLES, spread)
    return spread


@njit(**KERNEL)
def _nearest(inverse_depth: Floats, row: int, column: int) -> tuple[Number, int, int]:
    """Inverse depth and place of the nearest sample of a pixel."""
    top, left = row * SAMPLES + BORDER, column * SAMPLES + BORDER
    nearest, at_y, at_x = inverse_depth[top, left], top, left
    for y in range(top, top + SAMPLES):
        for x in range(left, left + SAMPLES):
            if inverse_depth[y, x] > nearest:
                nearest, at_y, at_x = inverse_depth[y, x], y, x
    return nearest, at_y, at_x


@njit(**KERNEL)
def _share_spread(
    sparse: Floats, inverse_depth: Floats, normals: Floats, focal: float, spread: Floats
) -> None:
    zero, one = np.float32(0.0), np.float32(1.0)
    height, width = sparse.shape
    pixels_a_step = STEP // SAMPLES
    plane = PLANE * np.float32(SAMPLES)
    for row in range(spread.shape[0]):
        for column in range(spread.shape[1]):
            q, y, x = _nearest(inverse_depth, row, column)
            if q <= zero:
                continue
            nx, ny, nz = normals[0, y, x], normals[1, y, x], normals[2, y, x]
            deep = nz * np.float32(focal)
            total = weight = rough = count = zero
            middle_v, middle_u = row // pixels_a_step, column // pixels_a_step
            for v in range(max(middle_v - REACH, 0), min(middle_v + REACH + 1, height)):
                for u in range(max(middle_u - REACH, 0), min(middle_u + REACH + 1, width)):
                    share = sparse[v, u]
                    if share < zero:
                        continue
                    rough += share
                    count += one
                    b, a = v * STEP + BORDER, u * STEP + BORDER
                    # Off the tangent plane, in samples: sideways, down, and inwards.
                    off = (
                        nx * np.float32(a - x)
                        - ny * np.float32(b - y)
                        - deep * (q / inverse_depth[b, a] - one)
                    )
                    cosine = nx * normals[0, b, a] + ny * normals[1, b, a] + nz * normals[2, b, a]
                    if cosine > ALIKE and abs(off) < plane:
                        total += share
                        weight += one
            if weight > zero:
                spread[row, column] = total / weight
            elif count > zero:
                spread[row, column] = rough / count


def picture_compose(samples: Samples, share: Floats, shadow: Floats, style: RenderStyle) -> Bytes:
    """(h, w, 4) uint8, straight alpha: light times `share` (h, w) where drawn, else black of the
    strength `shadow` (h, w) 0..1.
    """
    picture = np.empty((*share.shape, 4), np.uint8)
    _compose(
        samples.inverse_depth,
        samples.light,
        share,
        shadow,
        np.array(style.base, np.float32),
        tones_make(style.gamma),
        picture,
    )
    return picture


@njit(**KERNEL)
def _compose(
    inverse_depth: Floats,
    light: Floats,
    share: Floats,
    shadow: Floats,
    base: Floats,
    tones: Bytes,
    picture: Bytes,
) -> None:
    zero, one = np.float32(0.0), np.float32(1.0)
    per_sample = one / np.float32(SAMPLES * SAMPLES)
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            top, left = row * SAMPLES + BORDER, column * SAMPLES + BORDER
            covered = r = g = b = zero
            for y in range(top, top + SAMPLES):
                for x in range(left, left + SAMPLES):
                    if inverse_depth[y, x] > zero:
                        bright = light[y, x] * share[row, column]
                        covered += one
                        r += min(bright * base[0], one)
                        g += min(bright * base[1], one)
                        b += min(bright * base[2], one)
            solid = covered * per_sample
            alpha = solid + (one - solid) * shadow[row, column]
            picture[row, column, 3] = int(alpha * np.float32(255) + np.float32(0.5))
            if alpha <= zero or covered == zero:
                picture[row, column, 0] = picture[row, column, 1] = picture[row, column, 2] = 0
                continue
            scale = np.float32(SHADES) / covered
            part = solid / alpha
            picture[row, column, 0] = int(tones[int(r * scale)] * part)
            picture[row, column, 1] = int(tones[int(g * scale)] * part)
            picture[row, column, 2] = int(tones[int(b * scale)] * part)
