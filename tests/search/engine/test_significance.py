"""The paired randomisation test and Holm's correction."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from search.engine.significance import EXACT_MOST, holm, paired_p

numbers = st.floats(-1, 1, allow_nan=False)


def test_engines_that_answer_alike_are_not_told_apart() -> None:
    assert paired_p([0.1, 0.5, 0.9], [0.1, 0.5, 0.9]) == 1.0


def test_few_queries_are_compared_exactly() -> None:
    # 2 of the 8 assignments of signs are as far from none as what was seen.
    assert paired_p([1, 1, 1], [0, 0, 0]) == pytest.approx(2 / 8)


@pytest.mark.parametrize("n", [EXACT_MOST, 61, 500])
def test_it_agrees_with_an_independent_test(n: int) -> None:
    rng = np.random.default_rng(7)
    a, b = rng.random(n) + 0.1, rng.random(n)
    peer = stats.permutation_test(
        (a, b), lambda x, y, axis: (x - y).mean(axis=axis), permutation_type="samples",
        n_resamples=20_000, rng=np.random.default_rng(1),
    )  # fmt: skip
    assert paired_p(a, b, rounds=20_000) == pytest.approx(peer.pvalue, abs=0.012)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=30), st.integers(0, 99))
def test_it_is_a_share_and_knows_no_order(pairs: list[tuple[float, float]], seed: int) -> None:
    a, b = np.array(pairs).T
    p = paired_p(a, b, rounds=200, seed=seed)
    assert 0 < p <= 1
    assert p == paired_p(b, a, rounds=200, seed=seed)


def test_alike_engines_are_called_different_as_seldom_as_they_should() -> None:
    rng = np.random.default_rng(3)
    found = [paired_p(*rng.random((2, 25)), rounds=300, seed=s) for s in range(300)]
    assert np.mean(np.array(found) <= 0.05) == pytest.approx(0.05, abs=0.035)


def test_nothing_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="at least one"):
        paired_p([], [])


def test_holm_is_as_in_its_paper() -> None:
    # By hand: .01 x 4, .02 x 3, .03 x 2, .04 x 1, and never less than the one before.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([]) == []


@given(st.lists(st.floats(0.0001, 1), min_size=1, max_size=12))
def test_holm_keeps_the_order_and_lies_between_one_and_all(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    for p, q in zip(p_values, adjusted, strict=True):
        assert p <= q <= min(1, p * len(p_values)) + 1e-12
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()
