"""Windows about pieces on a ground, as the inspection's close look sees them.

Parts of families that the bench of inspections neither calibrates nor reports on, whole and with
defects, by three renderers: `training.scenes` (rooms, mirrored grounds, patterns),
`search.engine.qc.simulate` (shadows on the piece itself), and the path tracer of `training.traced`
(light from face to face). Kept in training/work/windows, 100 a shard.

    python -m training.piece_windows    # goes on where it stopped
"""

import argparse
import contextlib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.furniture import FurnitureModel
from bench.qc_photos import FAMILIES_USED
from bench.quality_icons import part_triangles
from catalog.families.registry import FAMILIES
from catalog.families.types import family_sample
from search.engine.errors import EngineError
from search.engine.photo.mask import mask_find
from search.engine.qc.close_look import window_about, window_cut
from search.engine.qc.simulate.defects import KINDS, defect_make
from search.engine.qc.simulate.photos import photo_simulate
from training.collections.types import unit_sphere
from training.pictures import furniture_half
from training.places import WORK
from training.scenes import scene_make
from training.traced import scene_trace

Rng = np.random.Generator
Bytes = NDArray[np.uint8]
# Drawn scenes to learn from, traced ones to learn from, drawn ones to check on.
Kind = Literal["train", "traced", "check"]

FOLDER = WORK / "windows"
SHARDS: dict[Kind, int] = {"check": 3, "train": 60, "traced": 20}
SHARD = 100  # windows
EACH: dict[Kind, int] = {"check": 4, "train": 4, "traced": 2}  # photos a piece
SEEDS: dict[Kind, int] = {"train": 0, "check": 1, "traced": 2}
SIDE, PAD = 352, 0.26  # more than the network is shown: training cuts from it
CHECK_EVERY = 12  # one family in so many is only checked on
FURNITURE, DEFECT = 0.12, 0.35  # of the pieces
SIZE = (640, 480)
MOST_FACES = 30_000
JUDGED = {key for keys in FAMILIES_USED.values() for key in keys}
TRAINED_ON = tuple(key for key in FAMILIES if key not in JUDGED)


class PieceWindow(NamedTuple):
    """All (SIDE, SIDE) uint8: rgb (.., 3); found, the first look's mask; cover, how much of each
    pixel the piece covers."""

    rgb: Bytes
    found: Bytes
    cover: Bytes


def families(*, check: bool) -> list[str]:
    return [key for n, key in enumerate(TRAINED_ON) if (n % CHECK_EVERY == 0) is check]


@cache
def furniture() -> list[FurnitureModel]:
    return furniture_half(choosing=True)


def piece_draw(rng: Rng, *, check: bool) -> NDArray[np.float32] | None:
    """(n, 3, 3) in the unit sphere; None where the draw gave nothing to photograph."""
    if not check and rng.random() < FURNITURE:
        models = furniture()
        return unit_sphere(part_triangles(models[rng.integers(len(models))]))
    family = FAMILIES[str(rng.choice(families(check=check)))]
    triangles = family_sample(family, int(rng.integers(1_000_000))).triangles
    if not 4 <= len(triangles) <= MOST_FACES:
        return None
    if rng.random() < DEFECT:
        with contextlib.suppress(EngineError):  # no place for it
            triangles = defect_make(triangles, str(rng.choice(KINDS)), rng).triangles
    return unit_sphere(triangles)


def photographs(
    triangles: NDArray[np.float32], rng: Rng, kind: Kind
) -> Iterator[tuple[Bytes, Bytes]]:
    """Pictures (h, w, 3) and covers (h, w); drawn ones by two renderers in turn."""
    for number in range(EACH[kind]):
        if kind == "traced":
            yield scene_trace(triangles, rng)
        elif number % 2:
            taken = photo_simulate(triangles, rng)
            yield taken.rgb, np.where(taken.mask, 255, 0).astype(np.uint8)
        else:
            scene = scene_make(triangles, rng, upright=False, size=SIZE)
            yield scene.picture, scene.mask


def window_make(picture: Bytes, cover: Bytes) -> PieceWindow | None:
    """None where the first look sees nothing of the piece."""
    found = mask_find(picture)
    if found is None or not np.count_nonzero(found[cover > 127]):
        return None
    place = window_about(found, pad=PAD)
    return PieceWindow(*(window_cut(plane, place, SIDE) for plane in (picture, found, cover)))


def windows(number: int, kind: Kind) -> Iterator[PieceWindow]:
    """Endless; they follow from the number."""
    rng = np.random.default_rng([number, SEEDS[kind], 17])
    while True:
        try:
            triangles = piece_draw(rng, check=kind == "check")
            made = [] if triangles is None else list(photographs(triangles, rng, kind))
        except (EngineError, ValueError, RuntimeError):  # parameters that make no solid
            continue
        for picture, cover in made:
            window = window_make(picture, cover)
            if window is not None:
                yield window


def shard_make(number: int, kind: Kind) -> Bytes:
    """(n, SIDE, SIDE, 5): rgb, found, cover."""
    given = windows(number, kind)
    return np.stack(
        [np.dstack([w.rgb, w.found, w.cover]) for w, _ in zip(given, range(SHARD), strict=False)]
    )


def shards_load(*, check: bool, folder: Path = FOLDER) -> list[Bytes]:
    """Those that are there, mapped from disk."""
    names = ("check",) if check else ("train", "traced")
    paths = [path for name in names for path in sorted(folder.glob(f"{name}-*.npy"))]
    return [np.load(path, mmap_mode="r") for path in paths]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for kind, shards in SHARDS.items():
        parser.add_argument(f"--{kind}", type=int, default=shards, metavar="SHARDS")
    given = vars(parser.parse_args(arguments))
    cv2.setNumThreads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for kind, number in [(of, n) for of in SHARDS for n in range(given[of])]:
        path = FOLDER / f"{kind}-{number:04d}.npy"
        if path.exists():
            continue
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            np.save(file, shard_make(number, kind))
        partial.rename(path)
        print(path.stem, flush=True)


if __name__ == "__main__":
    main()
