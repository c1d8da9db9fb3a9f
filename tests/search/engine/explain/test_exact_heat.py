"""The exact division: cells, and pairs of cells, add up to the cosine."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine.encoders.mini import MiniEncoder
from search.engine.explain.choose import explainer_kind, explainer_make
from search.engine.explain.exact import ExactExplainer, cells_heat, pairs_heat
from search.engine.explain.words import WordsExplainer
from search.engine.render.viewpoints import viewpoints_fibonacci
from search.engine.render.views import views_render
from tests.factories import meshes

MODELS = Path(__file__).resolve().parents[4] / "models"


@pytest.fixture(scope="module")
def encoder() -> MiniEncoder:
    return MiniEncoder(MODELS)


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    bracket = meshes.l_bracket() / 40
    return views_render(bracket.astype(np.float32), viewpoints=viewpoints_fibonacci(4)).rgb


@given(
    seed=st.integers(0, 10**6), rows=st.integers(1, 7), columns=st.integers(1, 7),
    d=st.integers(2, 40),
)  # fmt: skip
def test_cells_add_up_whatever_the_map(seed: int, rows: int, columns: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    cells = rng.normal(size=(3, rows, columns, d)).astype(np.float32) + 0.5
    target = rng.normal(size=d).astype(np.float32)
    means = cells.mean(axis=(1, 2)).astype(np.float64)
    cosines = means @ target / (np.linalg.norm(means, axis=1) * np.linalg.norm(target))
    heat = cells_heat(cells, target)
    assert heat.shape == (3, rows, columns)
    np.testing.assert_allclose(heat.sum(axis=(1, 2)), cosines, atol=1e-5)


@given(seed=st.integers(0, 10**6))
def test_pairs_add_up_to_the_cosine_of_both(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, two = rng.normal(size=(2, 5, 4, 16)).astype(np.float32) + 0.3
    a, b = one.mean((0, 1)), two.mean((0, 1))
    shares = pairs_heat(one, two)
    assert shares.shape == (5, 4, 5, 4)
    assert shares.sum() == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b), abs=1e-5)
    # What all places of the one add to a cell of the other is that cell's heat.
    np.testing.assert_allclose(shares.sum((0, 1)), cells_heat(two, a), atol=1e-5)


def test_the_cosine_of_mini_divides_exactly(encoder, pictures) -> None:
    embeddings = encoder.pictures_embed(pictures)
    target = embeddings[0]
    heat = ExactExplainer(encoder).heat(pictures, target)
    assert heat.shape == (4, 7, 7)
    np.testing.assert_allclose(heat.sum(axis=(1, 2)), embeddings @ target, atol=1e-5)
    each = ExactExplainer(encoder).heat(pictures, embeddings)
    np.testing.assert_allclose(each.sum(axis=(1, 2)), 1, atol=1e-5)


def test_the_cosine_of_words_divides_but_for_the_slopes_error(encoder, pictures) -> None:
    (target,) = encoder.texts_embed(["an L-shaped bracket"])
    heat = WordsExplainer(encoder).heat(pictures, target)
    cosines = encoder.pictures_embed_both(pictures)[1] @ target
    np.testing.assert_allclose(heat.sum(axis=(1, 2)), cosines, atol=1e-3)


def test_the_slope_of_words_is_the_cosines(encoder, pictures) -> None:
    """Against central differences of what the head says."""
    (target,) = encoder.texts_embed(["bracket"])
    features = encoder.maps_embed(pictures)[1].mean(axis=(1, 2))
    way = np.random.default_rng(0).normal(size=features.shape).astype(np.float32)
    step = np.float32(1e-2)
    ahead, behind = (encoder.features_words(features + sign * step * way) for sign in (1, -1))
    differences = (ahead - behind) @ target / (2 * step)
    slopes = (encoder.words_slope(features, target) * way).sum(axis=1)
    np.testing.assert_allclose(slopes, differences, rtol=0.05, atol=2e-3)


def test_the_explainer_follows_from_the_encoder(encoder) -> None:
    assert explainer_kind(encoder) == "exact"
    assert explainer_kind(encoder, words=True) == "integrated"
    assert explainer_make(encoder).method == "exact"
    assert explainer_make(encoder, words=True).method == "integrated"

    class Plain:
        space = words_space = encoder.space

        def pictures_embed(self, pictures: np.ndarray) -> np.ndarray:
            return encoder.pictures_embed(pictures)

    assert explainer_kind(Plain()) == explainer_kind(Plain(), words=True) == "occlusion"


def test_occlusion_and_the_exact_heat_agree_on_where(encoder, pictures) -> None:
    """Two methods that share nothing: half of the picture asked with, half another part."""
    from search.engine.explain.occlusion import OcclusionExplainer

    both = pictures[0].copy()
    other = views_render(
        (meshes.torus(10, 3) / 20).astype(np.float32), viewpoints=viewpoints_fibonacci(4)
    ).rgb[1]
    both = np.full_like(both, 255)
    both[56:168, :112] = pictures[0][::2, ::2]
    both[56:168, 112:] = other[::2, ::2]
    target = encoder.pictures_embed(pictures[:1])[0]
    for explainer in (ExactExplainer(encoder), OcclusionExplainer(encoder.pictures_embed)):
        heat = explainer.heat(both[None], target)[0]
        assert heat[:, :3].mean() > heat[:, 4:].mean(), explainer.method
