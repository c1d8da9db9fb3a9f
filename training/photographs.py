"""Scenes of the parts that may be fitted on, taken once and kept in training/work/scenes.

python -m training.photographs         # about ten minutes of one core; goes on where it stopped
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.furniture import FurnitureModel
from bench.quality_icons import part_triangles
from catalog.families.registry import FAMILIES
from training.pictures import family_triangles, furniture_half
from training.places import WORK
from training.scenes import Scene, scene_make

FOLDER = WORK / "scenes"
SHARD = 100
FAMILY_SEEDS = range(4)
FURNITURE_SCENES, FAMILY_SCENES = 4, 2


@dataclass(frozen=True)
class Sitter:
    """A part to photograph: furniture, or made by code when `model` is None."""

    model: FurnitureModel | None
    family: str = ""
    seed: int = 0

    @property
    def scenes(self) -> int:
        return FAMILY_SCENES if self.model is None else FURNITURE_SCENES

    def triangles(self) -> NDArray[np.float32]:
        if self.model is None:
            return family_triangles(self.family, seed=self.seed)
        return part_triangles(self.model)


@dataclass(frozen=True)
class Photograph:
    sitter: int
    """its place in `sitters()`"""
    scene: Scene


def sitters() -> list[Sitter]:
    """Furniture of the half meant for choosing, and some parts of every family."""
    furniture = [Sitter(model) for model in furniture_half(choosing=True)]
    return furniture + [Sitter(None, key, seed) for seed in FAMILY_SEEDS for key in FAMILIES]


def photographs_load(folder: Path = FOLDER) -> list[Photograph]:
    found = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as file:
            shard = {key: file[key] for key in file.files}
        keys = ("sitter", "picture", "mask", "viewpoint", "turn", "tall")
        rows = zip(*(shard[key] for key in keys), strict=True)
        for sitter, picture, mask, viewpoint, turn, tall in rows:
            if tall:  # kept lying, so that a shard is one array
                picture, mask = picture.transpose(1, 0, 2), mask.T
            scene = Scene(np.ascontiguousarray(picture), mask.copy(), viewpoint, float(turn))
            found.append(Photograph(int(sitter), scene))
    return found


def photographs_write(path: Path, photographs: Sequence[Photograph]) -> None:
    """One shard; half a shard is none."""
    scenes = [photograph.scene for photograph in photographs]
    tall = [scene.mask.shape[0] > scene.mask.shape[1] for scene in scenes]
    lying = [
        (s.picture.transpose(1, 0, 2), s.mask.T) if up else (s.picture, s.mask)
        for s, up in zip(scenes, tall, strict=True)
    ]
    partial = path.with_suffix(".partial.npy")  # .npy: not found by the glob before it is whole
    with partial.open("wb") as file:
        np.savez(
            file,
            sitter=[photograph.sitter for photograph in photographs],
            picture=np.stack([picture for picture, _ in lying]),
            mask=np.stack([mask for _, mask in lying]),
            viewpoint=np.stack([scene.viewpoint for scene in scenes]),
            turn=[scene.turn for scene in scenes],
            tall=tall,
        )
    partial.rename(path)


def main(arguments: Sequence[str] | None = None) -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args(arguments)
    FOLDER.mkdir(parents=True, exist_ok=True)
    everyone = sitters()
    # Shuffled, so that the first shards already hold some of everything.
    order = np.random.default_rng(0).permutation(len(everyone))
    for number, start in enumerate(range(0, len(order), SHARD)):
        path = FOLDER / f"{number:03d}.npz"
        if path.exists():
            continue
        taken = []
        for place in order[start : start + SHARD]:
            rng = np.random.default_rng([7, int(place)])
            sitter, triangles = everyone[place], everyone[place].triangles()
            for _ in range(sitter.scenes):
                scene = scene_make(triangles, rng, upright=sitter.model is not None)
                taken.append(Photograph(int(place), scene))
        photographs_write(path, taken)
        print(f"{start + SHARD} of {len(order)} parts", flush=True)


if __name__ == "__main__":
    main()
