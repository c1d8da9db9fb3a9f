"""What WordNet says things look like, for the teacher: a word with its description.

A word's embedding knows which words stand beside it ("stool", "bar", "pub"); a description of a
thing is mostly of its shape and use ("a simple seat without a back or arms"), which is what a part
shows. So a word's vector is mixed with that of its gloss, and a Chinese word's with that of its
English translation.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from search.engine.text.fold import fold
from training.objects import things
from training.teacher import D, TeacherTexts
from training.vocabulary import WORDNET, cedict_pairs

# Lexicographer files of things rather than qualities, whose glosses say what can be seen.
THINGS = ("06", "25", "17", "13", "05", "20", "08", "27")
GLOSS_LETTERS = 120  # of a gloss that is read; what follows is seldom about looks


class Sense(NamedTuple):
    file: str
    gloss: str


@cache
def _senses() -> dict[str, Sense]:
    """Offset -> where the sense belongs, and its definition without examples."""
    found = {}
    with (WORDNET / "data.noun").open(encoding="ascii") as file:
        for line in file:
            if line[0].isdigit():
                facts, gloss = line.split(" | ", 1)
                offset, lexicographer = facts.split(" ")[:2]
                definition = re.split(r'; ?"', gloss.strip())[0]
                found[offset] = Sense(lexicographer, definition[:GLOSS_LETTERS])
    return found


@cache
def glosses() -> dict[str, str]:
    """Lemma -> the gloss of its commonest sense that is an artifact, or else any visible thing."""
    senses = _senses()
    found = {}
    with (WORDNET / "index.noun").open(encoding="ascii") as file:
        for line in file:
            if line.startswith(" "):
                continue
            fields = line.split()
            offsets = fields[-int(fields[2]) :]
            made = [senses[offset] for offset in offsets if senses[offset].file == "06"]
            seen = [senses[offset] for offset in offsets if senses[offset].file in THINGS]
            if best := made or seen:
                found[fields[0].replace("_", " ")] = best[0].gloss
    return found


@cache
def gloss_of(name: str) -> str:
    """How an English name looks, or its gloss; failing both, that of the longest end of it that has
    one ("bar stool" is a stool), or ""."""
    words = name.lower().split(",")[0].split()
    for start in range(len(words)):
        end = " ".join(words[start:])
        if found := _looks().get(end) or glosses().get(end):
            return found
    return ""


@cache
def _looks() -> dict[str, str]:
    return {name: thing.looks for thing in things() for name in thing.en}


@cache
def translations() -> dict[str, str]:
    """Chinese word, folded -> its English name, or the first meaning that a dictionary gives."""
    found = {name: thing.en[0] for thing in things() for name in thing.zh}
    for pair in cedict_pairs():
        found.setdefault(pair.zh, pair.en)
    return found


def described(texts: Sequence[str], *, gloss: float, english: float) -> NDArray[np.float32]:
    """(t, 384) the teacher's vectors, each with a share of what describes it, L2-normalised; zero
    for a text that the teacher was not asked for.

    `gloss` weighs an English name's description; `english` a Chinese word's translation, which
    brings its description along.
    """
    teacher = TeacherTexts()
    meant = [text if text.isascii() else translations().get(fold(text), "") for text in texts]
    described_as = [gloss_of(text) if text else "" for text in meant]

    def rows(of: Sequence[str]) -> NDArray[np.float32]:
        found = np.zeros((len(of), D), np.float32)
        places = [place for place, text in enumerate(of) if text in teacher]
        found[places] = teacher.vectors([of[place] for place in places])
        return found

    own = rows(texts)
    other = [text if text != mine else "" for text, mine in zip(meant, texts, strict=True)]
    mixed = own + english * rows(other) + gloss * rows(described_as)
    mixed *= own.any(axis=1, keepdims=True)
    return mixed / np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-12)


def description_texts(names: Iterable[str]) -> list[str]:
    """The glosses that `described` will look for."""
    meant = (name if name.isascii() else translations().get(fold(name), "") for name in names)
    return [text for name in dict.fromkeys(meant) if name and (text := gloss_of(name))]
