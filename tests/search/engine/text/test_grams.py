"""How a text is cut into the pieces that a text encoder knows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.engine.text.grams import buckets, grams


def test_a_word_gives_itself_its_pairs_and_its_letters() -> None:
    pieces = list(grams("Ball bearing"))
    assert {"=ball", "=bearing", "ball bearing", "<ba", "ing>"} <= set(pieces)


def test_chinese_gives_its_characters_and_their_runs() -> None:
    assert list(grams("六角螺栓"))[:4] == ["六", "角", "螺", "栓"]
    assert {"螺栓", "六角螺栓"} <= set(grams("六角螺栓"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("銀色戒指，有鑽石", "银色戒指，有钻石"),
        ("HEX BOLT", "hex bolt"),
        ("ｈｅｘ　ｂｏｌｔ", "hex bolt"),
        ("café", "cafe"),
        ("a ring of the stone", "ring stone"),
    ],
)
def test_spellings_of_one_thing_give_the_same(one: str, other: str) -> None:
    assert list(grams(one)) == list(grams(other))


def test_two_words_are_not_one() -> None:
    assert set(grams("wing nut")) != set(grams("nut wing"))


@given(st.text(max_size=60), st.integers(1, 5000))
def test_any_text_names_rows_of_the_table(text: str, count: int) -> None:
    rows = buckets(text, count=count)
    assert rows
    assert all(0 <= row < count for row in rows)
