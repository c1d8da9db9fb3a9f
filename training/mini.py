"""Makes the mini encoder's files from nothing, and judges what was kept out: every step in order.

Steps that keep their work (features, photographs, gallery, teacher, student) go on where they were.

    python -m training.mini
"""

from collections.abc import Callable, Sequence

from bench import quality_words
from training import (
    calibrate,
    export_lite0,
    features,
    gallery,
    learnt,
    mask_net,
    photo_features,
    photographs,
    projection,
    publish,
    quantise_lite0,
    words,
)
from training.places import judged_folder

Step = tuple[Callable[[Sequence[str]], None], Sequence[str]]

PICTURES: tuple[Step, ...] = (
    (export_lite0.main, ()),
    (quantise_lite0.main, ()),
    (features.main, ()),
    (photographs.main, ()),
    (mask_net.main, ()),
    (photo_features.main, ()),
    (projection.main, ()),
)
WORDS: tuple[Step, ...] = (
    (gallery.main, ()),
    (learnt.main, ()),
    (words.main, ("--fold", "everything")),
    (publish.main, ()),
)
JUDGED: tuple[Step, ...] = tuple(
    step
    for fold in ("validation", "test")
    for step in (
        (words.main, ("--fold", fold)),
        (publish.main, ("--fold", fold, "--models", str(judged_folder(fold)))),
        (quality_words.main, ("--split", fold, "--folder", str(judged_folder(fold)))),
    )
)


def main() -> None:
    for step, arguments in (*PICTURES, *WORDS, *JUDGED, (calibrate.main, ())):
        print("---", step.__module__, *arguments, flush=True)
        step(arguments)


if __name__ == "__main__":
    main()
