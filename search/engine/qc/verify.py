"""Picture search looked at twice: does the candidate's shape really fit the photo?

An encoder finds parts that look alike from somewhere; laying each one's outline over the photo's
tells those apart that merely do, and drawn from where the photo was taken they can be compared
with it again. Every candidate gets a coarse fit, the best a fine one, and the best of those the
second look. It knows no gallery and no encoder: `Appearance` compares pictures for it.

Two threads share the work: the inner loops are Numba's, NumPy's and OpenCV's, which need no lock.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np

from search.engine.errors import RenderError
from search.engine.qc.fit import Canvas, Fit, Window, fit_refine, window_make
from search.engine.qc.interior import interior_look
from search.engine.qc.overlay import OUTLINE
from search.engine.qc.sketch import sketch_guesses
from search.engine.render.surface import surface_make
from search.engine.render.types import Camera, RenderStyle
from search.engine.render.views import cameras_render

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from search.engine.qc.sketch import PartSketch
    from search.engine.render.types import Bytes, Floats

THREADS = 2
# Of the time there is, the shares after which coarse and fine fits end.
COARSE_SHARE, FINE_SHARE = 0.55, 0.85
# Nothing is looked at finer than with this many pixels along the piece.
PIECE_SIDE = 400
COARSE_SIDE, FINE_SIDE = 72, 128
COARSE_GUESSES, COARSE_STEPS = 8, 4
FINE, FINE_GUESSES = 10, 3
LOOKS = 8
# score = similarity + these * closeness of the fit, shading, look. Similarities that lie closer
# together than those of `mini` are first spread as widely, so that ranks' scores and any encoder's
# cosines weigh alike; of a handful, not more than four times.
CLOSENESS_WEIGHT, SHADING_WEIGHT, LOOK_WEIGHT = 0.18, 0.3, 0.34
SPREAD, SPREAD_OF, HANDFUL = 0.08, 30, 10
# Two outlines of one piece differ by about this much for the mask's sake alone.
MASK_DOUBT = 0.03
# What is taken for the shading of a candidate that was only fitted coarsely.
UNKNOWN_SHADING = 0.2
# Of several poses, light and inner edges choose by this beside the overlap.
CHOICE_WEIGHT = 0.1
DARK = (20, 40, 30)

Some = TypeVar("Some")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Appearance:
    """Compares pictures with the photo.

    compare  (n, side, side, 3) of candidates as the photo would show them -> (n,) cosines of the
             space that their similarities are of
    spread   standard deviation of those similarities
    """

    side: int
    compare: Callable[[Bytes], Floats]
    spread: float = SPREAD


@dataclass(frozen=True)
class Candidate:
    """A part that a search found: `base` is its similarity or its score; `load` reads its sketch,
    None when it has none (yet)."""

    key: str
    base: float
    load: Callable[[], PartSketch | None]


@dataclass(frozen=True)
class Verified:
    """A candidate that was laid over the photo.

    base     what the search said, on the scale of the weights
    fits     poses of the part in the photo as `photo_reduced` makes it, the best first: lengths in
             the part's diagonals, focal in pixels
    shading  how well light on its surface explains the photo's; None when only coarsely fitted
    look     how much more than the least alike it looks like the photo; None when not compared
    """

    key: str
    base: float
    sketch: PartSketch
    fits: list[Fit]
    shading: float | None = None
    look: float | None = None

    @property
    def fit(self) -> float:
        """0..1: how much outline and piece cover each other (intersection over union)."""
        return self.fits[0].overlap

    @property
    def score(self) -> float:
        """By which the verified are in order; comparable only among them."""
        shading = UNKNOWN_SHADING if self.shading is None else max(self.shading, 0.0)
        return (
            self.base
            + CLOSENESS_WEIGHT * closeness(self.fit)
            + SHADING_WEIGHT * shading
            + LOOK_WEIGHT * (self.look or 0.0)
        )


def candidates_verify(
    rgb: Bytes,
    mask: Bytes,
    candidates: Sequence[Candidate],
    *,
    appearance: Appearance | None = None,
    seconds: float = 1.0,
) -> list[Verified]:
    """Candidates in the order of how well they fit and look.

    rgb (h, w, 3), mask (h, w) of the photo. When the time is up what is known by then counts:
    candidates never reached, and those without a sketch, are not in the answer.
    """
    if not candidates or not mask.any():
        return []
    kernels_load()
    begun = time.monotonic()
    rgb, mask = photo_reduced(rgb, mask)
    # The likeliest first: they must not be those for whom there was no time.
    order = sorted(candidates, key=lambda one: -one.base)
    small = window_make(rgb, mask, COARSE_SIDE)
    bases = _spread(order)
    seen = _each(
        lambda one: _coarse(one, bases[one.key], small), order, begun + COARSE_SHARE * seconds
    )
    seen.sort(key=_worst)
    large = window_make(rgb, mask, FINE_SIDE)
    fine = _each(lambda one: _fine(one, large), seen[:FINE], begun + FINE_SHARE * seconds)
    fine.sort(key=_worst)
    if appearance is not None and time.monotonic() < begun + seconds:
        fine = _looked(fine[:LOOKS], look_frame(mask, appearance.side), appearance) + fine[LOOKS:]
    better = {one.key: one for one in fine}
    return sorted((better.get(one.key, one) for one in seen), key=_worst)


def photo_reduced(rgb: Bytes, mask: Bytes) -> tuple[Bytes, Bytes]:
    """The photo (h, w, 3) and its mask (h, w) so small that the piece is PIECE_SIDE pixels long."""
    scale = PIECE_SIDE / _piece_box(mask)[2]
    if scale >= 1:
        return rgb, mask
    height, width = mask.shape
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    if not (small > 127).any():  # as thin as a hair
        return rgb, mask
    cover = np.where(small > 127, 255, 0).astype(np.uint8)
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8), cover


def _piece_box(mask: Bytes) -> tuple[float, float, int]:
    """The middle (x, y) of the box about a mask (h, w), not empty, and its longer side."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    across, down = (columns[0] + columns[-1] + 1) / 2, (rows[0] + rows[-1] + 1) / 2
    return float(across), float(down), int(max(np.ptp(columns), np.ptp(rows))) + 1


