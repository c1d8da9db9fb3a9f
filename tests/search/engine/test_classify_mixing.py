"""What the words say and what people filed make one answer, whose shares never exceed one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from search.engine.calibration import Logistic
from search.engine.classify import (
    Tuning,
    branches_lift,
    prompts_average,
    votes_mix,
    zero_shot,
)

TUNING = Tuning(temperature=0.1, none=0.2, prior=2.0, closeness=Logistic(20, -16))
SIMILARITIES = st.floats(-1, 1, width=32)
vectors = hnp.arrays(np.float32, (5, 8), elements=SIMILARITIES)
shares = hnp.arrays(np.float64, 4, elements=st.floats(0, 1)).map(lambda a: a / max(a.sum(), 1))
votes = st.lists(st.tuples(st.integers(0, 3), SIMILARITIES), max_size=30)


def columns_of(found: list[tuple[int, float]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([c for c, _ in found], np.int64), np.array([s for _, s in found])


def test_zero_shot_worked_out_by_hand() -> None:
    prompts = np.eye(2, dtype=np.float32)
    (found,) = zero_shot(np.array([[0.6, 0.4]], np.float32), prompts, TUNING)
    raised = np.exp([6, 4, 2])
    assert found == pytest.approx(raised[:2] / raised.sum())


@given(vectors, vectors)
def test_zero_shot_leaves_a_share_to_none_of_these(parts, prompts) -> None:
    found = zero_shot(parts, prompts, TUNING)
    assert found.shape == (5, 5)
    assert found.min() >= 0
    assert found.sum(axis=1).max() <= 1 + 1e-9


def test_what_is_like_no_category_is_none_of_these() -> None:
    prompts, strange = np.eye(8, dtype=np.float32)[:3], np.zeros((1, 8), np.float32)
    assert zero_shot(strange, prompts, TUNING).sum() < 0.5
    assert zero_shot(strange, prompts, Tuning(temperature=0.02, none=0.2)).sum() < 0.01


@given(shares, votes)
def test_a_mixture_stays_between_the_words_and_the_votes(words, found) -> None:
    columns, similarities = columns_of(found)
    mixed = votes_mix(words, columns, similarities, TUNING)
    assert mixed.sum() <= 1 + 1e-9
    counts = TUNING.closeness.strength(similarities)
    cast = np.bincount(columns, weights=counts, minlength=4) / max(counts.sum(), 1e-12)
    assert np.all(mixed >= np.minimum(words, cast) - 1e-9)
    assert np.all(mixed <= np.maximum(words, cast) + 1e-9)


@given(shares, votes, st.integers(0, 3), st.floats(0.9, 1.0))
def test_one_more_close_neighbour_speaks_for_its_category(words, found, column, near) -> None:
    before = votes_mix(words, *columns_of(found), TUNING)
    after = votes_mix(words, *columns_of([*found, (column, near)]), TUNING)
    assert after[column] >= before[column] - 1e-12
    others = np.arange(4) != column
    assert np.all(after[others] <= before[others] + 1e-12)


def test_without_neighbours_and_far_from_all_the_words_decide() -> None:
    words = np.array([0.5, 0.3, 0.1, 0.0])
    assert votes_mix(words, *columns_of([]), TUNING) == pytest.approx(words)
    far = columns_of([(3, 0.1)] * 24)
    assert votes_mix(words, *far, TUNING) == pytest.approx(words, abs=1e-3)
    near = columns_of([(3, 0.98)] * 24)
    assert votes_mix(words, *near, TUNING)[3] > 0.9


def test_a_branch_that_is_unsure_answers_by_its_parent() -> None:
    # 0 fasteners > 1 bolts, 2 screws > 3 wood screws; 4 rings stands alone.
    parents = [-1, 0, 0, 2, -1]
    unsure = np.array([0.05, 0.2, 0.1, 0.15, 0.2])
    assert branches_lift(unsure, parents, 0.4) == pytest.approx([0.5, 0, 0, 0, 0.2])
    sure = np.array([0.05, 0.2, 0.02, 0.45, 0.2])
    assert branches_lift(sure, parents, 0.4) == pytest.approx(sure)
    # Both kinds of screw together are sure: the answer goes up one floor and no further.
    screws = np.array([0.05, 0.1, 0.22, 0.22, 0.2])
    assert branches_lift(screws, parents, 0.4) == pytest.approx([0.05, 0.1, 0.44, 0, 0.2])


@given(
    hnp.arrays(np.float64, 8, elements=st.floats(0, 1)),
    st.lists(st.integers(-1, 7), min_size=8, max_size=8),
    st.floats(0, 1),
)
def test_lifting_keeps_the_sum_whatever_the_tree(confidences, parents, threshold) -> None:
    lifted = branches_lift(confidences, parents, threshold)  # circles included
    assert lifted.sum() == pytest.approx(confidences.sum())
    assert lifted.min() >= 0


def test_each_script_counts_the_same_however_many_prompts_it_has() -> None:
    texts = np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    found = prompts_average(texts, [0, 0, 0, 0, 1], ["en", "en", "en", "zh", "en"])
    assert found == pytest.approx(np.array([[0.5**0.5, 0.5**0.5, 0], [0, 0, 1]]))


def test_prompts_that_cancel_out_are_still_finite() -> None:
    texts = np.array([[1, 0], [-1, 0]], np.float32)
    assert np.isfinite(prompts_average(texts, [0, 0], ["en", "en"])).all()
    assert np.isfinite(prompts_average(texts, [0, 0], ["en", "zh"])).all()


def test_the_numbers_come_from_json_and_a_wrong_name_is_refused() -> None:
    assert Tuning.from_json({}) == Tuning()
    told = {"temperature": 0.07, "none": 0.3, "closeness": {"slope": 9, "offset": -8}}
    assert Tuning.from_json(told) == Tuning(0.07, 0.3, closeness=Logistic(9, -8))
    with pytest.raises(KeyError, match="heat"):
        Tuning.from_json({"heat": 1})
