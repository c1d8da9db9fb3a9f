"""Measures agree with values worked out by hand and with a plain second implementation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from search.engine.metrics import (
    NORMAL_FROM,
    average_precision,
    bootstrap_interval,
    bootstrap_intervals,
    grades_of,
    ndcg_at_k,
    percentiles,
    precision_at_k,
    recall_at_k,
    reciprocal_rank,
)

graded = st.lists(st.integers(0, 3), max_size=12)


def test_values_worked_out_by_hand():
    # Relevant at ranks 1, 3 and 6 of 6; a fourth relevant part was not found.
    grades = [1, 0, 1, 0, 0, 1]
    assert precision_at_k(grades, 3) == pytest.approx(2 / 3)
    assert precision_at_k(grades, 10) == pytest.approx(0.3)
    assert recall_at_k(grades, 3, relevant=4) == 0.5
    assert recall_at_k(grades, 6, relevant=4) == 0.75
    assert reciprocal_rank(grades) == 1
    assert reciprocal_rank([0, 0, 2]) == pytest.approx(1 / 3)
    assert average_precision(grades, relevant=4) == pytest.approx((1 + 2 / 3 + 3 / 6) / 4)


def test_ndcg_worked_out_by_hand():
    # The well-known example of grades 3 2 3 0 1 2, with gains 7 3 7 0 1 3.
    grades = [3, 2, 3, 0, 1, 2]
    gain = 7 / 1 + 3 / math.log2(3) + 7 / 2 + 1 / math.log2(6) + 3 / math.log2(7)
    best = 7 / 1 + 7 / math.log2(3) + 3 / 2 + 3 / math.log2(5) + 1 / math.log2(6)
    assert gain == pytest.approx(13.848, abs=1e-3)
    assert ndcg_at_k(grades, 6, ideal=grades) == pytest.approx(gain / best)
    # A better part that was not found lowers it; the cut at k applies to both.
    assert ndcg_at_k([1], 5, ideal=[3, 1]) == pytest.approx(1 / (7 + 1 / math.log2(3)))
    assert ndcg_at_k([2, 3], 1, ideal=[2, 3]) == pytest.approx(3 / 7)


def test_nothing_relevant_is_zero():
    assert recall_at_k([0], 1, relevant=0) == 0
    assert average_precision([], relevant=0) == 0
    assert reciprocal_rank([]) == 0
    assert ndcg_at_k([0, 0], 2, ideal=[]) == 0
    assert precision_at_k([], 5) == 0


@pytest.mark.parametrize("k", [0, -1])
def test_k_below_one_is_refused(k):
    for measure in (
        lambda: precision_at_k([1], k),
        lambda: recall_at_k([1], k, relevant=1),
        lambda: ndcg_at_k([1], k, ideal=[1]),
    ):
        with pytest.raises(ValueError, match="k must be"):
            measure()


@given(graded, graded, st.integers(1, 15))
def test_a_plain_second_implementation_agrees(grades, missed, k):
    relevant = sum(g > 0 for g in grades + missed)
    hits = [rank for rank, g in enumerate(grades, 1) if g > 0]
    early = [rank for rank in hits if rank <= k]
    assert precision_at_k(grades, k) == pytest.approx(len(early) / k)
    assert recall_at_k(grades, k, relevant=relevant) == pytest.approx(
        len(early) / relevant if relevant else 0
    )
    assert reciprocal_rank(grades) == pytest.approx(1 / hits[0] if hits else 0)
    precisions = [precision_at_k(grades, rank) for rank in hits]
    assert average_precision(grades, relevant=relevant) == pytest.approx(
        sum(precisions) / relevant if relevant else 0
    )

    def dcg(ordered):
        return sum((2**g - 1) / math.log2(r + 1) for r, g in enumerate(ordered[:k], 1))

    best = dcg(sorted(grades + missed, reverse=True))
    assert ndcg_at_k(grades, k, ideal=grades + missed) == pytest.approx(
        dcg(grades) / best if best else 0
    )


@given(graded, graded, st.integers(1, 15))
def test_all_lie_between_zero_and_one_and_the_ideal_order_is_best(grades, missed, k):
    ideal = sorted(grades + missed, reverse=True)
    value = ndcg_at_k(grades, k, ideal=ideal)
    assert 0 <= value <= 1 + 1e-12
    if any(ideal):
        assert ndcg_at_k(ideal, k, ideal=ideal) == pytest.approx(1)
        relevant = sum(g > 0 for g in ideal)
        assert average_precision(ideal, relevant=relevant) == pytest.approx(1)


def test_grades_follow_the_ranking():
    judgements = {5: 2.0, 9: 1.0}
    assert grades_of(np.array([9, 7, 5]), judgements).tolist() == [1, 0, 2]


def test_the_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(200):
        values = rng.random(60) < 0.4
        low, high = bootstrap_interval(values, confidence=0.9, resamples=300, seed=seed)
        assert low <= values.mean() <= high
        covered += low <= 0.4 <= high
    assert 0.82 <= covered / 200 <= 0.97
    assert bootstrap_interval([0.5, 0.5]) == (0.5, 0.5)


def test_the_interval_is_that_of_an_independent_library():
    values = np.random.default_rng(5).choice([0, 0.2, 0.5, 1], 80)
    peer = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=9999, rng=np.random.default_rng(6)
    ).confidence_interval
    assert bootstrap_interval(values, resamples=9999) == pytest.approx(tuple(peer), abs=0.01)


def test_columns_are_drawn_together_and_many_values_not_at_all():
    rng = np.random.default_rng(1)
    values = rng.random((NORMAL_FROM - 1, 2)) ** 3
    drawn = bootstrap_intervals(values, resamples=1000)
    alone = bootstrap_interval(values[:, 0], resamples=1000)
    assert alone == pytest.approx(drawn[0], abs=1e-9)
    known = bootstrap_intervals(np.vstack([values, values[:1]]))
    assert known == pytest.approx(drawn, abs=1e-3)
    # No mean can lie beyond the values.
    almost = np.ones((NORMAL_FROM, 1))
    almost[0] = 0.9
    assert bootstrap_intervals(almost).max() <= 1


def test_percentiles_of_known_timings():
    assert percentiles(range(101)) == {"p50": 50, "p95": 95, "p99": 99}
    assert percentiles([4.0], [99.9]) == {"p99.9": 4.0}
