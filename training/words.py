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
from numpy.typing import NDArray

from search.engine.encoders.mini import PICTURE_HEAD, TEXT_STUDENT
from search.engine.encoders.picture_head import PictureHead
from training.gallery import Gallery
from training.glosses import described, gloss_of
from training.joint import Recipe, TextSpace, head_fit, parts_embed, recipe_with
from training.learnt import ENGLISH, EVERYTHING, GLOSS, Fold, learnt_make
from training.places import WORK
from training.student import (
    Lessons,
    Student,
    StudentRecipe,
    student_export,
    student_load,
    student_save,
    student_teach,
    student_tune,
)
from training.vocabulary import general_texts

TAUGHT = WORK / "student.pt"
FOLDS = {
    "validation": Fold(splits_out=("validation",)),
    "test": Fold(splits_out=("test",)),
    "everything": EVERYTHING,
}


def folder_of(fold: str) -> Path:
    return WORK / ("words" if fold == "everything" else f"words-{fold}")


def words_make(
    fold: str, recipe: Recipe, student_recipe: StudentRecipe, *, keep_head: bool = False
) -> None:
    folder = folder_of(fold)
    folder.mkdir(parents=True, exist_ok=True)
    general = general_texts()
    space = TextSpace.fit(general, _described(general), recipe.d)
    learnt = learnt_make(Gallery.load(), FOLDS[fold], extra=general)
    if not keep_head:
        start = time.monotonic()
        np.savez(folder / PICTURE_HEAD, **head_fit(learnt, space, recipe).arrays())
        print(f"head: {len(learnt.views)} parts, {time.monotonic() - start:.0f} s", flush=True)
    start = time.monotonic()
    student = student_taught(space, general, student_recipe)
    print(f"student: {len(general)} texts, {time.monotonic() - start:.0f} s", flush=True)
    start = time.monotonic()
    with np.load(folder / PICTURE_HEAD, allow_pickle=False) as arrays:
        parts = parts_embed(PictureHead.from_arrays(arrays), learnt.views)
    lessons = _lessons(space, learnt.names, student_recipe)
    student = student_tune(student, lessons, learnt, parts, student_recipe)
    np.savez(folder / TEXT_STUDENT, **student_export(student).arrays())
    print(f"tuned: {len(learnt.names)} texts, {time.monotonic() - start:.0f} s", flush=True)


def student_taught(space: TextSpace, general: list[str], recipe: StudentRecipe) -> Student:
    """The student of the dictionaries, which no fold changes; taught once and kept."""
    if not TAUGHT.exists():
        student_save(student_teach(_lessons(space, general, recipe), recipe), TAUGHT)
    return student_load(TAUGHT, len(space.axes), recipe)


def _lessons(space: TextSpace, texts: list[str], recipe: StudentRecipe) -> Lessons:
    things = np.array([text.isascii() and bool(gloss_of(text)) for text in texts])
    return Lessons.make(texts, space.embed(texts, _described(texts)), things, recipe)


def _described(texts: list[str]) -> NDArray[np.float32]:
    return described(texts, gloss=GLOSS, english=ENGLISH)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fold", choices=FOLDS, default="everything")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="of the heads")
    parser.add_argument("--keep-head", action="store_true", help="tune the student alone")
    chosen = parser.parse_args(arguments)
    changes = dict(pair.split("=") for pair in chosen.set)
    words_make(
        chosen.fold, recipe_with(Recipe(), changes), StudentRecipe(), keep_head=chosen.keep_head
    )


if __name__ == "__main__":
    main()
