"""Space keys: short, stable, and different whenever anything that shapes a vector differs."""

import re
from dataclasses import replace

import pytest

from search.engine.encoders.space import Space, weights_sha

SPACE = Space(encoder="mini", weights_sha="ab" * 32, preprocessing="uint8 RGB", d=384)


def test_the_key_is_short_readable_and_the_same_every_time() -> None:
    assert re.fullmatch(r"mini-[0-9a-f]{8}-384", SPACE.key)
    assert replace(SPACE).key == SPACE.key


@pytest.mark.parametrize(
    "change",
    [{"encoder": "maxi"}, {"weights_sha": "cd" * 32}, {"preprocessing": "BGR"}, {"d": 256}],
    ids=lambda change: next(iter(change)),
)
def test_the_key_changes_with_every_field(change: dict[str, str | int]) -> None:
    assert replace(SPACE, **change).key != SPACE.key  # type: ignore[arg-type]


def test_weights_sha_depends_on_names_and_contents_and_not_on_order() -> None:
    both = weights_sha({"a": "11", "b": "22"})
    assert weights_sha({"b": "22", "a": "11"}) == both
    assert len({both, weights_sha({"a": "22", "b": "11"}), weights_sha({"a": "11"})}) == 3
