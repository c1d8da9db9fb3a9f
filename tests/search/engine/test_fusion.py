"""Fusion obeys its laws whatever it is fed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine.fusion import (
    FLOOR,
    Fused,
    embeddings_fuse,
    rankings_fuse,
    scores_add,
    scores_fuse,
    similarities_scale,
)

rankings_made = st.dictionaries(
    st.sampled_from(["image", "text", "shape", "words"]),
    st.lists(st.integers(0, 40), unique=True, max_size=12),
    max_size=4,
)
weight = st.floats(0.01, 10)


def fused(rankings, weights, **how):
    made = rankings_fuse({n: np.array(r) for n, r in rankings.items()}, weights, **how)
    return dict(zip(made.part_ids.tolist(), made.scores.tolist(), strict=True))


def pair(made: Fused) -> tuple[np.ndarray, np.ndarray]:
    return made.part_ids, made.scores


def test_the_known_values_of_two_rankings():
    made = rankings_fuse(
        {"image": np.array([7, 3, 9]), "words": np.array([3, 5])}, {"image": 0.7, "words": 0.3}
    )
    ids, scores = pair(made)
    assert ids.tolist() == [3, 7, 9, 5]
    expected = [0.7 / 62 + 0.3 / 61, 0.7 / 61, 0.7 / 63, 0.3 / 62]
    np.testing.assert_allclose(scores, expected, rtol=1e-12)


@given(rankings_made, st.data())
def test_every_part_gets_the_sum_of_its_shares(rankings, data):
    weights = {name: data.draw(weight) for name in rankings}
    c = data.draw(st.floats(1, 100))
    plain: dict[int, float] = {}
    for name, ranking in rankings.items():
        for rank, part in enumerate(ranking, 1):
            plain[part] = plain.get(part, 0) + weights[name] / (c + rank)
    assert fused(rankings, weights, c=c) == pytest.approx(plain)


@given(rankings_made, st.data())
def test_the_order_of_the_rankings_is_nothing(rankings, data):
    weights = {name: data.draw(weight) for name in rankings}
    turned = dict(reversed(rankings.items()))
    assert list(fused(rankings, weights).items()) == list(fused(turned, weights).items())


@given(rankings_made, st.data())
def test_scores_fall_and_ties_go_by_part_id(rankings, data):
    weights = {name: data.draw(st.sampled_from([0.5, 1.0])) for name in rankings}
    pairs = [(-score, part) for part, score in fused(rankings, weights).items()]
    assert pairs == sorted(pairs)


@given(st.lists(st.integers(0, 40), unique=True, min_size=2, max_size=12), st.data())
def test_a_better_rank_never_lowers_the_score(ranking, data):
    other = data.draw(st.permutations(ranking))
    place = data.draw(st.integers(1, len(ranking) - 1))
    better = [*ranking]
    better[place - 1], better[place] = better[place], better[place - 1]
    weights = {"a": data.draw(weight), "b": data.draw(weight)}
    before = fused({"a": ranking, "b": other}, weights)
    after = fused({"a": better, "b": other}, weights)
    assert after[ranking[place]] >= before[ranking[place]]
    assert after[ranking[place - 1]] <= before[ranking[place - 1]]


@given(rankings_made, st.lists(st.integers(0, 40), unique=True, max_size=12))
def test_a_weight_of_zero_is_no_ranking(rankings, ignored):
    weights = dict.fromkeys(rankings, 1.0) | {"ignored": 0.0}
    assert fused(rankings | {"ignored": ignored}, weights) == fused(rankings, weights)


@given(st.lists(st.integers(0, 40), unique=True, max_size=12), weight)
def test_one_ranking_keeps_its_order(ranking, own):
    assert list(fused({"a": ranking}, {"a": own})) == ranking


def test_what_makes_no_sense_is_refused():
    with pytest.raises(KeyError):
        rankings_fuse({"a": np.array([1])}, {})
    with pytest.raises(ValueError, match="negative"):
        rankings_fuse({"a": np.array([1])}, {"a": -1})
    with pytest.raises(ValueError, match="repeats"):
        rankings_fuse({"a": np.array([1, 2, 1])}, {"a": 1})


@given(st.integers(0, 1000), st.floats(0, 1))
def test_a_fused_embedding_lies_between_the_two(seed, alpha):
    image, text = np.random.default_rng(seed).standard_normal((2, 16)).astype(np.float32)
    image, text = image / np.linalg.norm(image), text / np.linalg.norm(text)
    mixed = embeddings_fuse(image, text, alpha=alpha)
    assert np.linalg.norm(mixed) == pytest.approx(1, abs=1e-5)
    both = float(image @ text)
    assert min(float(mixed @ image), float(mixed @ text)) >= both - 1e-5
    np.testing.assert_allclose(mixed, embeddings_fuse(text, image, alpha=1 - alpha), atol=1e-5)


def test_the_ends_of_alpha_and_the_cancelled_pair():
    image, text = np.eye(2, dtype=np.float32)
    np.testing.assert_array_equal(embeddings_fuse(image, text, alpha=1), image)
    np.testing.assert_array_equal(embeddings_fuse(image, text, alpha=0), text)
    np.testing.assert_array_equal(embeddings_fuse(image, -image, alpha=0.5), image)
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="alpha"):
            embeddings_fuse(image, text, alpha=wrong)
    with pytest.raises(ValueError, match="one space"):
        embeddings_fuse(image, np.ones(3, np.float32), alpha=0.5)


def found(*pairs: tuple[int, float]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([p for p, _ in pairs], np.int64), np.array([s for _, s in pairs], np.float32)


def test_a_large_lead_outweighs_a_small_one():
    clear = found((1, 0.9), (2, 0.3), (3, 0.29), (4, 0.28))
    close = found((2, 0.999), (1, 0.998), (3, 0.99), (4, 0.98))
    ids, scores = pair(scores_fuse({"a": clear, "b": close}, {"a": 0.5, "b": 0.5}))
    assert ids.tolist()[:2] == [1, 2]
    assert np.all(np.diff(scores) <= 0)


def test_where_an_engine_s_similarities_lie_does_not_matter():
    one = found((1, 0.9), (2, 0.7), (3, 0.1))
    other = found((3, 0.8), (2, 0.5), (1, 0.4))
    moved = (other[0], (other[1] * 0.01 + 0.99).astype(np.float32))
    weights = {"a": 0.7, "b": 0.3}
    ids, scores = pair(scores_fuse({"a": one, "b": other}, weights))
    ids_moved, scores_moved = pair(scores_fuse({"a": one, "b": moved}, weights))
    assert ids.tolist() == ids_moved.tolist()
    assert np.allclose(scores, scores_moved, atol=1e-3)


def test_a_part_that_one_ranking_lacks_counts_as_its_last():
    ids, scores = pair(
        scores_fuse(
            {"a": found((1, 0.9), (2, 0.5)), "b": found((2, 0.9), (3, 0.5))}, {"a": 1, "b": 1}
        )
    )
    assert sorted(ids.tolist()) == [1, 2, 3]
    assert ids[-1] == 3 or scores[-1] == scores[-2]


def test_weight_zero_equals_nothing_and_no_deviation_are_no_trouble():
    nothing = found()
    alone = found((7, 0.4))
    assert scores_fuse({"a": nothing}, {"a": 1}).part_ids.tolist() == []
    assert scores_fuse({"a": alone, "b": nothing}, {"a": 1, "b": 1}).part_ids.tolist() == [7]
    assert scores_fuse({"a": found((2, 0.5), (1, 0.5))}, {"a": 1}).part_ids.tolist() == [1, 2]
    ids = scores_fuse({"a": alone, "b": found((9, 1.0))}, {"a": 1, "b": 0}).part_ids
    assert ids.tolist() == [7]


@given(st.lists(st.integers(-99, 99), min_size=2, max_size=12), st.integers(1, 11))
def test_a_scale_keeps_the_order_within_its_bounds(hundredths, head):
    ordered = np.array(sorted(hundredths, reverse=True), np.float32) / 100
    first, last = float(ordered[0]), float(ordered[min(head, len(ordered) - 1)])
    scaled = similarities_scale(ordered, first=first, last=last)
    assert np.all(np.diff(scaled) <= 1e-12)
    assert np.all(scaled > -FLOOR)
    assert np.all(scaled <= 1 + 1e-6)
    if first - last > 1e-3:
        assert scaled[0] == pytest.approx(1, abs=1e-3)


def test_a_part_alone_is_neither_near_nor_far():
    assert similarities_scale(np.array([0.3], np.float32), first=0.3, last=0.3) == pytest.approx(
        0, abs=0.1
    )


def test_scores_are_added_and_what_is_lacking_is_the_lowest():
    columns = {
        "words": (np.array([5, 2]), np.array([0.9, 0.4])),
        "mini": (np.array([1, 2, 3]), np.array([1.0, 0.5, -0.1])),
        "shape": (np.array([9]), np.array([50.0])),
    }
    ids, scores = pair(scores_add(columns, {"words": 1.0, "mini": 0.5, "shape": 0.0}))
    assert ids.tolist() == [5, 2, 1, 3]
    np.testing.assert_allclose(scores, [0.9 - 0.05, 0.4 + 0.25, 0.5, -0.05])


def test_nothing_added_is_nothing():
    ids, scores = pair(scores_add({"words": (np.empty(0, np.int64), np.empty(0))}, {"words": 1.0}))
    assert len(ids) == len(scores) == 0


# Shares -----------------------------------------------------------------------------------------

similarities_made = st.dictionaries(
    st.sampled_from(["mini", "shape", "words"]),
    st.dictionaries(st.integers(0, 20), st.integers(-90, 90), max_size=9),
    max_size=3,
)


def best_first(of: dict[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Part ids and similarities of whole hundredths, best first."""
    return found(*sorted(((p, s / 100) for p, s in of.items()), key=lambda pair: -pair[1]))


