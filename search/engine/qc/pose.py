"""Where the camera was: the part's outlines give guesses, the best of which are refined.

Coarse: the mask's signature against the part's outlines from everywhere, all turns in the picture
at once (a circular correlation by FFT). Then Gauss-Newton on the outline, small window first.
Outlines alone cannot tell a part from its mirror image or its back: light and inner edges choose
among the fits that overlap about as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from search.engine.qc.fit import Canvas, Fit, Window, fit_refine, window_make
from search.engine.qc.interior import interior_look
from search.engine.qc.outline import ANGLES, signature
from search.engine.qc.part import DISTANCE, FOCAL, SIDE
from search.engine.render.pose import pose_render

if TYPE_CHECKING:
    from collections.abc import Callable

    from search.engine.qc.part import PreparedPart
    from search.engine.render.types import Bytes, Doubles

SMALL, LARGE = 112, 224
GUESSES, HELD, FINISHED = 32, 14, 5
# Guesses, and later fits, this near to each other (degrees) are one.
GUESSES_APART, FITS_APART = 9.0, 4.0
# What light and inner edges weigh against the overlap.
LIGHT_WEIGHT, EDGE_WEIGHT = 0.10, 0.10
# Another pose whose score is this near is about as good.
AS_GOOD = 0.01


def pose_guesses(part: PreparedPart, window: Window, *, most: int = GUESSES) -> list[Fit]:
    """Fits whose outline looks like the mask's, the likeliest first; overlap is the likeness."""
    seen, (x, y, radius) = signature(window.mask)
    bank = part.bank
    spectrum = np.fft.rfft(seen, axis=1)
    templates = bank.signatures.astype(np.float32)
    templates /= np.linalg.norm(templates, axis=(1, 2), keepdims=True) + 1e-9
    spectra = np.fft.rfft(templates, axis=2)
    likeness = np.fft.irfft((spectra.conj() * spectrum).sum(1), n=ANGLES, axis=1)
    found: list[Fit] = []
    nearest = 1 + 2 * np.cos(np.radians(GUESSES_APART))
    order = np.argsort(-likeness, axis=None)[: most * 40]
    for view, turn in zip(*np.unravel_index(order, likeness.shape), strict=True):
        fit = guess_place(window, bank.rotations[view], bank.frames[view], turn, (x, y, radius))
        if any(np.trace(fit.rotation @ other.rotation.T) > nearest for other in found):
            continue
        found.append(fit._replace(overlap=float(likeness[view, turn])))
        if len(found) == most:
            break
    return found


def guess_place(
    window: Window, rotation: Doubles, frame: Doubles, turn: int, seen: tuple[float, float, float]
) -> Fit:
    """The pose that shows a bank's outline, turned by `turn` of ANGLES, where the mask is."""
    x, y, radius = seen
    angle = turn * 2 * np.pi / ANGLES
    cos, sin = np.cos(angle), np.sin(angle)
    in_plane = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    camera = window.camera(Fit(rotation, np.zeros(3), window.focal, 0.0))
    grown = radius / frame[2]
    depth = DISTANCE * (camera.focal / FOCAL) / grown
    # From the outline's middle to where the part's own middle is seen.
    off = in_plane[:2, :2] @ (frame[:2] - SIDE / 2) * grown
    ray = np.array(
        [
            (x - off[0] - camera.principal[0]) / camera.focal,
            (y - off[1] - camera.principal[1]) / camera.focal,
            1.0,
        ]
    )
    # The bank looks straight at the part: off the axis the camera sees it as if it had turned.
    axis = np.cross([0.0, 0.0, 1.0], ray)
    length = float(np.linalg.norm(axis))
    turned, _ = cv2.Rodrigues(axis * (np.arctan(length) / max(length, 1e-12)))
    return Fit(turned @ in_plane @ rotation, ray * depth, window.focal, 0.0)


def pose_find(
    part: PreparedPart,
    rgb: Bytes,
    mask: Bytes,
    *,
    focal: float | None = None,
    check: Callable[[], None] = lambda: None,
) -> tuple[Fit, float, bool]:
    """The best fit, its score, and whether another one, far from it, is about as good.

    `check` is called now and then; it may raise to stop.
    """
    small = window_make(rgb, mask, SMALL, focal=focal)
    canvas = Canvas(SMALL)
    fits = [
        fit_refine(part.light, small, guess, canvas, steps=4, reaches=(8.0, 2.5))
        for guess in pose_guesses(part, small)
    ]
    check()
    fits.sort(key=lambda fit: -fit.overlap)
    scored: list[tuple[float, Fit]] = []
    for fit in fits[:HELD]:
        fit = fit_refine(part.light, small, fit, canvas, steps=6, reaches=(4.0, 1.5))
        if not _known(fit, [other for _, other in scored], FITS_APART):
            scored.append((fit_score(part, small, fit), fit))
    check()
    return _finished(part, rgb, mask, focal, scored, check)


def _finished(
    part: PreparedPart,
    rgb: Bytes,
    mask: Bytes,
    focal: float | None,
    scored: list[tuple[float, Fit]],
    check: Callable[[], None],
) -> tuple[Fit, float, bool]:
    large, canvas = window_make(rgb, mask, LARGE, focal=focal), Canvas(LARGE)
    scored.sort(key=lambda pair: -pair[0])
    ended: list[tuple[float, Fit]] = []
    for _, fit in scored[:FINISHED]:
        fit = fit_refine(part.light, large, fit, canvas, steps=6, reaches=(4.0, 1.2))
        ended.append((fit_score(part, large, fit), fit))
        check()
    ended.sort(key=lambda pair: -pair[0])
    score, best = ended[0]
    ambiguous = any(
        score - other < AS_GOOD
        and not _known(fit, [best], 20.0)
        and not _look_alike(part, large, best, fit)
        for other, fit in ended[1:]
    )
    return best, score, ambiguous


def _look_alike(part: PreparedPart, window: Window, one: Fit, other: Fit) -> bool:
    """Whether a part is so symmetric that it is seen alike at both poses."""
    a, b = (pose_render(part.light, window.camera(fit)) for fit in (one, other))
    both = (a.mask > 0) & (b.mask > 0)
    apart = np.abs(np.where(both, a.depth, 0) - np.where(both, b.depth, 0)) > 0.03
    unlike = ((a.normals * b.normals).sum(-1) < 0.85) | apart
    either = max(int(((a.mask > 0) | (b.mask > 0)).sum()), 1)
    return bool(((a.mask != b.mask) | (both & unlike)).sum() < 0.06 * either)


def fit_score(part: PreparedPart, window: Window, fit: Fit) -> float:
    look = interior_look(part.light, window, fit)
    return fit.overlap + LIGHT_WEIGHT * look.shading + EDGE_WEIGHT * look.supported


def _known(fit: Fit, others: list[Fit], degrees: float) -> bool:
    nearest = 1 + 2 * np.cos(np.radians(degrees))
    return any(np.trace(fit.rotation @ other.rotation.T) > nearest for other in others)
