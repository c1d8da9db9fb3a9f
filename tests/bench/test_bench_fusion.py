"""The fusion bench: which parts a question means, three catalogues of the same parts, settings."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as product

from bench import quality_fusion as bench
from bench.quality_fusion import Item, Question, Setting
from catalog.families.types import Phrases
from search import encoders
from tests.factories.encoders import words_checkpoint

NAMES = ("tall vase", "hex bolt", "oak chair", "spur gear")


def item(name: str) -> Item:
    return bench.item_make(Phrases((name,), (), ()), Phrases((), (), ()))


def test_right_is_every_part_that_is_called_so() -> None:
    ring = bench.item_make(
        Phrases(("Ring", "band"), ("戒指",), ("戒指",)), Phrases(("hoop",), ("指環",), ())
    )
    assert (ring.name, ring.name_zh) == ("Ring", "戒指")
    asked = {"en": ["hoop", "BAND", "nothing"], "zh_hant": ["指環", "花瓶"]}
    made = bench.questions_make(asked, [ring, item("band"), item("vase")], most=None)
    found = {(question.group, question.text): question.relevant for question in made}
    assert found == {
        ("en", "hoop"): {0},
        ("en", "BAND"): {0, 1},
        ("zh_hant", "指環"): {0},
    }


def test_of_a_large_group_the_same_few_are_asked() -> None:
    items = [item(f"thing {n}") for n in range(50)]
    asked = {"en": [item.name for item in items]}
    made = bench.questions_make(asked, items, most=5)
    assert len({question.text for question in made}) == 5
    assert made == bench.questions_make(asked, items, most=5)


def test_every_second_part_has_a_name() -> None:
    named = dict(bench.catalogues(10))
    assert [int(which.sum()) for which in named.values()] == [0, 5, 10]


def test_measures_of_hits() -> None:
    questions = [Question("en", "a", frozenset({0, 1})), Question("en", "b", frozenset({2}))]
    values = bench.measures(questions, [np.array([0.0, 1.0]), np.array([])])
    assert values["S@10"].tolist() == [1, 0]
    assert values["S@1"].tolist() == [0, 0]
    second = 1 / np.log2(3)
    assert values["nDCG@10"].tolist() == pytest.approx([second / (1 + second), 0])


def test_a_row_has_the_groups_means_and_numbers_apart() -> None:
    questions = [
        Question("en", "a", frozenset({0})),
        Question("zh", "b", frozenset({0})),
        Question("number", "R1", frozenset({0})),
    ]
    row = bench.row_make(
        Setting("", 0.6, 0.5), questions, [np.array([1.0]), np.array([0.0]), np.array([1.0])]
    )
    assert row[:3] == ["together, mini 0.6", 0.5, "0.500"]
    assert row[-1] == "1.00"
    assert len(row) == len(bench.headers_make(questions))


def test_the_calibration_of_other_weights_is_lent(tmp_path: Path) -> None:
    calibration = {"text": {"slope": 6.0, "offset": -3.0}}
    models = words_checkpoint(tmp_path / "models")
    lender = words_checkpoint(tmp_path / "lender", calibration=calibration)
    assert bench.encoder_copy(models, lender, tmp_path / "both")
    held = json.loads((tmp_path / "both" / "manifest.json").read_text(encoding="utf-8"))
    assert held["mini"]["calibration"] == calibration
    assert not bench.encoder_copy(lender, models, tmp_path / "none")


@pytest.fixture
def engine(tmp_path: Path, settings: Any) -> Iterator[None]:
    """The mini engine with a text side that was taught nothing; a shelf's parts stand at NAMES."""
    calibration = {"text": {"slope": 6.0, "offset": -3.0}}
    folder = words_checkpoint(tmp_path / "weights", calibration=calibration)
    mini = settings.SEARCH.engines["mini"].model_copy(update={"weights": str(folder)})
    settings.SEARCH = settings.SEARCH.model_copy(update={"engines": {"mini": mini}})
    encoders.encoders_forget()
    yield
    encoders.encoders_forget()


@pytest.mark.django_db
def test_the_product_is_asked_of_each_catalogue(engine: None) -> None:
    items = [item(name) for name in NAMES]
    ids = bench.catalogue_fill(items, encoders.word_encoder("mini").texts_embed(NAMES))
    questions = [Question("en", name, frozenset([n])) for n, name in enumerate(NAMES)]
    questions.append(Question("number", items[2].number(2), frozenset([2])))

    def firsts(setting: Setting) -> list[bool]:
        right = bench.questions_ask(questions, ids, setting)
        return [bool(row[:1].any()) for row in right]

    none, second = np.zeros(4, bool), np.array([True, False, True, False])
    bench.catalogue_name(items, ids, none)
    assert firsts(Setting("words", None, 0.5)) == [False, False, False, False, True]
    assert firsts(Setting("mini", None, 0.5))[:4] == [True] * 4
    assert firsts(Setting("", 0.6, None)) == [True] * 5
    bench.catalogue_name(items, ids, second)
    assert firsts(Setting("words", None, 0.5)) == [True, False, True, False, True]
    bench.catalogue_name(items, ids, none)
    assert firsts(Setting("words", None, 0.5)) == [False, False, False, False, True]


def test_a_configuration_is_changed_only_for_a_while() -> None:
    before = product.SEARCH
    with bench.configured(search={"text_weights": {"mini": 9.0}}, expansion={"enabled": False}):
        assert product.SEARCH.search.text_weights == {"mini": 9.0}
        assert not product.SEARCH.expansion.enabled
    assert product.SEARCH is before


def test_every_weight_and_every_share_is_tried_once() -> None:
    swept = bench.settings_swept()
    assert len(set(swept)) == len(swept)
    assert {one.weight for one in swept if not one.engine} >= set(bench.WEIGHTS)
    assert {one.share for one in swept if not one.engine} >= set(bench.SHARES)