def fused_in_every_way(given_: dict[str, dict[int, int]], weights: dict[str, float]):
    ranked = {name: best_first(of) for name, of in given_.items()}
    yield rankings_fuse({name: ids for name, (ids, _) in ranked.items()}, weights)
    yield scores_fuse(ranked, weights)
    yield scores_add({n: (ids, s.astype(float)) for n, (ids, s) in ranked.items()}, weights)


@given(similarities_made, st.data())
def test_the_shares_of_a_score_are_parts_of_one(given_, data):
    weights = {name: data.draw(st.sampled_from([0.0, 0.3, 0.7])) for name in given_}
    counted = {name for name, of in given_.items() if of and weights[name]}
    for made in fused_in_every_way(given_, weights):
        assert set(made.shares) == counted
        assert all(np.all(share >= 0) for share in made.shares.values())
        if counted:
            np.testing.assert_allclose(sum(made.shares.values()), 1, rtol=1e-9)


@given(similarities_made, st.data())
def test_neither_shares_nor_order_depend_on_who_comes_first(given_, data):
    weights = {name: data.draw(weight) for name in given_}
    turned = dict(reversed(given_.items()))
    for one, other in zip(
        fused_in_every_way(given_, weights), fused_in_every_way(turned, weights), strict=True
    ):
        np.testing.assert_array_equal(one.part_ids, other.part_ids)
        np.testing.assert_array_equal(one.scores, other.scores)
        for name, share in one.shares.items():
            np.testing.assert_array_equal(share, other.shares[name])


