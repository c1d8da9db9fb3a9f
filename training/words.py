"""Makes the words' side: heads and student from the kept features and texts, as the product reads.

    python -m training.words --fold validation     # writes training/work/words-validation/
    python -m training.words --fold everything     # what is shipped: training/work/words/

A fold keeps out what its figures are told of: the furniture names of its split and some whole
families. What is chosen is chosen on "validation"; "test" is looked at once, at the end.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from search.engine.encoders.mini import PICTURE_HEAD, TEXT_STUDENT
from search.engine.encoders.picture_head import PictureHead
from training.gallery import Gallery
from training.joint import Recipe, TextSpace, head_fit, parts_embed, recipe_with
from training.learnt import EVERYTHING, Fold, learnt_make
from training.places import WORK
from training.student import StudentRecipe, student_export, student_fit
from training.vocabulary import general_texts

FOLDS = {
    "validation": Fold(splits_out=("validation",)),
    "test": Fold(splits_out=("test",)),
    "everything": EVERYTHING,
}


def folder_of(fold: str) -> Path:
    return WORK / ("words" if fold == "everything" else f"words-{fold}")


def words_make(fold: str, recipe: Recipe, student_recipe: StudentRecipe) -> None:
    folder = folder_of(fold)
    folder.mkdir(parents=True, exist_ok=True)
    learnt = learnt_make(Gallery.load(), FOLDS[fold], extra=general_texts())
    space = TextSpace.fit(learnt.names, learnt.texts, recipe.d)
    start = time.monotonic()
    head = head_fit(learnt, space, recipe)
    arrays = head.arrays()
    np.savez(folder / PICTURE_HEAD, **arrays)
    print(f"head: {len(learnt.views)} parts, {time.monotonic() - start:.0f} s", flush=True)
    start = time.monotonic()
    student = student_fit(
        targets=space.embed(learnt.names, learnt.texts),
        learnt=learnt,
        parts=parts_embed(PictureHead.from_arrays(arrays), learnt.views),
        recipe=student_recipe,
    )
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
