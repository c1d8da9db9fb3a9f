"""How much a photo search gains when its first candidates are laid over the photo.

Gallery, photos and encoder are those of `bench.quality_photos`; weights and numbers of candidates
were chosen on its choosing half. Sketches are kept in bench/work/.

    python -m bench.verify                     # the figures to report
    python -m bench.verify --choose            # R@1 by weight, on the half to choose by
    python -m bench.verify --photos 100        # only so many
    python -m bench.verify --seconds 1         # with the product's limit of time; else without one
"""

import argparse
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.quality_photos import (
    MODELS,
    WORK,
    GalleryPart,
    gallery_embed,
    gallery_parts,
    same_shape,
    shots_take,
)
from bench.running import table
from search.engine.encoders.choose import encoder_make
from search.engine.photo.prepare import photo_embed, photo_prepare
from search.engine.qc import part as qc_part
from search.engine.qc import sketch as qc_sketch
from search.engine.qc import verify
from search.engine.qc.close_look import mask_closer
from search.engine.qc.sketch import PartSketch, sketch_make
from search.engine.qc.verify import Appearance, Candidate, Verified, candidates_verify

CANDIDATES = 30
FACTORS = (0.0, 0.5, 0.75, 1.0, 1.5, 2.0)
WEIGHTS = {
    "fit": lambda one: verify.CLOSENESS_WEIGHT * verify.closeness(one.fit),
    "light": lambda one: verify.SHADING_WEIGHT * max(one.shading or 0.0, 0.0),
    "look": lambda one: verify.LOOK_WEIGHT * (one.look or 0.0),
}


@dataclass(frozen=True)
class Asked:
    """One photo: which parts are right, the order of the search, that of the second look, and the
    seconds it took, of the cores and of the clock."""

    relevant: NDArray[np.bool_]
    order: NDArray[np.int64]
    found: list[Verified]
    cpu: float
    wall: float

    def rank(self, order: Sequence[int]) -> int:
        """Of the first right part, from 1; one beyond the gallery without one."""
        places = np.flatnonzero(self.relevant[np.asarray(order, np.int64)])
        return int(places[0]) + 1 if len(places) else len(self.relevant) + 1

    @property
    def verified(self) -> list[int]:
        """The search's order, its first candidates in that of the second look."""
        seen = [int(one.key) for one in self.found]
        return seen + [part for part in self.order.tolist() if part not in set(seen)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--choose", action="store_true")
    parser.add_argument("--photos", type=int, default=300)
    parser.add_argument("--candidates", type=int, default=CANDIDATES)
    parser.add_argument("--seconds", type=float, default=600.0)
    given = parser.parse_args()
    parts = gallery_parts()
    half = "choose" if given.choose else "report"
    asked = photos_ask(parts, half, given.photos, given.candidates, given.seconds)
    head = f"{len(asked)} photos, {len(parts)} parts"
    print(table(["measure", head], [[name, value] for name, value in figures(asked)]))
    if given.choose:
        rows = [[name, *(f"{r1_by(asked, name, factor):.3f}" for factor in FACTORS)]
                for name in WEIGHTS]  # fmt: skip
        print(table(["R@1 by weight, times", *map(str, FACTORS)], rows))


def photos_ask(
    parts: Sequence[GalleryPart], half: str, count: int, candidates: int, seconds: float
) -> list[Asked]:
    encoder = encoder_make("mini", folder=MODELS, threads=2)
    views, same = gallery_embed(parts, encoder), same_shape(parts)
    sketches: dict[int, PartSketch] = {}
    asked = []
    for shot in shots_take(parts, half, count=count):
        photo = photo_prepare(shot.jpeg)
        queries = photo_embed(photo, encoder)
        scores = np.stack([(queries @ view.T).max() for view in views])
        order = np.argsort(-scores, kind="stable")
        first = order[:candidates].tolist()
        for index in first:
            if index not in sketches:
                sketches[index] = sketch_of(parts[index])
        appearance = Appearance(
            encoder.picture_size,
            lambda pictures, upright=queries[0]: encoder.pictures_embed(pictures) @ upright,
            float(scores[first].std()),
        )
        given = [Candidate(str(i), float(scores[i]), _loads(sketches[i])) for i in first]
        verify.kernels_load()
        cpu, wall = time.process_time(), time.perf_counter()
        # Where nothing could be cut out, the product leaves the search's answer as it is.
        found = (
            candidates_verify(
                photo.original,
                mask_closer(photo.original, photo.mask),
                given,
                appearance=appearance,
                seconds=seconds,
            )
            if photo.cut
            else []
        )
        spent = time.process_time() - cpu, time.perf_counter() - wall
        relevant = same[shot.part] | (np.arange(len(parts)) == shot.part)
        asked.append(Asked(relevant, order, found, *spent))
    return asked


def _loads(sketch: PartSketch) -> Callable[[], PartSketch]:
    return lambda: sketch


def sketch_of(part: GalleryPart) -> PartSketch:
    """The part's sketch, kept until the part or the way of making it changes."""
    version = f"{qc_part.VERSION}-{qc_sketch.VERSION}"
    name = hashlib.sha256(f"{version} {part.digest}".encode()).hexdigest()[:20]
    path = WORK / "sketches" / f"{name}.npz"
    if path.exists():
        return PartSketch.from_bytes(path.read_bytes())
    made = sketch_make(qc_part.part_prepare(part.triangles))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(made.to_bytes())
    return made


def figures(asked: Sequence[Asked]) -> list[tuple[str, str]]:
    before = np.array([one.rank(one.order.tolist()) for one in asked])
    after = np.array([one.rank(one.verified) for one in asked])
    most = max(len(one.found) for one in asked)
    gained = (after == 1).astype(float) - (before == 1)
    spread = np.random.default_rng(0).choice(gained, (10_000, len(gained))).mean(1)
    low, high = np.quantile(spread, [0.025, 0.975])
    cpu, wall = np.array([one.cpu for one in asked]), np.array([one.wall for one in asked])
    return [
        ("R@1 of the search alone", f"{(before == 1).mean():.3f}"),
        ("R@1 verified", f"{(after == 1).mean():.3f}"),
        ("gained, 95% of resamples", f"{gained.mean():+.3f} ({low:+.3f} to {high:+.3f})"),
        ("R@5 of the search alone", f"{(before <= 5).mean():.3f}"),
        ("R@5 verified", f"{(after <= 5).mean():.3f}"),
        (f"right part among the first {most}", f"{(before <= most).mean():.3f}"),
        ("right first hits made wrong", f"{((before == 1) & (after > 1)).mean():.3f}"),
        ("CPU seconds, median and p95", f"{np.median(cpu):.2f}  {np.quantile(cpu, 0.95):.2f}"),
        ("seconds, median and p95", f"{np.median(wall):.2f}  {np.quantile(wall, 0.95):.2f}"),
    ]


def r1_by(asked: Sequence[Asked], name: str, factor: float) -> float:
    """R@1 with one of the weights times `factor`; who is looked at closely stays the same."""
    right = []
    for one in asked:
        if not one.found:
            right.append(one.rank(one.order.tolist()) == 1)
            continue
        scores = [seen.score + (factor - 1) * WEIGHTS[name](seen) for seen in one.found]
        right.append(bool(one.relevant[int(one.found[int(np.argmax(scores))].key)]))
    return float(np.mean(right))


if __name__ == "__main__":
    main()
