"""Laws of calibration: monotone strengths, fits that find what made the data, errors by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from search.engine.calibration import (
    Logistic,
    calibration_error,
    logistic_fit,
    reliability,
    softmax,
    temperature_fit,
)

finite = st.floats(-1e3, 1e3, allow_nan=False)
shares = st.floats(0, 1, allow_nan=False)
answers = st.lists(st.tuples(shares, st.booleans()), min_size=1, max_size=60)
cosines = st.lists(st.tuples(st.floats(-1, 1), st.booleans()), min_size=1, max_size=60)


@given(slope=finite, offset=finite, values=hnp.arrays(np.float64, 9, elements=finite))
def test_a_strength_lies_in_0_to_1_and_follows_its_similarity(slope, offset, values):
    curve = Logistic(slope, offset)
    strengths = curve.strength(np.sort(values))
    assert strengths.min() >= 0 and strengths.max() <= 1
    steps = np.diff(strengths)
    assert np.all(steps >= 0) if slope >= 0 else np.all(steps <= 0)
    alone = curve.strength(float(values[0]))
    assert isinstance(alone, float)
    assert alone == pytest.approx(curve.strength(values)[0])
    assert Logistic.from_json(curve.to_json()) == curve


def test_strengths_worked_out_by_hand():
    curve = Logistic(slope=10, offset=-5)
    assert curve.strength(0.5) == 0.5
    assert curve.strength(0.7) == pytest.approx(1 / (1 + np.exp(-2)))
    assert curve.strength(np.array([-1e300, 1e300])).tolist() == [0, 1]


def test_the_fit_finds_the_curve_that_made_the_answers():
    rng = np.random.default_rng(0)
    made = Logistic(slope=14, offset=-8)
    similarities = rng.uniform(0.2, 0.9, 20_000)
    right = rng.random(20_000) < made.strength(similarities)
    fitted = logistic_fit(similarities, right)
    assert fitted.slope == pytest.approx(made.slope, rel=0.05)
    assert fitted.offset == pytest.approx(made.offset, rel=0.05)
    assert calibration_error(fitted.strength(similarities), right) < 0.02


@given(cosines)
def test_any_answers_can_be_fitted_and_the_mean_is_kept(given_answers):
    similarities, right = (np.array(column) for column in zip(*given_answers, strict=True))
    curve = logistic_fit(similarities, right)
    assert np.isfinite([curve.slope, curve.offset]).all()
    # At the optimum strengths and (softened) targets have one mean.
    n_right, n = right.sum(), len(right)
    target = n_right * (n_right + 1) / (n_right + 2) + (n - n_right) / (n - n_right + 2)
    assert curve.strength(similarities).sum() == pytest.approx(target, abs=1e-3 * n)


def test_answers_that_do_not_overlap_give_a_finite_curve():
    curve = logistic_fit([0.1, 0.2, 0.8, 0.9], [False, False, True, True])
    assert curve.slope > 0
    assert 0.1 < curve.strength(0.15) < 0.4 < 0.6 < curve.strength(0.85) < 0.9


def test_the_temperature_that_made_the_labels_is_found():
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(20_000, 6))
    labels = np.array([rng.choice(6, p=p) for p in softmax(logits / 0.3)])
    assert temperature_fit(logits, labels) == pytest.approx(0.3, rel=0.05)


@given(hnp.arrays(np.float64, (12, 4), elements=st.floats(-1, 1)), st.floats(0.1, 10))
def test_the_temperature_scales_with_its_logits(logits, scale):
    labels = np.arange(12) % 4
    once, scaled = temperature_fit(logits, labels), temperature_fit(logits * scale, labels)
    if 1e-2 < once < 1e2:
        assert scaled == pytest.approx(once * scale, rel=1e-3)


def test_labels_that_are_never_favoured_are_the_hottest():
    assert temperature_fit([[0.0, 1.0], [0.0, 2.0]], [0, 0]) > 1e3
    assert temperature_fit([[0.0, 1.0], [0.0, 2.0]], [1, 1]) < 1e-3


@given(hnp.arrays(np.float64, (3, 5), elements=finite), finite)
def test_softmax_sums_to_one_and_knows_no_common_offset(logits, offset):
    shares_found = softmax(logits)
    assert shares_found.sum(axis=1) == pytest.approx(np.ones(3))
    assert softmax(logits + offset) == pytest.approx(shares_found, abs=1e-9)


def test_the_error_worked_out_by_hand():
    confidence = [0.95, 0.91, 0.97, 0.93, 0.25, 0.21]
    right = [True, True, True, False, False, True]
    rows = reliability(confidence, right)
    assert [(row.low, row.n) for row in rows] == [(0.2, 2), (0.9, 4)]
    assert rows[1].confidence == pytest.approx(0.94)
    assert rows[1].right == 0.75
    assert calibration_error(confidence, right) == pytest.approx((4 * 0.19 + 2 * 0.27) / 6)
    assert calibration_error([], []) == 0


@given(answers, st.integers(1, 20))
def test_the_curve_counts_every_answer_once(given_answers, bins):
    confidence, right = (np.array(column) for column in zip(*given_answers, strict=True))
    rows = reliability(confidence, right, bins=bins)
    assert sum(row.n for row in rows) == len(confidence)
    assert sum(row.n * row.right for row in rows) == pytest.approx(right.sum())
    for row in rows:
        assert row.low - 1e-9 <= row.confidence <= row.high + 1e-9
    error = calibration_error(confidence, right, bins=bins)
    # Bins only hide what cancels out within them: one bin is the least error of all.
    whole = abs(confidence.mean() - right.mean())
    assert whole - 1e-9 <= error <= 1


@pytest.mark.parametrize(
    "measure",
    [
        lambda: logistic_fit([], []),
        lambda: logistic_fit([0.1], [True, False]),
        lambda: temperature_fit(np.zeros((0, 3)), []),
        lambda: temperature_fit(np.zeros((2, 3)), [1]),
        lambda: calibration_error([0.5], []),
        lambda: calibration_error([1.5], [True]),
        lambda: calibration_error([float("nan")], [True]),
    ],
)
def test_what_cannot_be_measured_is_refused(measure):
    with pytest.raises(ValueError):
        measure()
