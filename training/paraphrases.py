"""More ways to ask for each family than its captions give, written for training.

`data/paraphrases.tsv` holds a family a line: key, English, traditional Chinese. The paraphrases
that the families keep for judging are never among what this hands out.
"""

from functools import cache

from catalog.families.registry import FAMILIES
from catalog.families.types import Phrases
from search.engine.text.fold import fold
from training.places import DATA

NONE = Phrases((), (), ())


@cache
def paraphrases() -> dict[str, Phrases]:
    """Family key -> phrases; simplified Chinese follows from traditional."""
    kept_out = {fold(text) for of in FAMILIES.values() for script in of.held_out for text in script}
    found = {}
    for line in (DATA / "paraphrases.tsv").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        key, *cells = line.split("\t")
        english, chinese = (
            tuple(text for cell in of.split(";") if fold(text := cell.strip()) not in kept_out)
            for of in cells
        )
        found[key] = Phrases(english, chinese, tuple(map(fold, chinese)))
    return found


def paraphrases_of(collection: str, key: str) -> Phrases:
    return paraphrases().get(key, NONE) if collection == "families" else NONE
