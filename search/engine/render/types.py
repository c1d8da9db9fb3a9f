"""The words of the render room: style, camera, maps, views. Arrays and frozen dataclasses only."""

from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Doubles: TypeAlias = NDArray[np.float64]
Bytes: TypeAlias = NDArray[np.uint8]
Ints: TypeAlias = NDArray[np.int32]
Flags: TypeAlias = NDArray[np.bool_]
# A scalar inside a kernel: Numba infers its width, NumPy's stubs cannot.
Number: TypeAlias = Any

# How every kernel of this room is compiled. Other threads run meanwhile; the result is kept on
# disk. No `nnan` or `ninf` among the fast-math flags: strangers' meshes hold both.
KERNEL: dict[str, Any] = {
    "nogil": True,
    "cache": True,
    "error_model": "numpy",
    "fastmath": {"nsz", "arcp", "contract", "reassoc"},
}


@dataclass(frozen=True, slots=True)
class RenderStyle:
    """How a view looks. Lights are fixed to the camera, so a view does not depend on an up-axis.

    `base` is linear RGB 0..1. The four light terms add up to the brightness of a surface:
    `ambient` everywhere, `sky` by the normal's upward share, `key` from `key_from` (view space:
    x right, y up, z to the viewer), `head` from the viewer; `gloss` is the key light's
    soft highlight. `line` is the darkness of edge lines
    (0 none, 1 black). `margin` is the empty border as a share of the picture's side.
    `crease` in degrees: flatter edges are shaded smoothly; 0 shades every face flat.
    """

    base: tuple[float, float, float] = (0.62, 0.70, 0.80)
    ambient: float = 0.16
    sky: float = 0.22
    key: float = 0.40
    head: float = 0.34
    gloss: float = 0.0
    key_from: tuple[float, float, float] = (-0.35, 0.75, 0.55)
    exposure: float = 1.12
    gamma: float = 1.15
    line: float = 0.65
    margin: float = 0.04
    crease: float = 30.0


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera: a point p is at `rotation @ p + translation`, x right, y down, z forward.

    `focal` and `principal` are in pixels; pixel (row r, column c) has its centre at
    (c + 0.5, r + 0.5), so the middle of a picture is (width / 2, height / 2).
    """

    rotation: Doubles
    translation: Doubles
    focal: float
    principal: tuple[float, float]
    width: int
    height: int

    def magnified(self, times: int, *, border: int = 0) -> Self:
        """`times` as many pixels along each side, then `border` more of them all around."""
        return type(self)(
            self.rotation,
            self.translation,
            self.focal * times,
            (self.principal[0] * times + border, self.principal[1] * times + border),
            self.width * times + 2 * border,
            self.height * times + 2 * border,
        )

    @property
    def projection(self) -> Floats:
        """(3, 4) float32: homogeneous pixel coordinates (column * z, row * z, z) of a point."""
        pinhole = np.diag([self.focal, self.focal, 1.0])
        pinhole[:2, 2] = self.principal
        pose = np.column_stack([self.rotation, self.translation])
        return np.ascontiguousarray(pinhole @ pose, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Maps:
    """What one camera sees, without colour: (h, w) arrays.

    mask uint8 (255 where a face covers the pixel's centre), depth float32 along the viewing axis
    in the triangles' units (inf where empty), normals (h, w, 3) float32 in view space (x right,
    y up, z to the viewer; zero where empty), face_ids int32 (-1 where empty).
    """

    mask: Bytes
    depth: Floats
    normals: Floats
    face_ids: Ints


@dataclass(frozen=True, slots=True)
class Views:
    """The pictures of one part from v viewpoints, with their maps: (v, s, s) arrays.

    rgb uint8 on white; mask uint8 is the coverage 0..255; depth, normals and face_ids as in
    `Maps`, taken from the nearest of a pixel's samples (normals: their mean).
    """

    rgb: Bytes
    mask: Bytes
    depth: Floats
    normals: Floats
    face_ids: Ints
    cameras: tuple[Camera, ...]
