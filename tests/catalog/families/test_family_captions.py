"""What samples are called: parameters in words, the two splits, three scripts."""

import re

import numpy as np

from catalog.families.registry import FAMILIES
from catalog.families.types import Look, captions_of, family_make
from catalog.families.words import CATEGORIES


def test_a_bolt_is_called_by_its_size_in_three_scripts() -> None:
    family = FAMILIES["hex_bolt"]
    parameters = {"d": 8, "length": 5.0, "style": "plain", "plain": 0.0, "washer": False}
    train = captions_of(family, parameters).train
    assert train.en[0] == "hex bolt"
    assert "M8 x 40 hex bolt" in train.en
    assert "六角螺栓" in train.zh_hant
    assert "六角螺栓" in train.zh_hans


def test_a_gear_says_its_teeth_and_a_ring_its_stone() -> None:
    gear = captions_of(FAMILIES["worm_wheel"], _any("worm_wheel") | {"teeth": 24}).train
    assert "worm wheel with 24 teeth" in gear.en
    ring = captions_of(FAMILIES["solitaire_ring"], _any("solitaire_ring") | {"cut": "round"}).train
    assert "a ring with a round diamond" in ring.en
    assert "銀色戒指，有鑽石，圓形" in ring.zh_hant
    assert "银色戒指，有钻石，圆形" in ring.zh_hans


def test_the_bearing_has_its_trade_names() -> None:
    train = captions_of(FAMILIES["ball_bearing"], _any("ball_bearing")).train
    assert train.en[0] == "deep groove ball bearing"
    assert train.zh_hant[0] == "深溝滾珠軸承"
    assert train.zh_hans[0] == "深沟球轴承"


def test_values_at_the_ends_of_a_range_are_said() -> None:
    low = captions_of(FAMILIES["plain_band"], _any("plain_band") | {"width": 1.7}).train
    high = captions_of(FAMILIES["plain_band"], _any("plain_band") | {"width": 9.9}).train
    assert "narrow plain band ring" in low.en
    assert "wide plain band ring" in high.en
    assert "窄版素圈戒指" in low.zh_hant


def test_no_caption_is_in_both_splits_and_no_field_is_left_open() -> None:
    for family in FAMILIES.values():
        captions = captions_of(family, _any(family.key))
        for script in range(3):
            train, out = captions.train[script], captions.held_out[script]
            assert len(out) >= 2
            assert not set(train) & set(out)
            assert captions.broader[script]
            for text in (*train, *out):
                assert not re.search(r"[{}]|None|True|False", text), text


def test_a_part_can_be_made_of_exact_parameters() -> None:
    sample = family_make(FAMILIES["flat_washer"], Look(n=16), d=8, outer=2.0, thick=0.2)
    x, y, z = sample.triangles.reshape(-1, 3).max(0) - sample.triangles.reshape(-1, 3).min(0)
    assert (round(float(x), 2), round(float(z), 2)) == (16.0, 1.6)


def _any(key: str) -> dict[str, float | int | str | bool]:
    rng = np.random.default_rng(11)
    return {name: p.draw(rng, "all") for name, p in FAMILIES[key].parameters.items()}


def test_what_is_held_out_of_training_is_taught_by_no_other_family() -> None:
    for script in range(3):
        taught = {phrase for family in FAMILIES.values() for phrase in family.phrases[script]}
        for category in CATEGORIES.values():
            prompts = {p.lower().removeprefix("a ").removeprefix("an ") for p in category.prompts}
            taught |= prompts | {category.names[script]}
        for family in FAMILIES.values():
            assert not taught & set(family.held_out[script])
