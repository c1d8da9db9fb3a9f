"""What people's decisions teach: the limit of passing moves for a part, and for the catalogue.

Nothing is learnt bit by bit: each time all decisions that count are read again, so doing it twice
or late gives the same. `limits.py` reads what is kept here.

Of a part (`simulate/calibrate.py`): the worst tenth of its confirmed good pieces should just pass,
the more of them the more so; its confirmed bad ones should not. Of the catalogue, from LEAST_EACH
good and as many bad pieces on: the shift s of the log odds o under which what people said is
likeliest, good and bad weighing alike: the root of
    sum of w (y - 1 / (1 + exp(-(o + g s)))) g - PENALTY s = 0,
y being 1 for good, w one over twice the number of its kind, g what a shift of one adds to the fused
log odds of so many photos. A logistic regression whose slopes are held (Cox 1958).

Simulated photos of a part, where the configuration asks for them (`simulating.py`), move its limit
by how much better or worse they measure than those of other parts.

Odds are those of the calibration that the product comes with: with another one, decided pieces are
given theirs anew (`rejudging.py`), and the lessons follow part by part.

A part whose decisions have the weight w is judged with its own shift and (1 - w) of the
catalogue's, never with more than `ceiling`: no confirmed bad piece comes to pass by learning.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from catalog.models import Part
from catalog.queue import LATER, enqueue
from search.inspection.limits import p_good_at
from search.inspection.rejudging import part_rejudge, parts_outdated
from search.models import Inspection, QcCalibration

if TYPE_CHECKING:
    from search.engine.qc.judge import Calibration

# Decisions that are read, the latest ones: of one part, and of all.
PART_MOST, CATALOGUE_MOST = 2000, 10_000
LEAST_EACH = 20
PENALTY = 0.02
# A bad piece's odds stay so far below the limit.
MARGIN = 0.01
# Parts whose simulated photos are the measure for another one's.
USUAL_LEAST, USUAL_MOST = 5, 200
SWEEP_MOST = 200


@dataclass(frozen=True)
class Judged:
    """A decided inspection: its log odds by the shipped calibration, of how many photos they are,
    the similarity asked of it, and what a person said."""

    odds: float
    photos: int
    threshold: float
    good: bool


def part_learn(part_id: int) -> None:
    """Learn anew from every decision about a part's pieces, and about all of them.

    Idempotent; the decisions that came meanwhile ask for another time by themselves.
    """
    from search.engine.qc.judge import calibration_shipped

    shipped = calibration_shipped()
    part_rejudge(part_id, shipped)
    with transaction.atomic():
        # Before they are read: a decision that comes later sets its own flag again.
        Inspection.objects.filter(part_id=part_id, unlearnt=True).update(unlearnt=False)
        if Part.objects.filter(pk=part_id).exists():
            kept = kept_of(part_id, shipped)
            judged = judged_read(Q(part_id=part_id) & since_of(kept), shipped, most=PART_MOST)
            odds = [value for value in kept.get("simulated", ()) if value is not None]
            usual = simulated_usual(part_id, shipped) if odds else []
            data = part_data(shipped, judged, usual=usual, simulated=odds)
            keep(part_id, shipped, judged, kept, data)
    catalogue_learn()


def catalogue_learn() -> None:
    """Learn anew from every decision about any piece."""
    from search.engine.qc.judge import calibration_shipped

    shipped = calibration_shipped()
    with transaction.atomic():
        kept = kept_of(None, shipped)
        judged = judged_read(since_of(kept), shipped, most=CATALOGUE_MOST)
        keep(None, shipped, judged, kept, catalogue_data(shipped, judged))


def judged_read(which: Q, shipped: "Calibration", *, most: int) -> list[Judged]:
    """The latest decisions about pieces whose odds are by the shipped calibration."""
    rows = (
        Inspection.objects.filter(
            which, odds__isnull=False, odds_version=shipped.version,
            decision__in=(Inspection.Decision.GOOD, Inspection.Decision.BAD),
        )
        .annotate(judged=Count("photos", filter=Q(photos__odds__isnull=False)))
        .order_by("-decided_at", "-pk")
        .values_list("odds", "judged", "threshold", "decision")
    )  # fmt: skip
    return [
        Judged(odds, max(1, photos), threshold or 0.9, decision == Inspection.Decision.GOOD)
        for odds, photos, threshold, decision in rows[:most]
    ]


def kept_of(part_id: int | None, shipped: "Calibration") -> dict[str, Any]:
    """What a lesson carries on: from when on decisions count, and the odds of simulated photos,
    as long as they are this calibration's. The row is held until the transaction ends."""
    row = QcCalibration.objects.select_for_update().filter(part_id=part_id).first()
    if row is None:
        return {}
    names = {"since", "simulated"} if row.version == shipped.version else {"since"}
    return {name: row.data[name] for name in names if name in row.data}


def since_of(kept: Mapping[str, Any]) -> Q:
    """The decisions that count."""
    since = kept.get("since")
    return Q(decided_at__gt=datetime.fromisoformat(since)) if since else Q()


def keep(
    part_id: int | None,
    shipped: "Calibration",
    judged: list[Judged],
    kept: dict[str, Any],
    data: dict[str, Any] | None,
) -> None:
    """Keep what was learnt, or forget what was when there is nothing to learn from any more."""
    if data is None and not kept:
        QcCalibration.objects.filter(part_id=part_id).delete()
        return
    n_good = sum(row.good for row in judged)
    QcCalibration.objects.update_or_create(
        part_id=part_id,
        defaults={
            "data": kept | (data or {}),
            "version": shipped.version,
            "n_good": n_good,
            "n_bad": len(judged) - n_good,
            "made_at": timezone.now(),
        },
    )


