"""What people decide moves the limit for a part, and for the catalogue, and never too far."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.models import Part
from search.engine.qc.judge import calibration_shipped
from search.engine.qc.simulate.calibrate import MOST_SHIFT
from search.inspection import learning, services
from search.inspection.learning import Judged, gain, logit, part_data
from search.inspection.limits import learnt_of, p_good_at, shift_joined
from search.models import Inspection, QcCalibration
from tests.factories.inspections import inspection_make, part_make
from tests.factories.work import queued_by_task, work_off

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def part() -> Part:
    return part_make()


def limit() -> float:
    return logit(calibration_shipped().pass_at)


def decide(part: Part, decision: str, *odds: float, **fields: Any) -> list[Inspection]:
    made = [inspection_make(part, odds=value, **fields) for value in odds]
    for inspection in made:
        services.inspection_decide(inspection, decision=decision)
    return made


def test_good_pieces_that_were_doubted_pass_from_then_on(part: Part) -> None:
    decide(part, "good", *[limit() - 0.4] * 8)
    work_off()
    learnt = learnt_of(part)
    assert (learnt.n_good, learnt.n_bad) == (8, 0)
    # Eight move the limit half of the way.
    assert learnt.shift == pytest.approx(0.2, abs=0.01)
    assert learnt_of(part_make("Another")).shift == 0


def test_bad_pieces_that_passed_do_not_from_then_on(part: Part) -> None:
    decide(part, "bad", limit() + 0.7)
    work_off()
    shift = learnt_of(part).shift
    assert -0.72 < shift < -0.7  # just so that it does not


def test_learning_again_changes_nothing_and_taking_back_forgets(part: Part) -> None:
    made = decide(part, "good", limit() - 0.4, limit() - 0.6)
    work_off()
    before = QcCalibration.objects.get().data
    learning.part_learn(part.pk)
    learning.part_learn(part.pk)
    assert QcCalibration.objects.get().data == before
    for inspection in made:
        services.inspection_decide(inspection, decision="")
    work_off()
    assert not QcCalibration.objects.exists() and learnt_of(part).shift == 0


def test_a_note_alone_teaches_nothing(part: Part) -> None:
    services.inspection_decide(inspection_make(part), note="scratched")
    assert not queued_by_task() and not Inspection.objects.filter(unlearnt=True).exists()


def test_the_sweep_catches_up_with_what_was_lost(part: Part) -> None:
    decide(part, "good", limit() - 0.4)
    assert queued_by_task() == {"workers.inspection_learn": [part.pk]}  # and lost with its broker
    assert learning.learning_sweep() == 1
    work_off()
    assert QcCalibration.objects.get(part=part).n_good == 1
    assert learning.learning_sweep() == 0


def test_what_another_calibration_judged_does_not_count(part: Part) -> None:
    decide(part, "good", limit() - 0.4, calibration="of another year")
    work_off()
    assert not QcCalibration.objects.exists()
    QcCalibration.objects.create(
        part=part, version="of another year", data={"shift": 1.0, "weight": 1.0, "ceiling": 1.5}
    )
    assert learnt_of(part).shift == 0


def test_a_part_that_is_gone_is_no_trouble(part: Part) -> None:
    decide(part, "good", limit() - 0.4)
    pk = part.pk
    Part.objects.all().delete()
    learning.part_learn(pk)
    assert not QcCalibration.objects.exists()


judged = st.builds(
    Judged,
    odds=st.floats(-6, 6),
    photos=st.integers(1, 4),
    threshold=st.sampled_from([0.3, 0.7, 0.9, 0.97]),
    good=st.booleans(),
)


@given(st.lists(judged, max_size=30), st.floats(-MOST_SHIFT, MOST_SHIFT))
def test_no_confirmed_bad_piece_passes_by_learning(rows: list[Judged], catalogue: float) -> None:
    shipped = calibration_shipped()
    shift = shift_joined({"shift": catalogue}, part_data(shipped, rows))
    assert -MOST_SHIFT <= shift <= MOST_SHIFT
    for row in rows:
        asked = logit(p_good_at(shipped, row.threshold))
        if not row.good and row.odds < asked:
            assert row.odds + gain(shipped, row.photos) * shift < asked
        elif not row.good:
            assert shift <= 0


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=12))
def test_the_more_good_pieces_the_more_is_learnt(odds: list[float]) -> None:
    shipped = calibration_shipped()
    once = part_data(shipped, [Judged(value, 1, 0.9, True) for value in odds])
    twice = part_data(shipped, [Judged(value, 1, 0.9, True) for value in odds * 2])
    assert once is not None and twice is not None
    assert 0 <= once["shift"] <= twice["shift"] + 0.25  # the quantile moves a little too
    assert once["weight"] < twice["weight"]


def test_a_catalogue_is_learnt_from_enough_pieces_only(part: Part) -> None:
    other = part_make("Another")
    rng = np.random.default_rng(3)
    good, bad = rng.normal(0.3, 1, 24), rng.normal(-2.5, 1, 20)
    decide(part, "good", *good)
    decide(part, "bad", *bad[:19])
    work_off()
    assert not QcCalibration.objects.filter(part=None).exists()
    decide(part, "bad", bad[19])
    work_off()
    row = QcCalibration.objects.get(part=None)
    assert (row.n_good, row.n_bad) == (24, 20)

    def unlikely(shift: float) -> float:
        of_good = np.log1p(np.exp(-(good + shift))).mean()
        of_bad = np.log1p(np.exp(bad + shift)).mean()
        return float((of_good + of_bad) / 2 + learning.PENALTY * shift**2 / 2)

    grid = np.linspace(-MOST_SHIFT, MOST_SHIFT, 6001)
    best = grid[np.argmin([unlikely(value) for value in grid])]
    assert row.data["shift"] == pytest.approx(best, abs=0.001)
    assert learnt_of(other).shift == row.data["shift"]
    assert (learnt_of(other).n_good, learnt_of(other).n_bad) == (0, 0)


def test_several_photos_weigh_by_what_a_shift_does_to_them() -> None:
    shipped = calibration_shipped()
    assert gain(shipped, 1) == 1
    odds = np.array([0.3, -0.2, 1.0])
    moved = shipped.fused_odds(odds + 0.5) - shipped.fused_odds(odds)
    assert moved == pytest.approx(0.5 * gain(shipped, 3))


def test_from_the_decision_to_the_next_verdict(compare: Any, writer: Any, bracket: Part) -> None:
    found = compare("good")
    assert found["learnt"] is None
    kept = Inspection.objects.get()
    odds = kept.odds
    assert odds == pytest.approx(logit(found["p_good"]), abs=1e-3)
    writer.patch(found["url"], {"decision": "bad"}, format="json")
    writer.post(f"{found['url']}/again")
    work_off()  # the run and the lesson, in whichever order
    writer.post(f"{found['url']}/again")
    work_off()
    now = writer.get(found["url"]).json()
    assert now["learnt"]["n_bad"] == 1 and now["learnt"]["shift"] < 0
    assert now["similarity"] < found["similarity"]
    kept.refresh_from_db()
    assert kept.odds == pytest.approx(odds, abs=1e-6)  # as they would be without the lesson
    assert math.isclose(kept.shift, now["learnt"]["shift"])
