"""A part made ready for inspections: its surface, and its outlines from everywhere.

Made once a part and kept with it as bytes (NumPy's npz, no pickle). Lengths inside are shares of
the part's diagonal, measured from its box's middle, so that every part is one size.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from search.engine.errors import InspectionError, RenderError
from search.engine.mesh.weld import vertices_weld
from search.engine.qc.outline import ANGLES, RINGS, signature
from search.engine.render.raster import faces_raster, vertices_project
from search.engine.render.surface import Surface, surface_make
from search.engine.render.types import Camera
from search.engine.render.viewpoints import viewpoint_rotation, viewpoints_fibonacci

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search.engine.render.types import Doubles, Floats

VERSION = 1
VIEWS = 500
SIDE = 72
# Of the camera that sees the outlines: about that of a phone.
FOCAL = SIDE * 1.6
DISTANCE = 1.75  # diagonals
# The pose is searched for with at most so many faces, the measures taken with so many.
LIGHT_FACES, MOST_FACES = 6_000, 150_000


@dataclass(frozen=True, eq=False)
class OutlineBank:
    """How the part's outline looks from VIEWS sides.

    rotations (v, 3, 3) float64; signatures (v, RINGS, ANGLES) int8, 127 being each one's greatest
    value; frames (v, 3) float64, the middle in pixels and the radius as `signature` gives them.
    """

    rotations: Doubles
    signatures: NDArray[np.int8]
    frames: Doubles


@dataclass(frozen=True, eq=False)
class PreparedPart:
    """A part to compare photos with.

    surface      its faces, at most MOST_FACES, in diagonals about the box's middle
    light        the same of at most LIGHT_FACES, for the search of the pose
    bank         its outlines
    middle       (3,) mm, the box's middle in the part's own frame
    diagonal_mm  the box's diagonal
    """

    surface: Surface
    light: Surface
    bank: OutlineBank
    middle: Doubles
    diagonal_mm: float

    def to_bytes(self) -> bytes:
        out = io.BytesIO()
        np.savez_compressed(
            out,
            version=np.int32(VERSION),
            surface=self.surface.vertices[self.surface.faces],
            light=self.light.vertices[self.light.faces],
            rotations=self.bank.rotations,
            signatures=self.bank.signatures,
            frames=self.bank.frames,
            middle=self.middle,
            diagonal=np.float64(self.diagonal_mm),
        )
        return out.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> PreparedPart:
        """Raises InspectionError stale_preparation when the bytes are of another version."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as kept:
                if int(kept["version"]) != VERSION:
                    raise ValueError("version")
                bank = OutlineBank(kept["rotations"], kept["signatures"], kept["frames"])
                return cls(
                    surface_make(kept["surface"]),
                    surface_make(kept["light"]),
                    bank,
                    kept["middle"],
                    float(kept["diagonal"]),
                )
        except Exception as error:  # zipfile and NumPy raise a dozen kinds on damaged bytes
            raise InspectionError(
                "stale_preparation", "What was kept of the part is damaged or of another version."
            ) from error


def part_prepare(triangles: Floats) -> PreparedPart:
    """Of (n, 3, 3) float32 triangles in mm; about half a second.

    Raises InspectionError no_surface when nothing of it can be drawn.
    """
    triangles = np.asarray(triangles, np.float32)
    try:
        drawn = surface_make(triangles)
    except RenderError as error:
        raise InspectionError("no_surface", "The part has no surface to inspect.") from error
    low, high = drawn.vertices.min(0).astype(np.float64), drawn.vertices.max(0).astype(np.float64)
    middle, diagonal = (low + high) / 2, float(np.linalg.norm(high - low))
    vertices = ((drawn.vertices - middle) / diagonal).astype(np.float32)
    whole = vertices[drawn.faces]
    surface = surface_make(faces_fewer(whole, MOST_FACES))
    light = surface_make(faces_fewer(whole, LIGHT_FACES))
    return PreparedPart(surface, light, bank_make(light), middle, diagonal)


def faces_fewer(triangles: Floats, most: int) -> Floats:
    """(n, 3, 3) -> at most about `most` triangles of the same shape, by quadric edge collapse."""
    if len(triangles) <= most:
        return triangles
    import fast_simplification

    vertices, faces = vertices_weld(triangles)
    vertices, faces = fast_simplification.simplify(vertices, faces, target_count=most)
    return np.ascontiguousarray(np.asarray(vertices, np.float32)[faces])


def bank_make(surface: Surface) -> OutlineBank:
    """Outlines of a surface in diagonals from VIEWS sides spread evenly."""
    rotations = np.stack([viewpoint_rotation(v) for v in viewpoints_fibonacci(VIEWS)])
    signatures = np.empty((VIEWS, RINGS, ANGLES), np.int8)
    frames = np.empty((VIEWS, 3))
    nearness, ids = np.empty((SIDE, SIDE), np.float32), np.empty((SIDE, SIDE), np.int32)
    at = np.array([0.0, 0.0, DISTANCE])
    for view, rotation in enumerate(rotations):
        camera = Camera(rotation, at, FOCAL, (SIDE / 2, SIDE / 2), SIDE, SIDE)
        projected = vertices_project(surface.vertices, camera)
        faces_raster(projected, surface.faces, inverse_depth=nearness, face_ids=ids)
        seen, frames[view] = signature((ids >= 0).astype(np.uint8))
        signatures[view] = np.round(seen * (127 / max(float(np.abs(seen).max()), 1e-9)))
    return OutlineBank(rotations, signatures, frames)
