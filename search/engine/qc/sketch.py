"""A part as a verified search holds it: few faces and coarse outlines, quick to read and to fit.

Made from the part's preparation and kept beside it as bytes (NumPy's npz, no pickle): a third of
its size and a quarter of its time to read. Lengths are shares of the part's diagonal, measured
from its box's middle.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from search.engine.errors import InspectionError
from search.engine.qc import outline
from search.engine.qc.part import VIEWS, faces_fewer
from search.engine.qc.pose import GUESSES_APART, guess_place
from search.engine.render.surface import Surface, surface_make
from search.engine.render.types import RenderStyle
from search.engine.render.viewpoints import viewpoint_rotation, viewpoints_fibonacci

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search.engine.qc.fit import Fit, Window
    from search.engine.qc.part import PreparedPart
    from search.engine.render.types import Doubles, Floats

VERSION = 1
FACES = 2_000
# Of the outlines' signatures, so many rings and angles are one.
RINGS_JOINED, ANGLES_JOINED = 2, 2
RINGS, ANGLES = outline.RINGS // RINGS_JOINED, outline.ANGLES // ANGLES_JOINED


@dataclass(frozen=True, eq=False)
class PartSketch:
    """surface of at most about FACES faces; signatures (VIEWS, RINGS, ANGLES) int8, each one's
    greatest value 127; frames (VIEWS, 3) float32 as `signature` gives them."""

    surface: Surface
    signatures: NDArray[np.int8]
    frames: Floats

    def to_bytes(self) -> bytes:
        out = io.BytesIO()
        np.savez_compressed(
            out,
            version=np.int32(VERSION),
            triangles=self.surface.vertices[self.surface.faces],
            signatures=self.signatures,
            frames=self.frames,
        )
        return out.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> PartSketch:
        """Raises InspectionError stale_preparation when the bytes are of another version."""
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as kept:
                signatures, frames = kept["signatures"], kept["frames"]
                if int(kept["version"]) != VERSION or signatures.shape != (VIEWS, RINGS, ANGLES):
                    raise ValueError("version")
                return cls(_smooth(kept["triangles"]), signatures, frames)
        except Exception as error:  # zipfile and NumPy raise a dozen kinds on damaged bytes
            raise InspectionError(
                "stale_preparation", "What was kept of the part is damaged or of another version."
            ) from error


def sketch_make(part: PreparedPart) -> PartSketch:
    light = part.light.vertices[part.light.faces]
    fine = part.bank.signatures.astype(np.float32)
    shape = (len(fine), RINGS, RINGS_JOINED, ANGLES, ANGLES_JOINED)
    joined = fine.reshape(shape).mean(axis=(2, 4))
    greatest = np.maximum(np.abs(joined).max(axis=(1, 2), keepdims=True), 1e-9)
    return PartSketch(
        _smooth(faces_fewer(light, FACES)),
        np.round(joined * (127 / greatest)).astype(np.int8),
        part.bank.frames.astype(np.float32),
    )


def _smooth(triangles: Floats) -> Surface:
    """Shaded as the views of the catalogue are."""
    return surface_make(triangles, crease=RenderStyle().crease)


@cache
def _rotations() -> Doubles:
    return np.stack([viewpoint_rotation(v) for v in viewpoints_fibonacci(VIEWS)])


def sketch_guesses(sketch: PartSketch, window: Window, *, most: int) -> list[Fit]:
    """Fits whose outline looks like the mask's, the likeliest first; overlap is the likeness.

    As `pose_guesses`, of coarser outlines.
    """
    seen, place = outline.signature(window.mask)
    seen = seen.reshape(RINGS, RINGS_JOINED, ANGLES, ANGLES_JOINED).mean(axis=(1, 3))
    seen -= seen.mean()
    spectrum = np.fft.rfft(seen / (np.linalg.norm(seen) + 1e-9), axis=1)
    templates = sketch.signatures.astype(np.float32)
    templates /= np.linalg.norm(templates, axis=(1, 2), keepdims=True) + 1e-9
    spectra = np.fft.rfft(templates, axis=2)
    likeness = np.fft.irfft((spectra.conj() * spectrum).sum(1), n=ANGLES, axis=1)
    found: list[Fit] = []
    nearest = 1 + 2 * np.cos(np.radians(GUESSES_APART))
    rotations = _rotations()
    x, y, radius = place
    order = np.argsort(-likeness, axis=None)[: most * 20]
    for view, turn in zip(*np.unravel_index(order, likeness.shape), strict=True):
        turned = int(turn) * ANGLES_JOINED
        fit = guess_place(window, rotations[view], sketch.frames[view], turned, (x, y, radius))
        if any(np.trace(fit.rotation @ other.rotation.T) > nearest for other in found):
            continue
        found.append(fit._replace(overlap=float(likeness[view, turn])))
        if len(found) == most:
            break
    return found