def calibration_forget(row: QcCalibration) -> None:
    """Learn from decisions made from now on only; those made before stay, and teach no more."""
    QcCalibration.objects.filter(pk=row.pk).update(
        data={"since": timezone.now().isoformat()}, n_good=0, n_bad=0, made_at=timezone.now()
    )


def is_current(row: QcCalibration) -> bool:
    """Whether it was learnt by the calibration that the product comes with now."""
    from search.engine.qc.judge import calibration_shipped

    return row.version == calibration_shipped().version


# --- what is learnt -----------------------------------------------------------------------------


def gain(shipped: "Calibration", photos: int) -> float:
    """What a shift of one adds to the fused log odds of so many photos."""
    none, one = np.zeros(photos), np.ones(photos)
    return shipped.fused_odds(one) - shipped.fused_odds(none)


def logit(share: float) -> float:
    share = min(max(share, 1e-9), 1 - 1e-9)
    return math.log(share / (1 - share))


def as_one_photo(shipped: "Calibration", row: Judged) -> float:
    """The log odds a single photo asked for the usual similarity would have as much room in: what
    a shift does to it, it does to this inspection, whatever was asked of that."""
    usual, asked = logit(shipped.pass_at), logit(p_good_at(shipped, row.threshold))
    return usual + (row.odds - asked) / gain(shipped, row.photos)


def part_data(
    shipped: "Calibration",
    judged: list[Judged],
    *,
    usual: Sequence[float] = (),
    simulated: Sequence[float] = (),
) -> dict[str, Any] | None:
    """{"shift", "weight", "ceiling"}; None with nothing to learn from."""
    from search.engine.qc.simulate.calibrate import (
        HALFWAY_CONFIRMED,
        MOST_SHIFT,
        calibration_for_part,
    )

    if not judged and not (len(usual) and len(simulated)):
        return None
    good = [as_one_photo(shipped, row) for row in judged if row.good]
    bad = [as_one_photo(shipped, row) for row in judged if not row.good]
    learnt = calibration_for_part(
        shipped, np.array(usual, float), simulated=simulated, good=good, bad=bad
    )
    ceiling = MOST_SHIFT
    if bad:
        limit = logit(shipped.pass_at)
        # None of them may pass by learning; where most would pass without, the limit is raised.
        ceiling = max(0.0, min(limit - odds for odds in bad) - MARGIN)
        most = limit - float(np.quantile(bad, 0.9)) - MARGIN
        ceiling = min(ceiling, MOST_SHIFT, max(most, -MOST_SHIFT))
    return {
        "shift": min(learnt.shift, ceiling),
        "weight": round(len(judged) / (len(judged) + HALFWAY_CONFIRMED), 4),
        "ceiling": round(ceiling, 4),
    }


def catalogue_data(shipped: "Calibration", judged: Iterable[Judged]) -> dict[str, Any] | None:
    """{"shift"}; None with fewer than LEAST_EACH of either kind."""
    from search.engine.qc.simulate.calibrate import MOST_SHIFT

    rows = list(judged)
    truth = np.array([row.good for row in rows], bool)
    if min(truth.sum(), (~truth).sum()) < LEAST_EACH:
        return None
    gains = {photos: gain(shipped, photos) for photos in {row.photos for row in rows}}
    odds = np.array([row.odds for row in rows])
    per = np.array([gains[row.photos] for row in rows])
    weights = np.where(truth, 0.5 / truth.sum(), 0.5 / (~truth).sum())
    # The slope falls as the shift grows, so halving finds its root.
    low, high = -MOST_SHIFT, MOST_SHIFT
    for _ in range(40):
        shift = (low + high) / 2
        chance = 0.5 * (1 + np.tanh((odds + per * shift) / 2))
        if float((weights * (truth - chance) * per).sum()) - PENALTY * shift > 0:
            low = shift
        else:
            high = shift
    return {"shift": round((low + high) / 2, 4)}


def simulated_usual(part_id: int, shipped: "Calibration") -> list[float]:
    """The odds of simulated photos of other parts; none while there are too few parts."""
    rows = QcCalibration.objects.filter(
        part__isnull=False, version=shipped.version, data__has_key="simulated"
    ).exclude(part_id=part_id)
    held = list(rows.order_by("-pk").values_list("data__simulated", flat=True)[:USUAL_MOST])
    if len(held) < USUAL_LEAST:
        return []
    return [value for values in held for value in values if value is not None]


# --- when ---------------------------------------------------------------------------------------


def learning_ask(part_id: int | None) -> None:
    """A decision was made, changed or taken back, or a decided piece was judged anew. None: only
    what the whole catalogue teaches is asked for."""
    enqueue("workers.inspection_learn", part_id or 0, priority=LATER)


def learning_sweep() -> int:
    """Send what was asked for and not done (a message lost, a worker that died), and what another
    calibration judged. Returns how many parts' lessons."""
    from search.engine.qc.judge import calibration_shipped

    rows = Inspection.objects.filter(unlearnt=True).values_list("part_id", flat=True)
    parts = set(rows.order_by("part_id").distinct()[:SWEEP_MOST])
    parts |= parts_outdated(calibration_shipped(), most=SWEEP_MOST)
    for part_id in sorted(parts):
        learning_ask(part_id)
    return len(parts)
