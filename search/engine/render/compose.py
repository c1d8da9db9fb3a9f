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
# On the same surface: this near the tangent plane, in samples, with normals this alike.
PLANE, ALIKE = np.float32(4.0), np.float32(0.8)


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


def share_apply(samples: Samples, share: Floats, camera: Camera, *, unshaded: float) -> None:
    """Dim samples.light to `unshaded` + (1 - unshaded) * `share` (p,) of `places_sparse`."""
    inverse_depth = samples.inverse_depth[BORDER:-BORDER:STEP, BORDER:-BORDER:STEP]
    sparse = np.full(inverse_depth.shape, -1, np.float32)
    sparse[inverse_depth > 0] = unshaded + (1 - unshaded) * share
    focal = np.float32(camera.focal * SAMPLES)
    _share_apply(sparse, samples.inverse_depth, samples.normals, focal, samples.light)


@njit(**KERNEL)
def _share_apply(
    sparse: Floats, inverse_depth: Floats, normals: Floats, focal: Number, light: Floats
) -> None:
    """One share for a pixel whose samples are of one surface, else one for each sample."""
    height, width = inverse_depth.shape
    for top in range(BORDER, height - BORDER, SAMPLES):
        for left in range(BORDER, width - BORDER, SAMPLES):
            even = True
            for y in range(top, top + SAMPLES):
                for x in range(left, left + SAMPLES):
                    even &= _same(inverse_depth, normals, focal, top, left, y, x)
            if even:
                share = _share_near(sparse, inverse_depth, normals, focal, top, left)
                for y in range(top, top + SAMPLES):
                    for x in range(left, left + SAMPLES):
                        light[y, x] *= share
                continue
            for y in range(top, top + SAMPLES):
                for x in range(left, left + SAMPLES):
                    if inverse_depth[y, x] > 0:
                        light[y, x] *= _share_near(sparse, inverse_depth, normals, focal, y, x)


@njit(**KERNEL)
def _same(
    inverse_depth: Floats, normals: Floats, focal: Number, y: int, x: int, b: int, a: int
) -> bool:
    """Whether sample (b, a) lies on the surface of sample (y, x)."""
    here, there = inverse_depth[y, x], inverse_depth[b, a]
    if here <= 0 or there <= 0:
        return False
    nx, ny, nz = normals[0, y, x], normals[1, y, x], normals[2, y, x]
    # Off the tangent plane, in samples: sideways, down, and inwards.
    inwards = focal * (here / there - np.float32(1.0))
    off = nx * np.float32(a - x) - ny * np.float32(b - y) - nz * inwards
    cosine = nx * normals[0, b, a] + ny * normals[1, b, a] + nz * normals[2, b, a]
    return bool(abs(off) < PLANE and cosine > ALIKE)


@njit(**KERNEL)
def _share_near(
    sparse: Floats, inverse_depth: Floats, normals: Floats, focal: Number, y: int, x: int
) -> Number:
    """Mean share of the neighbours on the same surface; of all if none is; 1 without any."""
    zero, one = np.float32(0.0), np.float32(1.0)
    height, width = sparse.shape
    total = weight = rough = count = zero
    middle_v, middle_u = (y - BORDER) // STEP, (x - BORDER) // STEP
    for v in range(max(middle_v - REACH, 0), min(middle_v + REACH + 1, height)):
        for u in range(max(middle_u - REACH, 0), min(middle_u + REACH + 1, width)):
            share = sparse[v, u]
            if share < zero:
                continue
            rough += share
            count += one
            if _same(inverse_depth, normals, focal, y, x, v * STEP + BORDER, u * STEP + BORDER):
                total += share
                weight += one
    if weight > zero:
        return total / weight
    return rough / count if count > zero else one


def picture_compose(samples: Samples, shadow: Floats, style: RenderStyle) -> Bytes:
    """(h, w, 4) uint8, straight alpha: light where drawn, else black of the strength `shadow`
    (h, w) 0..1.
    """
    picture = np.empty((*shadow.shape, 4), np.uint8)
    _compose(
        samples.inverse_depth,
        samples.light,
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
    shadow: Floats,
    base: Floats,
    tones: Bytes,
    picture: Bytes,
) -> None:
    """Samples weigh 1 3 3 1 along each side, the outer ones being the neighbours' (SAMPLES is 2):
    a box of four has but five grades of an edge, on which slanting lines look dotted.
    """
    zero, one = np.float32(0.0), np.float32(1.0)
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            top, left = row * SAMPLES + BORDER - 1, column * SAMPLES + BORDER - 1
            solid = bright = zero
            for j in range(4):
                for i in range(4):
                    if inverse_depth[top + j, left + i] > zero:
                        weight = np.float32((3 if 0 < j < 3 else 1) * (3 if 0 < i < 3 else 1))
                        solid += weight
                        bright += weight * light[top + j, left + i]
            mean = bright / max(solid, one)
            solid *= np.float32(1 / 64)
            alpha = solid + (one - solid) * shadow[row, column]
            part = solid / alpha if alpha > zero else zero
            for c in range(3):
                tone = tones[int(min(mean * base[c], one) * np.float32(SHADES))]
                picture[row, column, c] = int(tone * part)
            picture[row, column, 3] = int(alpha * np.float32(255) + np.float32(0.5))
