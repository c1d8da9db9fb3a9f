"""What similarities are worth: fitted on what was chosen with, kept in the manifest.

Every query is asked twice, of a catalogue that holds what it asks for and of one from which that
was taken away, so a strength is the share of first hits this similar that are right when half of
what people look for is there. Words are calibrated with weights that never learnt the names asked.

    python -m training.calibrate
"""

import argparse
import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench import quality_classify, quality_photos, quality_words
from bench.words_galleries import families_gallery
from catalog.families.registry import FAMILIES
from search.engine.calibration import Logistic, calibration_error, logistic_fit
from search.engine.classify import Tuning
from search.engine.encoders.mini import MANIFEST, MiniEncoder
from search.engine.photo.prepare import photo_prepare
from training.places import MODELS, judged_folder

JUDGED = judged_folder("validation")
TEXT_TASKS = ("furniture, all parts", "families, paraphrases, upright")

Firsts = tuple[list[float], list[bool]]


def first_hits(
    similarities: NDArray[np.float32], relevant: NDArray[np.bool_], found: Firsts
) -> None:
    """Adds the first hit among all parts, and that among those which are not asked for."""
    first = int(similarities.argmax())
    found[0].append(float(similarities[first]))
    found[1].append(bool(relevant[first]))
    found[0].append(float(similarities[~relevant].max()))
    found[1].append(False)


def text_firsts() -> Firsts:
    """Names never learnt, paraphrases never learnt, and the plain names of families."""
    encoder = MiniEncoder(JUDGED)
    tasks = list(quality_words.tasks_all(encoder, JUDGED, split="validation"))
    found: Firsts = ([], [])
    for task in [task for task in tasks if task.name in TEXT_TASKS] + plain_names(encoder):
        similar = encoder.texts_embed(task.queries) @ task.gallery.T
        for row, relevant in zip(similar, task.relevant, strict=True):
            first_hits(row, relevant, found)
    return found


def plain_names(encoder: MiniEncoder) -> list[quality_words.Task]:
    """What people ask most: families by their first names, of parts from ranges never learnt."""
    gallery = families_gallery(encoder, JUDGED, split="validation", turned="upright")
    vectors = quality_words.parts_embed(encoder, gallery)
    made = [
        quality_words.task_make(
            "families, plain names",
            script,
            {getattr(family.phrases, script)[0]: {key} for key, family in FAMILIES.items()},
            gallery.kinds,
            vectors,
        )
        for script in ("en", "zh_hant")
    ]
    return [task for task in made if task is not None]


def image_firsts() -> Firsts:
    encoder = MiniEncoder(MODELS)
    parts = quality_photos.gallery_parts()
    views = quality_photos.gallery_embed(parts, encoder)
    same = quality_photos.same_shape(parts)
    found: Firsts = ([], [])
    for shot in quality_photos.shots_take(parts, "choose"):
        similar = quality_photos.similarities(encoder, photo_prepare(shot.jpeg), views)
        relevant = same[shot.part] | (np.arange(len(parts)) == shot.part)
        first_hits(similar, relevant, found)
    return found


def calibration_fit(kind: str, found: Firsts) -> Logistic:
    similarities, right = np.array(found[0]), np.array(found[1])
    fitted = logistic_fit(similarities, right)
    error = calibration_error(fitted.strength(similarities), right)
    print(f"{kind}: {len(right)} first hits, {right.mean():.2f} right, {fitted}, ECE {error:.3f}")
    return fitted


def classifier_fit() -> Tuning:
    encoder = MiniEncoder(JUDGED)
    parts = quality_classify.parts_load(encoder, JUDGED, quality_classify.CHOOSING)
    return quality_classify.fit(parts, quality_classify.prompts_of(encoder), Tuning())


def main(arguments: Sequence[str] | None = None) -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args(arguments)
    manifest = json.loads((MODELS / MANIFEST).read_text(encoding="utf-8"))
    entry = manifest["mini"]
    firsts = {"text": text_firsts, "image": image_firsts}
    entry["calibration"] = {
        kind: calibration_fit(kind, of()).to_json() for kind, of in firsts.items()
    }
    entry["classify"] = classifier_fit().to_json()
    text = json.dumps(manifest, indent=2, sort_keys=True) + "\n"
    (MODELS / MANIFEST).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
