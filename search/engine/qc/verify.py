"""Picture search looked at twice: does the candidate's shape really fit the photo's outline?

An encoder finds parts that look alike; laying each one's outline over the photo's tells those
apart that merely do. All candidates get a coarse fit, the best few a fine one. The answer is a
score to order the candidates anew by; it knows no gallery and no encoder.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from search.engine.qc.fit import Canvas, Fit, fit_refine, window_make
from search.engine.qc.pose import fit_score, pose_guesses

if TYPE_CHECKING:
    from collections.abc import Mapping

    from search.engine.qc.part import PreparedPart
    from search.engine.render.types import Bytes

COARSE_SIDE, FINE_SIDE = 72, 160
COARSE_GUESSES, COARSE_STEPS = 8, 4
FINE, FINE_GUESSES = 6, 4
# Score = similarity + this * fit: a first guess; `bench.verify --choose` prints R@1 by weight.
FIT_WEIGHT = 1.5
# What a coarse fit lacks beside a fine one of the right part, so that both may be compared.
COARSE_SHORT = 0.03


@dataclass(frozen=True)
class Verified:
    """One candidate: `fit` 0..1 about, how well it covers and explains the photo; `fine` whether
    it was looked at closely; score, by which the candidates are in order; the fit's pose for an
    outline over the photo (part's diagonals; focal in the photo's pixels)."""

    key: str
    score: float
    fit: float
    fine: bool
    pose: Fit


def candidates_verify(
    rgb: Bytes,
    mask: Bytes,
    candidates: Mapping[str, tuple[PreparedPart, float]],
    *,
    seconds: float = 1.0,
) -> list[Verified]:
    """Candidates by their keys, each prepared and with its similarity, in the order of the score.

    rgb (h, w, 3), mask (h, w) of the photo. When the time is up the rest keep what is known of
    them: candidates never reached are not in the answer.
    """
    until = time.monotonic() + seconds
    small, canvas = window_make(rgb, mask, COARSE_SIDE), Canvas(COARSE_SIDE)
    coarse: dict[str, list[Fit]] = {}
    # The likeliest first: they must not be those for whom there was no time.
    for key in sorted(candidates, key=lambda key: -candidates[key][1]):
        if coarse and time.monotonic() > until:
            break
        part, _ = candidates[key]
        fits = [
            fit_refine(
                part.light, small, guess, canvas, steps=COARSE_STEPS, reaches=(8.0, 2.5), points=90
            )
            for guess in pose_guesses(part, small, most=COARSE_GUESSES)
        ]
        coarse[key] = sorted(fits, key=lambda fit: -fit.overlap)
    found = {
        key: Verified(key, 0.0, fits[0].overlap - COARSE_SHORT, False, fits[0])
        for key, fits in coarse.items()
    }
    large, canvas = window_make(rgb, mask, FINE_SIDE), Canvas(FINE_SIDE)
    order = sorted(found, key=lambda key: -_score(found[key].fit, candidates[key][1]))
    for key in order[:FINE]:
        if time.monotonic() > until:
            break
        part, _ = candidates[key]
        fits = [
            fit_refine(part.light, large, fit, canvas, steps=5, reaches=(4.0, 1.5))
            for fit in coarse[key][:FINE_GUESSES]
        ]
        scores = [fit_score(part, large, fit) for fit in fits]
        best = int(np.argmax(scores))
        found[key] = Verified(key, 0.0, scores[best] - EVEN_LOOK, True, fits[best])
    scored = [
        Verified(key, _score(seen.fit, candidates[key][1]), seen.fit, seen.fine, seen.pose)
        for key, seen in found.items()
    ]
    return sorted(scored, key=lambda seen: -seen.score)


# Light and edges add about this much to an overlap when they explain a photo as usual.
EVEN_LOOK = 0.1


def _score(fit: float, similarity: float) -> float:
    return similarity + FIT_WEIGHT * fit
