"""From measures to a chance: learnt from examples, monotone, moved for one part within reason."""

from dataclasses import replace

import numpy as np
import pytest

from search.engine.qc.judge import (
    ALERT,
    EVEN,
    FEATURES,
    Calibration,
    calibration_fit,
    calibration_shipped,
    measures_features,
    pass_limit,
    probability,
)
from search.engine.qc.simulate.calibrate import MOST_SHIFT, calibration_for_part
from search.engine.qc.types import Measures

# The medians of 72 photos of good pieces, of the calibrating half of `bench.qc`.
GOOD = Measures(
    iou=0.993, mean=0.0005, p95=0.0029, thickness=0.0, blob=0.0, evidence=0.0, weighed=0.0,
    supported=0.63, unsupported=0.0, unexplained=0.002, shading=0.58, surface=0.0012, strength=3.2,
    contrast=3.0, pixel=0.0028,
)  # fmt: skip
BAD = replace(
    GOOD, iou=0.85, mean=0.03, p95=0.06, thickness=0.09, blob=6e-3, evidence=1, weighed=0.09
)


def test_the_shipped_calibration_tells_good_from_bad():
    made = calibration_shipped()
    assert probability(made.odds(GOOD)) > pass_limit(made.pass_at, made.pass_at)
    assert probability(made.odds(BAD)) < pass_limit(made.pass_at, made.pass_at)
    assert made.fail_under < made.pass_at


def test_a_piece_likelier_bad_than_good_passes_only_where_people_ask_for_it():
    assert pass_limit(0.2, 0.2) == EVEN
    assert pass_limit(0.7, 0.2) == 0.7
    assert pass_limit(0.1, 0.2) == 0.1


def test_a_plain_deviation_is_outvoted_by_nothing():
    made = calibration_shipped()
    chipped = [probability(made.odds(replace(GOOD, weighed=wide))) for wide in (0.051, 0.08, 0.2)]
    assert made.pass_at > chipped[0] > chipped[1] > chipped[2]


def test_a_calibration_survives_as_json():
    made = calibration_shipped()
    assert Calibration.from_json(made.to_json()) == made


def test_a_calibration_of_other_features_is_refused():
    data = calibration_shipped().to_json() | {"features": ["weight"]}
    with pytest.raises(ValueError, match="features"):
        Calibration.from_json(data)


def test_similarity_is_monotone_and_alerts_at_the_limit():
    made = calibration_shipped()
    chances = np.linspace(0, 1, 101)
    values = [made.similarity(float(chance)) for chance in chances]
    assert values == sorted(values)
    assert values[0] == 0
    assert values[-1] == 1
    assert made.similarity(made.pass_at) == pytest.approx(ALERT)


def test_a_fit_separates_what_can_be_separated():
    rng = np.random.default_rng(0)
    base = measures_features(GOOD)
    good = base + rng.normal(0, 0.1, (60, len(FEATURES)))
    bad = good.copy()
    bad[:, FEATURES.index("thickness")] += 1.0
    made = calibration_fit(np.vstack([good, bad]), [True] * 60 + [False] * 60, version="test")
    worse = replace(GOOD, thickness=0.06)
    assert made.odds(GOOD) > 1
    assert made.odds(worse) < -1
    assert 0 < made.fail_under <= made.pass_at < 1


@pytest.mark.parametrize("good", [[True] * 4, [False] * 4])
def test_a_fit_needs_both_kinds(good):
    with pytest.raises(ValueError, match="good pieces and bad"):
        calibration_fit(np.zeros((4, len(FEATURES))), good, version="test")


class TestOnePart:
    def test_nothing_known_moves_nothing(self):
        made = calibration_shipped()
        assert calibration_for_part(made, np.array([])) == replace(made, shift=0.0)

    def test_a_part_that_measures_worse_is_judged_milder(self):
        made = calibration_shipped()
        usual = np.full(200, 2.0)
        few = calibration_for_part(made, usual, simulated=[1.0] * 8)
        many = calibration_for_part(made, usual, simulated=[1.0] * 64)
        assert 0 < few.shift < many.shift < 1.0

    def test_no_amount_of_evidence_moves_it_far(self):
        made = calibration_shipped()
        far = calibration_for_part(made, np.full(9, 50.0), simulated=[-50.0] * 500)
        assert far.shift == MOST_SHIFT

    def test_confirmed_good_pieces_come_to_pass(self):
        made = calibration_shipped()
        limit = np.log(made.pass_at / (1 - made.pass_at))
        learnt = calibration_for_part(made, np.array([]), good=[limit - 0.5] * 40)
        assert learnt.shift > 0.3

    def test_confirmed_bad_pieces_are_kept_from_passing(self):
        made = calibration_shipped()
        limit = np.log(made.pass_at / (1 - made.pass_at))
        learnt = calibration_for_part(
            made, np.array([]), good=[limit - 0.5] * 40, bad=[limit + 0.4] * 10
        )
        assert learnt.shift <= -0.4 + 1e-6
