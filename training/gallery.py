"""Features and captions of the parts that words are learned from, kept in training/work/gallery.

Every part is drawn as the catalogue draws it (12 views) and as somebody might photograph it. Shards
of a hundred parts are written whole, so a run that was stopped goes on where it was.

    python -m training.gallery --seeds 0 20    # families: seeds 0 to 19 of each
"""

import argparse
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.families.registry import FAMILIES
from catalog.families.types import Captions, PartOfRange, Phrases, family_sample
from search.engine.render.viewpoints import viewpoints_fibonacci
from search.engine.render.views import views_render
from training.collections.parts import COLLECTIONS, part_keys, part_of
from training.collections.types import unit_sphere
from training.features import photo_like, viewpoints_between
from training.places import WORK
from training.quantise_lite0 import INT8_MODEL, features_of

SHARDS = WORK / "gallery"
SHARD = 100
VIEWS = 12
PHOTOS = 3

Half = NDArray[np.float16]


@dataclass(frozen=True)
class Source:
    """Where a part comes from. `key` names it there: a family, or a model of a collection."""

    collection: str  # "families", "furniture", "kicad"
    key: str
    seed: int = 0
    part_of_range: PartOfRange = "train"
    turned: bool = False  # lying anyhow instead of upright

    def load(self) -> tuple[NDArray[np.float32], Captions]:
        """(n, 3, 3) triangles in the unit sphere, and what the part is called."""
        if self.collection == "families":
            sample = family_sample(
                FAMILIES[self.key],
                self.seed,
                part_of_range=self.part_of_range,
                turned="any" if self.turned else "upright",
            )
            return unit_sphere(sample.triangles), sample.captions
        part = part_of(self.collection, self.key)
        triangles = part.triangles()
        if self.turned:  # filed with y up, as many modellers do
            triangles = triangles[..., [0, 2, 1]] * np.array([1, -1, 1], np.float32)
        return triangles, Captions(part.captions, Phrases((), (), ()), part.words.broader)


@dataclass(frozen=True)
class Gallery:
    """One row a part: views (p, 12, 1280), photos (p, 3, 1280), as float16."""

    sources: list[Source]
    captions: list[Captions]
    views: Half
    photos: Half

    @classmethod
    def load(cls, folder: Path = SHARDS, *, collections: Iterable[str] = ()) -> "Gallery":
        """Every shard there is, or those of some collections."""
        wanted = set(collections)
        sources: list[Source] = []
        captions: list[Captions] = []
        blocks = []
        for path in sorted(folder.glob("*.json")):
            if wanted and path.name.split("-")[0] not in wanted:
                continue
            for row in json.loads(path.read_text(encoding="utf-8")):
                sources.append(Source(**row["source"]))
                captions.append(Captions(*(Phrases(*map(tuple, of)) for of in row["captions"])))
            blocks.append(np.load(path.with_suffix(".npy"), allow_pickle=False))
        features = np.concatenate(blocks)
        return cls(sources, captions, features[:, :VIEWS], features[:, VIEWS:])


def part_features(source: Source) -> tuple[Half, Captions]:
    """(15, 1280): 12 views, then 3 photo-like pictures; the same whichever process computes it."""
    rng = np.random.default_rng([source.seed, source.turned, zlib.crc32(source.key.encode())])
    triangles, captions = source.load()
    views = views_render(triangles, viewpoints=viewpoints_fibonacci(VIEWS)).rgb
    between = viewpoints_between(rng, PHOTOS)
    photos = photo_like(views_render(triangles, viewpoints=between), rng)
    features = features_of(INT8_MODEL, np.concatenate([views, photos]))
    return features.astype(np.float16), captions


def shard_make(path: Path, sources: Sequence[Source]) -> int:
    """Write a shard; its list comes last, so half a shard is none."""
    rows, features = [], []
    for source in sources:
        try:
            block, captions = part_features(source)
        except (ValueError, OSError) as error:  # a model that cannot be read is left out
            print(f"{source.collection} {source.key} {source.seed}: {error}", flush=True)
            continue
        features.append(block)
        rows.append({"source": asdict(source), "captions": captions})
    np.save(path.with_suffix(".npy"), np.stack(features))
    path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    return len(rows)


def family_sources(seed: int, *, part_of_range: PartOfRange = "train") -> Iterator[Source]:
    """One part of every family; of five seeds, the parts of two lie anyhow."""
    for key in FAMILIES:
        yield Source("families", key, seed, part_of_range, turned=seed % 5 in (1, 3))


def collection_sources(collection: str) -> Iterator[Source]:
    for turned in (False, True):
        for key in part_keys(collection):
            yield Source(collection, key, turned=turned)


def shards_plan(sources: Iterable[Source], *, name: str) -> list[tuple[Path, list[Source]]]:
    every = list(sources)
    return [
        (SHARDS / f"{name}-{start // SHARD:04d}.json", every[start : start + SHARD])
        for start in range(0, len(every), SHARD)
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 20))
    parser.add_argument("--collections", nargs="*", default=[*COLLECTIONS, "families"])
    parser.add_argument("--held-out", action="store_true", help="families from ranges kept out")
    chosen = parser.parse_args(arguments)
    SHARDS.mkdir(parents=True, exist_ok=True)
    plan = []
    for collection in chosen.collections:
        if collection != "families":
            plan += shards_plan(collection_sources(collection), name=collection)
            continue
        part_of_range: PartOfRange = "held_out" if chosen.held_out else "train"
        for seed in range(*chosen.seeds):
            sources = family_sources(seed, part_of_range=part_of_range)
            plan += shards_plan(sources, name=f"families-{part_of_range}-{seed:03d}")
    plan = [(path, sources) for path, sources in plan if not path.exists()]
    done = 0
    with ProcessPoolExecutor(chosen.jobs, mp_context=get_context("spawn")) as pool:
        for count in pool.map(shard_make, *zip(*plan, strict=True)) if plan else ():
            done += count
            print(f"{done} of {sum(len(s) for _, s in plan)} parts", flush=True)


if __name__ == "__main__":
    main()
