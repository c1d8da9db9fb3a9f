"""The words of the inspection room. Arrays and frozen dataclasses only; imports nothing heavy.

Frames. A part's own frame is its file's, in mm. A camera looks along z, x right, y down. Shares
of the diagonal are shares of the length of the part's bounding box's diagonal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bytes: TypeAlias = NDArray[np.uint8]
    Floats: TypeAlias = NDArray[np.float32]
    Doubles: TypeAlias = NDArray[np.float64]

VerdictName = Literal["pass", "review", "fail"]
STAGES = ("mask", "pose", "measures", "competition")
Stage = Callable[[str], None]
"""called with the name of each of STAGES as it begins"""


@dataclass(frozen=True)
class InspectionPhoto:
    """A photo as it is inspected: rgb (h, w, 3) uint8 sRGB, upright; `focal` in its pixels as the
    file's EXIF tells it, None where it does not; alpha (h, w) where the file carried one."""

    rgb: Bytes
    focal: float | None = None
    alpha: Bytes | None = None


@dataclass(frozen=True)
class Pose:
    """A point p (mm) of the part is seen at `rotation @ p + translation` (mm), and there at pixel
    (focal * x / z + w / 2, focal * y / z + h / 2) of the photo."""

    rotation: Doubles
    translation: Doubles
    focal: float


@dataclass(frozen=True)
class QcLimits:
    """What is asked of a photo and a piece, and what an inspection may cost.

    tolerance    share of the diagonal: deviations up to here are no defect
    tolerance_mm the same in mm, where it is larger
    pass_at      p_good from which a piece passes; None: the calibration's
    fail_under   p_good under which it fails, when a deviation can be shown; None: alike
    size         how far from 1 the piece's size may be, where a sheet tells it
    seconds      wall time of one photo's inspection
    """

    tolerance: float = 0.02
    tolerance_mm: float = 0.0
    pass_at: float | None = None
    fail_under: float | None = None
    size: float = 0.03
    seconds: float = 30.0


@dataclass(frozen=True)
class Reason:
    """Why a verdict is what it is: a stable code and what fills its sentence."""

    code: str
    params: dict[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Blob:
    """One place where piece and part differ, in the photo.

    kind     missing (the part's, not seen), extra (seen, not the part's) or surface (inside the
             outline, where light or edges disagree)
    box      (left, top, right, bottom) pixels of the photo
    place    (x, y) pixels, its thickest point
    thickness share of the diagonal
    area     share of the diagonal, squared
    """

    kind: Literal["missing", "extra", "surface"]
    box: tuple[float, float, float, float]
    place: tuple[float, float]
    thickness: float
    area: float


@dataclass(frozen=True)
class Measures:
    """How piece and part differ at the pose found; lengths are shares of the diagonal.

    iou           of the part's outline and the piece's
    mean          area between the outlines for each length of outline
    p95           95% of either outline is nearer than this to the other
    thickness     of the widest deviation of the outlines
    blob          area of the largest one
    evidence      how much the photo's own colours speak for the widest deviation, 0..1
    weighed       the widest deviation when each counts by its evidence
    supported     strength of the photo's edges where the part has inner edges, 0..1
    unsupported   share of the part's inner edges that the photo does not show
    unexplained   edges in the photo that the part does not have, area
    shading       how well light on the part's surface explains the piece's, up to 1
    surface       largest patch where it does not, area
    strength      how far off, in the light's own spread, the worst of the surface is
    contrast      between the piece and the ground beside its outline, in their own spreads
    pixel         a pixel of the window that was measured
    """

    iou: float
    mean: float
    p95: float
    thickness: float
    blob: float
    evidence: float
    weighed: float
    supported: float
    unsupported: float
    unexplained: float
    shading: float
    surface: float
    strength: float
    contrast: float
    pixel: float


@dataclass(frozen=True)
class Rival:
    """Another part fitted to the same photo; `margin` > 0: it fits better than the claimed one."""

    key: str
    margin: float
