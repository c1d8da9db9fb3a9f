"""A query moves towards what is marked as more like it, and away from what is less."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine.feedback import query_move

WEIGHTS = {"alpha": 1.0, "beta": 0.75, "gamma": 0.15}


def vectors(count: int, *, seed: int, d: int = 8) -> np.ndarray:
    made = np.random.default_rng(seed).standard_normal((count, d)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def plain(query: np.ndarray, more: list, less: list, alpha: float, beta: float, gamma: float):
    """The same, said row by row."""
    rows = []
    for row in query:

        def mean(parts: list, row: np.ndarray = row) -> np.ndarray:
            near = [max(views, key=lambda view: float(view @ row)) for views in parts]
            return np.mean(near, axis=0) if parts else np.zeros_like(row)

        moved = alpha * row + beta * mean(more) - gamma * mean(less)
        rows.append(moved / np.linalg.norm(moved))
    return np.array(rows)


@given(st.integers(0, 999), st.integers(0, 3), st.integers(0, 3), st.integers(1, 4))
def test_it_is_rocchios_formula_with_the_nearest_views(seed, more, less, rows):
    query = vectors(rows, seed=seed)
    parts = [vectors(1 + n % 3, seed=seed + 1000 * (n + 1)) for n in range(more + less)]
    moved = query_move(query, parts[:more], parts[more:], **WEIGHTS)
    assert moved.dtype == np.float32
    np.testing.assert_allclose(
        moved, plain(query, parts[:more], parts[more:], **WEIGHTS), atol=1e-5
    )
    np.testing.assert_allclose(np.linalg.norm(moved, axis=1), 1, atol=1e-5)


@given(st.integers(0, 999))
def test_what_is_marked_comes_nearer_or_goes_farther(seed):
    query, part = vectors(1, seed=seed), vectors(1, seed=seed + 1)
    nearness = float((query @ part.T)[0, 0])
    more = query_move(query, [part], [], **WEIGHTS)
    less = query_move(query, [], [part], **WEIGHTS)
    assert float((more @ part.T)[0, 0]) >= nearness - 1e-6
    assert float((less @ part.T)[0, 0]) <= nearness + 1e-6


@given(st.integers(0, 999), st.permutations(range(4)))
def test_the_order_of_the_marks_is_nothing(seed, order):
    query, parts = vectors(2, seed=seed), [vectors(3, seed=seed + n + 1) for n in range(4)]
    np.testing.assert_allclose(
        query_move(query, parts, [], **WEIGHTS),
        query_move(query, [parts[n] for n in order], [], **WEIGHTS),
        atol=1e-6,
    )


def test_without_marks_or_weights_nothing_moves():
    query, part = vectors(3, seed=1), vectors(2, seed=2)
    np.testing.assert_allclose(query_move(query, [], [], **WEIGHTS), query, atol=1e-6)
    still = query_move(query, [part], [part], alpha=2.0, beta=0.0, gamma=0.0)
    np.testing.assert_allclose(still, query, atol=1e-6)


@pytest.mark.parametrize("name", ["more", "less"])
def test_a_query_that_is_cancelled_stays(name):
    query = vectors(1, seed=1)
    against = {"more": [-query], "less": [query]}[name]
    marks = {"more": [], "less": []} | {name: against}
    np.testing.assert_array_equal(query_move(query, **marks, alpha=1, beta=1, gamma=1), query)
