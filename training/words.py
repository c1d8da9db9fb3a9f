"""Makes the words' side: heads and student from the kept features and texts, as the product reads.

    python -m training.words --fold validation     # writes training/work/words-validation/
    python -m training.words --fold everything     # what is shipped: training/work/words/

A fold keeps out what its figures are told of: "validation" the furniture names of two splits and
some whole families, "test" only the names of the test split and those families.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import nn

from search.engine.encoders.layers import Linear
from search.engine.encoders.mini import PICTURE_HEAD, TEXT_STUDENT
from search.engine.encoders.picture_head import PictureHead as ShippedHead
from training.gallery import Gallery
from training.joint import PictureHead, Recipe, heads_fit, parts_embed, recipe_with
from training.learnt import EVERYTHING, Fold, learnt_make
from training.places import WORK
from training.student import StudentRecipe, student_export, student_fit
from training.vocabulary import general_texts

FOLDS = {
    "validation": Fold(),
    "test": Fold(splits_out=("test",)),
    "everything": EVERYTHING,
}


def folder_of(fold: str) -> Path:
    return WORK / ("words" if fold == "everything" else f"words-{fold}")


def head_export(head: PictureHead) -> ShippedHead:
    """The head as the product reads it: standardisation folded into the layers that use it."""
    mean, deviation = (getattr(head, name).numpy() for name in ("mean", "deviation"))

    def standardised(layer: nn.Linear) -> Linear:
        weight = layer.weight.detach().numpy() / deviation
        return Linear(weight, layer.bias.detach().numpy() - weight @ mean)

    def plain(layer: nn.Linear) -> Linear:
        weight = layer.weight.detach().numpy()
        return Linear(weight, np.zeros(len(weight), np.float32))

    return ShippedHead(
        linear=standardised(head.linear),
        inner=standardised(head.inner),
        outer=Linear(head.outer.weight.detach().numpy(), head.outer.bias.detach().numpy()),
        classes=Linear(head.rows.numpy(), head.offsets.numpy()),
        seen=plain(head.seen),
    )


def words_make(fold: str, recipe: Recipe, student_recipe: StudentRecipe) -> None:
    folder = folder_of(fold)
    folder.mkdir(parents=True, exist_ok=True)
    learnt = learnt_make(Gallery.load(), FOLDS[fold], extra=general_texts())
    start = time.monotonic()
    pictures, texts = heads_fit(learnt, recipe)
    print(f"heads: {len(learnt.views)} parts, {time.monotonic() - start:.0f} s", flush=True)
    shipped = head_export(pictures)
    np.savez(folder / PICTURE_HEAD, **shipped.arrays())
    start = time.monotonic()
    parts = parts_embed(pictures, learnt.views)
    student = student_fit(head=texts, learnt=learnt, parts=parts, recipe=student_recipe)
    np.savez(folder / TEXT_STUDENT, **student_export(student).arrays())
    print(f"student: {len(learnt.names)} texts, {time.monotonic() - start:.0f} s", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fold", choices=FOLDS, default="everything")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="of the heads")
    chosen = parser.parse_args(arguments)
    changes = dict(pair.split("=") for pair in chosen.set)
    words_make(chosen.fold, recipe_with(Recipe(), changes), StudentRecipe())


if __name__ == "__main__":
    main()
