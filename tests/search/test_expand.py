"""A query is said in other words: whole terms, the longest first, and never without end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.expand import (
    glossary_make,
    prompts,
    terms_match,
    terms_split,
    text_expand,
)

GLOSSARY = glossary_make(
    [
        ["ring", "finger ring", "戒指", "指環"],
        ["snap ring", "circlip", "扣環"],
        ["diamond", "鑽石"],
        ["bolt", "螺栓"],
        ["hex bolt", "hexagon bolt", "六角螺栓"],
        ["gear", "齒輪"],
        ["gearbox", "齒輪箱"],
        ["shaft", "軸"],
        ["o-ring", "O型環"],
        ["pavé", "密釘鑲"],
    ]
)


def expand(text: str, most: int = 9) -> list[str]:
    return text_expand(text, GLOSSARY, most=most)


def matched(text: str) -> list[str]:
    return [text[match.start : match.end] for match in terms_match(text, GLOSSARY)]


class TestMatching:
    @pytest.mark.parametrize(
        ("text", "terms"),
        [
            ("a ring", ["ring"]),
            ("earring", []),  # whole words only
            ("RINGS", ["RINGS"]),  # case and plural do not matter
            ("ｒｉｎｇ", ["ｒｉｎｇ"]),
            ("M8 hex-bolts, steel", ["hex-bolts"]),
            ("hex, bolt", ["bolt"]),  # a comma parts two terms
            ("銀戒指有鑽石", ["戒指", "鑽石"]),
            ("钻石", ["钻石"]),  # simplified finds traditional
            ("齒輪箱", ["齒輪箱"]),
            ("snap ring and ring", ["snap ring", "ring"]),
            ("軸", ["軸"]),
            ("M8 軸 長", ["軸"]),
            ("軸承", []),  # one character within a word is another word
            ("戒 指", []),
            ("o ring", ["o ring"]),
            ("O型環50", ["O型環"]),
            ("pave", ["pave"]),
            ("", []),
            ("R8107490", []),
        ],
    )
    def test_whole_terms_and_the_longest(self, text: str, terms: list[str]) -> None:
        assert matched(text) == terms

    @given(st.text(alphabet="ring戒指軸o-型環 snap,鑽石", max_size=40))
    def test_matches_lie_in_the_text_without_overlap(self, text: str) -> None:
        ends = [0]
        for match in terms_match(text, GLOSSARY):
            assert ends[-1] <= match.start < match.end <= len(text)
            ends.append(match.end)


class TestExpanding:
    def test_the_other_script_comes_first(self) -> None:
        assert expand("diamond ring")[0] == "鑽石戒指"
        assert expand("鑽石戒指")[0] == "diamond ring"

    def test_each_word_is_said_otherwise(self) -> None:
        assert "diamond finger ring" in expand("diamond ring")
        assert "銀指環" in expand("銀戒指")

    def test_words_that_would_run_together_get_a_space(self) -> None:
        assert "銀 ring" in expand("銀戒指")

    def test_a_long_term_is_not_said_by_its_parts(self) -> None:
        assert expand("hex bolt") == ["六角螺栓", "hexagon bolt"]
        assert expand("snap rings")[0] == "扣環"

    def test_what_is_not_in_the_glossary_stays_alone(self) -> None:
        assert expand("R8107490") == []
        assert expand("") == []

    def test_no_more_than_asked(self) -> None:
        assert len(expand("diamond ring bolt gear", most=3)) == 3
        assert expand("ring", most=0) == []

    def test_a_circle_ends(self) -> None:
        circle = glossary_make([["a", "b"], ["b", "c"], ["c", "a"]])
        assert sorted(text_expand("b", circle, most=20)) == ["a", "c"]

    def test_a_group_that_repeats_the_query_adds_nothing(self) -> None:
        same = glossary_make([["Ring", "rings"]])
        assert text_expand("ring", same, most=5) == []

    @given(st.text(alphabet="ring戒指軸o-型環 snap,鑽bolt六角螺栓", max_size=60), st.integers(0, 5))
    def test_any_text_is_expanded_within_bounds(self, text: str, most: int) -> None:
        wordings = text_expand(text, GLOSSARY, most=most)
        assert len(wordings) <= most
        assert len(set(wordings)) == len(wordings)
        assert text not in wordings
        assert all(wording.strip() for wording in wordings)


def test_terms_are_split_at_commas_of_both_scripts() -> None:
    assert terms_split(" 螺栓，螺絲、bolt ; Bolts,, screw\nnut") == [
        "螺栓", "螺絲", "bolt", "screw", "nut",
    ]  # fmt: skip


def test_templates_follow_the_script() -> None:
    templates = {"en": ["{}", "a 3D model of a {}"], "zh": ["{}的3D模型"]}
    assert prompts("ring", templates) == ["ring", "a 3D model of a ring"]
    assert prompts("銀 ring", templates) == ["銀 ring的3D模型"]
    assert prompts("ring", {"en": [], "zh": []}) == ["ring"]