@cache
def kernels_load() -> None:
    """Have Numba's code in the process before time is taken: its first call takes a second, and
    many where it was never compiled on the machine."""
    corner, edges = np.zeros(3, np.float32), np.eye(3, dtype=np.float32)
    faces = [[corner, edges[i], edges[(i + 1) % 3]] for i in range(3)] + [list(edges)]
    surface = surface_make(np.array(faces, np.float32) - np.float32(0.25))
    mask = np.zeros((64, 64), np.uint8)
    mask[20:44, 20:44] = 255
    window = window_make(np.zeros((64, 64, 3), np.uint8), mask, 64)
    fit = Fit(np.eye(3), np.array([0.0, 0.0, 3.0]), window.focal, 0.0)
    fit = fit_refine(surface, window, fit, Canvas(64), steps=1, reaches=(8.0, 2.5))
    interior_look(surface, window, fit)
    cameras_render(surface, [window.camera(fit)], size=64)


def _coarse(candidate: Candidate, base: float, window: Window) -> Verified | None:
    sketch = candidate.load()
    if sketch is None:
        return None
    canvas = Canvas(COARSE_SIDE)
    fits = [
        fit_refine(
            sketch.surface, window, guess, canvas,
            steps=COARSE_STEPS, reaches=(8.0, 2.5), points=90,
        )
        for guess in sketch_guesses(sketch, window, most=COARSE_GUESSES)
    ]  # fmt: skip
    fits.sort(key=lambda fit: -fit.overlap)
    return Verified(candidate.key, base, sketch, fits)


def _fine(seen: Verified, window: Window) -> Verified:
    canvas, surface = Canvas(FINE_SIDE), seen.sketch.surface
    fits = [
        fit_refine(surface, window, fit, canvas, steps=4, reaches=(4.0, 1.5), points=160)
        for fit in seen.fits[:FINE_GUESSES]
    ]
    looks = [interior_look(surface, window, fit) for fit in fits]
    # Outlines alone cannot tell a part from its mirror image: light and edges choose.
    worth = [
        fit.overlap + CHOICE_WEIGHT * (look.shading + look.supported)
        for fit, look in zip(fits, looks, strict=True)
    ]
    order = sorted(range(len(fits)), key=lambda place: -worth[place])
    shading = looks[order[0]].shading
    return replace(seen, fits=[fits[place] for place in order], shading=shading)


