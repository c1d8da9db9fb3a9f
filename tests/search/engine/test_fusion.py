"""Fusion obeys its laws whatever it is fed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine.fusion import embeddings_fuse, rankings_fuse, views_pool

rankings_made = st.dictionaries(
    st.sampled_from(["image", "text", "shape", "words"]),
    st.lists(st.integers(0, 40), unique=True, max_size=12),
    max_size=4,
)
weight = st.floats(0.01, 10)


def fused(rankings, weights, **how):
    ids, scores = rankings_fuse({n: np.array(r) for n, r in rankings.items()}, weights, **how)
    return dict(zip(ids.tolist(), scores.tolist(), strict=True))


def test_the_known_values_of_two_rankings():
    ids, scores = rankings_fuse(
        {"image": np.array([7, 3, 9]), "words": np.array([3, 5])}, {"image": 0.7, "words": 0.3}
    )
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


@pytest.mark.parametrize("pooling", ["max", "mean"])
@pytest.mark.parametrize("shape", [(9,), (9, 3)])
def test_views_are_pooled_within_their_part(pooling, shape):
    similarities = np.random.default_rng(0).random(shape, np.float32)
    offsets = np.array([0, 1, 5, 9])
    join = {"max": np.max, "mean": np.mean}[pooling]
    wanted = [join(similarities[a:b], axis=0) for a, b in ((0, 1), (1, 5), (5, 9))]
    pooled = views_pool(similarities, offsets, pooling=pooling)
    assert pooled.dtype == np.float32
    np.testing.assert_allclose(pooled, wanted, rtol=1e-6)


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
