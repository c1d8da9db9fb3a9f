"""The layers that bring features and texts into one space, made small by code."""

import numpy as np
import pytest
from numpy.typing import NDArray

from search.engine.encoders.layers import Linear, gelu, softmax, unit
from search.engine.encoders.picture_head import PictureHead
from search.engine.encoders.text_student import TextStudent

Float = NDArray[np.float32]


def linear(rng: np.random.Generator, rows: int, columns: int) -> Linear:
    weight = rng.normal(size=(rows, columns)).astype(np.float32)
    return Linear(weight, rng.normal(size=rows).astype(np.float32))


@pytest.fixture
def head() -> PictureHead:
    rng = np.random.default_rng(1)
    return PictureHead(
        inner=linear(rng, 6, 20),
        outer=linear(rng, 5, 6),
        classes=linear(rng, 7, 20),
        names=linear(rng, 4, 12),
    )


@pytest.fixture
def student() -> TextStudent:
    rng = np.random.default_rng(2)
    return TextStudent(
        codes=rng.integers(0, 256, (1000, 2), np.uint8),
        books=rng.normal(size=(2, 256, 3)).astype(np.float32),
        importance=rng.normal(size=1000).astype(np.float32),
        inner=linear(rng, 8, 6),
        outer=linear(rng, 6, 8),
        last=linear(rng, 4, 6),
    )


def test_a_layer_survives_its_bytes() -> None:
    layer = linear(np.random.default_rng(0), 9, 300)
    read = Linear.read(layer.arrays("layer"), "layer")
    x = np.random.default_rng(1).normal(size=(50, 300)).astype(np.float32)
    assert read.arrays("layer")["layer.weight"].dtype == np.int8
    cosine = (unit(layer(x)) * unit(read(x))).sum(axis=1)
    assert cosine.min() > 0.999


def test_a_row_of_nothing_stays_nothing() -> None:
    layer = Linear(np.zeros((2, 3), np.float32), np.zeros(2, np.float32))
    assert not Linear.read(layer.arrays("x"), "x").weight.any()


def test_gelu_and_softmax_are_what_they_are_called() -> None:
    assert gelu(np.array([-20.0, 0.0, 20.0], np.float32)) == pytest.approx([0, 0, 20], abs=1e-5)
    shares = softmax(np.array([[1e4, 1e4, -1e4]], np.float32))
    assert shares == pytest.approx(np.array([[0.5, 0.5, 0.0]]))


def test_a_picture_lands_between_the_names_seen_in_it(head: PictureHead) -> None:
    features = np.random.default_rng(3).normal(size=(2, 3, 20)).astype(np.float32)
    vectors = head.embed(features)
    assert vectors.shape == (2, 3, 4)
    assert np.allclose(np.linalg.norm(vectors, axis=-1), 1, atol=1e-5)
    names, classes = head.shares(features)
    assert np.allclose(names.sum(-1), 1, atol=1e-5)
    assert np.allclose(classes.sum(-1), 1, atol=1e-5)
    weights = np.concatenate([names, classes], axis=-1)
    expected = unit(weights @ head.names.weight.T + head.names.offset)
    assert np.allclose(vectors, expected, atol=1e-5)


def test_heads_survive_their_bytes(head: PictureHead, student: TextStudent) -> None:
    features = np.random.default_rng(4).normal(size=(30, 20)).astype(np.float32)
    again = PictureHead.from_arrays(head.arrays())
    assert (head.embed(features) * again.embed(features)).sum(axis=1).min() > 0.99
    texts = ["spur gear", "齒輪", "ring with a round diamond"]
    read = TextStudent.from_arrays(student.arrays())
    assert (student.embed(texts) * read.embed(texts)).sum(axis=1).min() > 0.99


def test_a_missing_layer_is_a_key_error(head: PictureHead) -> None:
    arrays = head.arrays()
    del arrays["names.scale"]
    with pytest.raises(KeyError):
        PictureHead.from_arrays(arrays)


def test_a_text_is_the_weighed_mean_of_its_pieces(student: TextStudent) -> None:
    from search.engine.text.grams import buckets

    rows = buckets("齒輪", count=1000)
    table = np.concatenate([student.books[m][student.codes[rows, m]] for m in range(2)], axis=1)
    weights = np.exp(student.importance[rows])
    mean = (weights @ table / weights.sum())[None]
    expected = unit(student.last(mean + student.outer(gelu(student.inner(mean)))))
    assert np.allclose(student.embed(["齒輪"]), expected, atol=1e-5)


def test_texts_do_not_depend_on_their_company(student: TextStudent) -> None:
    alone = student.embed(["bolt"])
    together = student.embed(["nut", "bolt", ""])
    assert np.allclose(alone[0], together[1], atol=1e-6)
    assert together.shape == (3, 4)