@given(similarities_made, st.data())
def test_a_heavier_ranking_never_has_less_of_a_score(given_, data):
    weights = {name: data.draw(weight) for name in given_}
    if not weights:
        return
    name = data.draw(st.sampled_from(sorted(weights)))
    heavier = weights | {name: weights[name] * 2}
    for one, other in zip(
        fused_in_every_way(given_, weights), fused_in_every_way(given_, heavier), strict=True
    ):
        if name not in one.shares:
            continue
        before = dict(zip(one.part_ids.tolist(), one.shares[name], strict=True))
        after = dict(zip(other.part_ids.tolist(), other.shares[name], strict=True))
        assert all(after[part] >= share - 1e-9 for part, share in before.items())


def test_the_known_shares_of_two_rankings():
    made = rankings_fuse(
        {"image": np.array([7, 3]), "words": np.array([3])}, {"image": 0.7, "words": 0.3}
    )
    shares = {
        part: {name: float(of[place]) for name, of in made.shares.items()}
        for place, part in enumerate(made.part_ids.tolist())
    }
    assert shares[7] == {"image": 1, "words": 0}
    whole = 0.7 / 62 + 0.3 / 61
    assert shares[3] == pytest.approx({"image": 0.7 / 62 / whole, "words": 0.3 / 61 / whole})


def test_what_nothing_lifts_is_shared_by_the_weights():
    made = scores_add(
        {"mini": (np.array([1]), np.array([-0.1])), "words": (np.array([1]), np.array([0.0]))},
        {"mini": 0.6, "words": 0.2},
    )
    assert float(made.shares["mini"][0]) == pytest.approx(0.75)
