"""Where to look from: unit vectors from the part to the camera, and the camera's axes there."""

import numpy as np

from search.engine.render.types import Doubles

Z_UP = (0.0, 0.0, 1.0)


def viewpoints_fibonacci(n: int = 12) -> Doubles:
    """(n, 3) unit vectors spread evenly over the sphere on a golden spiral around z."""
    turn = np.pi * (3.0 - np.sqrt(5.0))
    steps = np.arange(n)
    z = 1.0 - (2.0 * steps + 1.0) / n
    ring = np.sqrt(1.0 - z * z)
    return np.column_stack([ring * np.cos(turn * steps), ring * np.sin(turn * steps), z])


def viewpoints_icosahedron() -> Doubles:
    """(12, 3) unit vectors: the vertices of an icosahedron, none of them on an axis."""
    golden = (1.0 + np.sqrt(5.0)) / 2.0
    signs = np.array([(a, b) for a in (1.0, -1.0) for b in (golden, -golden)])
    flat = np.column_stack([np.zeros(4), signs])
    vertices: Doubles = np.concatenate([np.roll(flat, shift, axis=1) for shift in range(3)])
    vertices /= np.sqrt(1.0 + golden * golden)
    return vertices


def viewpoint_rotation(viewpoint: Doubles, *, up: tuple[float, float, float] = Z_UP) -> Doubles:
    """(3, 3) rows right, down, forward of a camera that looks back along `viewpoint`.

    `up` points up in the picture; the axis before it (y for z) does where the camera looks
    within 2.5 degrees along it.
    """
    forward = -np.asarray(viewpoint, dtype=np.float64) / np.linalg.norm(viewpoint)
    upright = np.asarray(up, dtype=np.float64)
    if abs(forward @ upright) > 0.999 * np.linalg.norm(upright):
        upright = np.roll(upright, -1)
    right = np.cross(forward, upright)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward])