def _looked(seen: list[Verified], frame: Frame, appearance: Appearance) -> list[Verified]:
    """Each drawn as the photo would show it, and compared with it."""
    drawn = _each(lambda one: _drawn(one, frame), seen)
    if not drawn:
        return seen
    alike = appearance.compare(np.stack([picture for _, picture in drawn]))
    alike = (alike - alike.min()) * spread_by(appearance.spread, len(alike))
    looked = [replace(one, look=float(like)) for (one, _), like in zip(drawn, alike, strict=True)]
    return looked + [one for one in seen if all(one is not other for other, _ in drawn)]


def _drawn(seen: Verified, frame: Frame) -> tuple[Verified, Bytes] | None:
    try:
        views = cameras_render(seen.sketch.surface, [frame.camera(seen.fits[0])], size=frame.side)
    except RenderError:  # nothing of it is before the camera
        return None
    return seen, views.rgb[0]


@dataclass(frozen=True)
class Frame:
    """The square about the piece that an encoder is shown: side in pixels, scale in its pixels a
    photo's; corner (x, y) and middle of the photo in the photo's pixels."""

    side: int
    scale: float
    corner: tuple[float, float]
    middle: tuple[float, float]

    def camera(self, fit: Fit) -> Camera:
        x, y = ((mid - at) * self.scale for mid, at in zip(self.middle, self.corner, strict=True))
        return Camera(
            fit.rotation, fit.translation, fit.focal * self.scale, (x, y), self.side, self.side
        )


def look_frame(mask: Bytes, size: int) -> Frame:
    """Of a mask (h, w), not empty: as `photo_variants` lays the piece out."""
    across, down, longest = _piece_box(mask)
    side = longest / (1 - 2 * RenderStyle().margin)
    corner = across - side / 2, down - side / 2
    return Frame(size, float(size / side), corner, (mask.shape[1] / 2, mask.shape[0] / 2))


def closeness(overlap: float) -> float:
    """Of an overlap: from .9 to .95 says as much as from .6 to .73."""
    return float(-np.log(1 + MASK_DOUBT - overlap))


def _worst(seen: Verified) -> float:
    return -seen.score


def spread_by(deviation: float, count: int) -> float:
    """What similarities of this standard deviation are multiplied by."""
    least = SPREAD / 4 if count < HANDFUL else 1e-5
    return max(1.0, SPREAD / max(deviation, least))


def _spread(order: Sequence[Candidate]) -> dict[str, float]:
    """The candidates' bases, the best first, on the scale of the weights."""
    bases = np.array([one.base for one in order])
    scale = spread_by(float(bases[:SPREAD_OF].std()), len(bases))
    return {one.key: float(base) * scale for one, base in zip(order, bases, strict=True)}


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="verify")


def _each(
    function: Callable[[Some], Made | None], some: Sequence[Some], until: float = np.inf
) -> list[Made]:
    """What the function makes of each, but for None; the first always, the others in time."""

    def one(place: int) -> Made | None:
        return function(some[place]) if place == 0 or time.monotonic() < until else None

    return [made for made in _pool().map(one, range(len(some))) if made is not None]


def outlines_draw(
    rgb: Bytes, mask: Bytes, verified: Sequence[Verified], *, size: int = 280
) -> list[Bytes]:
    """For each, (size, size, 3) sRGB of the photo about the piece with its outlines over it."""
    window = window_make(*photo_reduced(rgb, mask), size)
    canvas, pictures = Canvas(size), []
    for one in verified:
        drawn = canvas.draw(one.sketch.surface, window.camera(one.fits[0]))
        outlines, _ = cv2.findContours(drawn, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        picture = window.rgb.copy()
        # Light within dark shows on any ground.
        cv2.drawContours(picture, outlines, -1, DARK, 4, cv2.LINE_AA)
        cv2.drawContours(picture, outlines, -1, OUTLINE, 2, cv2.LINE_AA)
        pictures.append(picture)
    return pictures
