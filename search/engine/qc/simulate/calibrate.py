"""What is usual for one part: how its good pieces measure, and how confirmed ones did.

A calibration learnt on many parts judges all alike; a lattice of thin bars measures worse than a
block even when it is good. Simulated photos of the part itself, and photos people confirmed, move
the limit for this part, the more the more of them there are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from search.engine.errors import InspectionError
from search.engine.qc.inspect import InspectionPhoto, photo_inspect
from search.engine.qc.simulate.photos import photo_simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from search.engine.qc.judge import Calibration
    from search.engine.qc.part import PreparedPart
    from search.engine.qc.types import QcLimits
    from search.engine.render.types import Doubles, Floats

# So many simulated, and so many confirmed, good photos move the limit half of the way.
HALFWAY_SIMULATED, HALFWAY_CONFIRMED = 32, 8
# A part's limit never moves further than this (log odds): simulated photos are not the truth.
MOST_SHIFT = 1.5


def good_odds(
    part: PreparedPart,
    triangles: Floats,
    calibration: Calibration,
    *,
    photos: int = 64,
    seed: int = 0,
    limits: QcLimits | None = None,
    check: Callable[[int], None] = lambda done: None,
) -> Doubles:
    """(m,) log odds of `photos` simulated photos of good pieces; m is less where some cannot be
    judged. About a second a photo; `check` hears how many are done and may raise to stop.
    """
    rng = np.random.default_rng(seed)
    found = []
    plain = replace(calibration, shift=0.0)
    for done in range(photos):
        check(done)
        taken = photo_simulate(triangles, rng)
        try:
            seen = photo_inspect(InspectionPhoto(taken.rgb), part, calibration=plain, limits=limits)
        except InspectionError:
            continue
        found.append(seen.odds)
    return np.array(found)


def calibration_for_part(
    calibration: Calibration,
    usual: Doubles,
    *,
    simulated: Sequence[float] | Doubles = (),
    good: Sequence[float] | Doubles = (),
    bad: Sequence[float] | Doubles = (),
) -> Calibration:
    """The calibration with its limit moved for one part.

    `usual` (n,) are log odds that simulated photos of many parts give (`good_odds`), the measure
    of how far simulation and truth are apart; `simulated` those of this part; `good` and `bad`
    those of confirmed inspections, without any shift. The medians are compared and shrunk towards
    no shift; a confirmed bad piece never comes to pass by it.
    """
    shift = 0.0
    simulated, good, bad = (np.asarray(odds, float) for odds in (simulated, good, bad))
    if len(simulated) and len(usual):
        weight = len(simulated) / (len(simulated) + HALFWAY_SIMULATED)
        shift += weight * float(np.median(usual) - np.median(simulated))
    limit = float(np.log(calibration.pass_at / (1 - calibration.pass_at)))
    if len(good):
        # Confirmed good pieces should pass: the worst tenth of them just so.
        weight = len(good) / (len(good) + HALFWAY_CONFIRMED)
        needed = limit - float(np.quantile(good, 0.1))
        shift += weight * (max(needed, shift) - shift) if needed > shift else 0.0
    if len(bad):
        # Confirmed bad ones should not: their best ninth of ten at most at the limit.
        most = limit - float(np.quantile(bad, 0.9))
        shift = min(shift, max(most, -MOST_SHIFT))
    return replace(calibration, shift=round(float(np.clip(shift, -MOST_SHIFT, MOST_SHIFT)), 4))
