"""The development furniture as parts with words: names, categories and tags as the files give them.

Models and ids are read by bench.furniture, the list's only home; the reserved models are not read.
"""

import re
from functools import partial

from bench.furniture import FurnitureModel, furniture_dev
from bench.quality_icons import part_triangles
from catalog.families.types import Phrases
from training.collections.types import CollectionPart, Words

HAN = re.compile(r"[\u3400-\u9fff]")
# Tags that say who made a model or where it came from, not what it is.
NO_TAGS = frozenset({"blend swap", "scpts"})


def parts() -> list[CollectionPart]:
    """Every development model, in the list's order."""
    return [_part(model) for model in furniture_dev()]


def _part(model: FurnitureModel) -> CollectionPart:
    tags = tuple(tag for tag in map(str.lower, model.tags) if tag not in NO_TAGS)
    others = {
        language: name
        for language, name in model.names.items()
        # A name that was never translated stands in English.
        if language not in {"en", "zh_TW", "zh_CN"} and name != model.name
    }
    name = model.name.strip().lower()
    english = (name, *(f"{name}, {tag}" for tag in tags if tag not in name))
    return CollectionPart(
        key=model.id,
        name=name,
        words=Words(
            Phrases(
                english, _chinese(model.names.get("zh_TW")), _chinese(model.names.get("zh_CN"))
            ),
            Phrases(
                (model.category.lower(),),
                _chinese(model.categories.get("zh_TW")),
                _chinese(model.categories.get("zh_CN")),
            ),
            tags,
        ),
        read=partial(part_triangles, model),
        others=others,
    )


def _chinese(text: str | None) -> tuple[str, ...]:
    """The text when it was translated at all."""
    return (text.strip(),) if text and HAN.search(text) else ()
