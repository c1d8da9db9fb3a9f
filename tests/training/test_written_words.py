"""The words written for training: whole, and without those that judge it."""

from catalog.families.registry import FAMILIES
from search.engine.text.fold import fold
from training.objects import things
from training.paraphrases import paraphrases, paraphrases_of


def test_every_family_has_paraphrases_in_both_languages() -> None:
    assert paraphrases().keys() == FAMILIES.keys()
    for key, phrases in paraphrases().items():
        assert len(phrases.en) >= 10, key
        assert len(phrases.zh_hant) >= 10, key
        assert phrases.zh_hans == tuple(map(fold, phrases.zh_hant))


def test_no_paraphrase_is_one_that_judges() -> None:
    judging = {fold(text) for of in FAMILIES.values() for script in of.held_out for text in script}
    told = {fold(text) for of in paraphrases().values() for script in of for text in script}
    assert not judging & told


def test_only_families_have_paraphrases() -> None:
    assert not any(paraphrases_of("furniture", "spur_gear"))
    assert paraphrases_of("families", "spur_gear") == paraphrases()["spur_gear"]


def test_things_are_named_in_both_languages_and_described() -> None:
    assert len(things()) > 2000
    for thing in things():
        assert thing.en
        assert thing.zh
        assert all(name == fold(name) for name in (*thing.en, *thing.zh))
        assert len(thing.looks.split()) >= 4, thing
