"""What travels to a worker and back arrives as it was; anything else is refused, never run."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from search.remote import wire

SHAPES = array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=6)
ARRAYS = st.one_of(
    arrays(np.uint8, SHAPES), arrays(np.float32, SHAPES), arrays(np.dtype(">f4"), SHAPES)
)
SAID = st.dictionaries(st.text(max_size=8), st.one_of(st.integers(), st.text(max_size=20)))


@given(SAID, st.lists(ARRAYS, max_size=3))
def test_round_trip(said, sent) -> None:
    heard, found = wire.unpack(wire.pack(said, sent))
    assert heard == said
    assert len(found) == len(sent)
    for before, after in zip(sent, found, strict=True):
        assert after.dtype == before.dtype.newbyteorder("=")
        assert after.shape == before.shape
        assert np.array_equal(after, before, equal_nan=before.dtype.kind == "f")


@given(st.binary(max_size=200))
def test_noise_is_refused(data) -> None:
    with pytest.raises(ValueError):
        wire.unpack(data)


@given(st.integers(0, 400))
def test_what_is_cut_short_is_refused(length) -> None:
    whole = wire.pack({"a": 1}, [np.arange(90, dtype=np.float32), np.zeros((4, 4), np.uint8)])
    with pytest.raises(ValueError):
        wire.unpack(whole[: min(length, len(whole) - 1)])


def test_a_picture_on_white_is_small() -> None:
    picture = np.full((4, 224, 224, 3), 255, np.uint8)
    picture[:, 60:160, 60:160] = 90
    assert len(wire.pack({}, [picture])) < picture.nbytes / 50


@pytest.mark.parametrize(
    ("kind", "shape"),
    [("object", [1]), ("uint8", [10**6, 10**6]), ("uint8", [-1, -5]), ("float32", [2.5])],
)
def test_what_does_not_travel(kind, shape) -> None:
    head = json.dumps({"said": {}, "arrays": [{"type": kind, "shape": shape, "bytes": 0}]}).encode()
    with pytest.raises(ValueError):
        wire.unpack(wire.LENGTH.pack(len(head)) + head)


def test_types_that_would_lose_something_are_not_sent() -> None:
    with pytest.raises(TypeError):
        wire.pack({}, [np.zeros(3)])
