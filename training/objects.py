"""Things that can be seen, with how they are called in both languages and how they look.

`data/objects.tsv`, written for training, holds a thing a line: English names, Chinese names, and
one description of its looks, which stands in for a dictionary's gloss.
"""

from functools import cache
from typing import NamedTuple

from search.engine.text.fold import fold
from training.places import DATA


class Thing(NamedTuple):
    """`zh` is folded; both begin with the commonest name."""

    en: tuple[str, ...]
    zh: tuple[str, ...]
    looks: str


@cache
def things() -> tuple[Thing, ...]:
    found = []
    for line in (DATA / "objects.tsv").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            english, chinese, looks = line.split("\t")
            names = (
                tuple(fold(name.strip()) for name in of.split(";")) for of in (english, chinese)
            )
            found.append(Thing(*names, looks.strip()))
    return tuple(found)


def _names(cell: str) -> tuple[str, ...]:
    return tuple(fold(name.strip()) for name in cell.split(";") if name.strip())
