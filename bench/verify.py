"""How much a photo search gains when its first candidates' shapes are fitted to the photo.

Gallery, photos and encoder are those of `bench.quality_photos`; the weight of the fit is to be
chosen on its choosing half.

    python -m bench.verify                     # the figures to report
    python -m bench.verify --choose            # R@1 by weight, on the half to choose by
    python -m bench.verify --photos 100        # only so many
"""

import argparse
import time

import numpy as np

from bench.quality_photos import (
    MODELS,
    gallery_embed,
    gallery_parts,
    same_shape,
    shots_take,
    similarities,
)
from bench.running import table
from search.engine.encoders.choose import encoder_make
from search.engine.photo.prepare import photo_prepare
from search.engine.qc.part import PreparedPart, part_prepare
from search.engine.qc.verify import Verified, candidates_verify

CANDIDATES = 25
WEIGHTS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--choose", action="store_true")
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--candidates", type=int, default=CANDIDATES)
    parser.add_argument("--seconds", type=float, default=1.0)
    given = parser.parse_args()
    parts = gallery_parts()
    encoder = encoder_make("mini", folder=MODELS)
    views, same = gallery_embed(parts, encoder), same_shape(parts)
    shots = shots_take(parts, "choose" if given.choose else "report", count=given.photos)
    prepared: dict[int, PreparedPart] = {}
    before, after, reach, spent = [], [], [], []
    by_weight: dict[float, list[bool]] = {weight: [] for weight in WEIGHTS}
    for shot in shots:
        photo = photo_prepare(shot.jpeg)
        scores = similarities(encoder, photo, views)
        relevant = same[shot.part] | (np.arange(len(parts)) == shot.part)
        order = np.argsort(-scores, kind="stable")[: given.candidates]
        for index in order.tolist():
            if index not in prepared:
                prepared[index] = part_prepare(parts[index].triangles)
        candidates = {str(i): (prepared[i], float(scores[i])) for i in order.tolist()}
        started = time.thread_time()
        found = candidates_verify(photo.original, photo.mask, candidates, seconds=given.seconds)
        spent.append(time.thread_time() - started)
        before.append(bool(relevant[order[0]]))
        reach.append(bool(relevant[order].any()))
        after.append(bool(relevant[int(found[0].key)]))
        for weight, right in by_weight.items():
            right.append(bool(relevant[_first(found, candidates, weight)]))
    lines: list[list[object]] = [
        ["R@1 of the search alone", f"{np.mean(before):.3f}"],
        [f"among the first {given.candidates}", f"{np.mean(reach):.3f}"],
        ["R@1 verified", f"{np.mean(after):.3f}"],
        ["right first hits made wrong", f"{np.mean(np.array(before) & ~np.array(after)):.3f}"],
        ["CPU seconds, median", f"{np.median(spent):.2f}"],
        ["CPU seconds, p95", f"{np.quantile(spent, 0.95):.2f}"],
    ]
    print(table(["measure", f"{len(shots)} photos, {len(parts)} parts"], lines))
    if given.choose:
        rows = [[weight, f"{np.mean(right):.3f}"] for weight, right in by_weight.items()]
        print(table(["weight of the fit", "R@1"], rows))


def _first(
    found: list[Verified], candidates: dict[str, tuple[PreparedPart, float]], weight: float
) -> int:
    best = max(found, key=lambda seen: candidates[seen.key][1] + weight * seen.fit)
    return int(best.key)


if __name__ == "__main__":
    main()
