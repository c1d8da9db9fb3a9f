"""A part made ready for inspections: its surface, and its outlines from everywhere.

Made once a part and kept with it as bytes (NumPy's npz, no pickle). Lengths inside are shares of
the part's diagonal, measured from its box's middle, so that every part is one size.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
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
SAMPLES = 2048


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
    points, normals  (SAMPLES, 3) float32, spread evenly over `surface`
    """

    surface: Surface
    light: Surface
    bank: OutlineBank
    middle: Doubles
    diagonal_mm: float
    points: Floats = field(init=False, repr=False)
    normals: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Sample points of the surface, (k, 3) and their unit normals: the same every time."""
        points, normals = surface_samples(self.surface)
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "normals", normals)

    def seen_from(
        self, rotation: Doubles, translation: Doubles, focal: float, shape: tuple[int, ...]
    ) -> tuple[NDArray[np.bool_], float]:
        """(k,) which sample points a camera of a photo (h, w) sees, and their share."""
        height, width = shape[:2]
        middle = (width / 2, height / 2)
        camera = Camera(rotation, translation, focal, middle, width, height)
        nearness = np.empty((height, width), np.float32)
        ids = np.empty((height, width), np.int32)
        projected = vertices_project(self.light.vertices, camera)
        faces_raster(projected, self.light.faces, inverse_depth=nearness, face_ids=ids)
        return points_seen(self.points, self.normals, camera, nearness)

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


def surface_samples(surface: Surface) -> tuple[Floats, Floats]:
    """(SAMPLES, 3) points spread evenly over the faces, and the faces' unit normals there."""
    corners = surface.vertices[surface.faces].astype(np.float64)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    areas = np.linalg.norm(cross, axis=1)
    total = np.cumsum(areas)
    steps = (np.arange(SAMPLES) + 0.5) / SAMPLES * total[-1]
    face = np.searchsorted(total, steps).clip(0, len(areas) - 1)
    # Fractions of two golden ratios (Roberts' R2) instead of chance.
    root = np.sqrt(((np.arange(SAMPLES) + 1) * 0.7548776662466927) % 1)[:, None]
    along = (((np.arange(SAMPLES) + 1) * 0.5698402909980532) % 1)[:, None]
    a, b, c = (corners[face, i] for i in range(3))
    points = a * (1 - root) + b * root * (1 - along) + c * root * along
    normals = cross[face] / np.maximum(areas[face], 1e-30)[:, None]
    return points.astype(np.float32), normals.astype(np.float32)


def points_seen(
    points: Floats, normals: Floats, camera: Camera, nearness: Floats
) -> tuple[NDArray[np.bool_], float]:
    """(k,) which points of a surface the camera sees, drawn as `nearness` (h, w), and the share.

    A point is seen when nothing drawn at its pixel is nearer by more than a few thousandths of a
    diagonal and its face is not seen edge-on.
    """
    placed = points @ camera.rotation.T + camera.translation
    depth = np.maximum(placed[:, 2], 1e-6)
    column = np.floor(placed[:, 0] / depth * camera.focal + camera.principal[0]).astype(int)
    row = np.floor(placed[:, 1] / depth * camera.focal + camera.principal[1]).astype(int)
    height, width = nearness.shape
    within = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    first = nearness[row.clip(0, height - 1), column.clip(0, width - 1)]
    facing = np.abs((normals @ camera.rotation.T * placed).sum(1)) / np.linalg.norm(placed, axis=1)
    slack = 0.004 + 1.5 / camera.focal * depth / np.maximum(facing, 0.05)
    seen = within & (first > 0) & (depth < 1 / np.maximum(first, 1e-6) + slack) & (facing > 0.05)
    return seen, float(seen.mean())


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
