"""Raw features of everything the projection is fitted on, computed once and kept in training/work.

Each part gives its catalogue views and as many photo-like pictures from viewpoints in between: the
difference of a photo-like picture to the view nearest to it is what the projection should forget.

    python -m training.features            # writes training/work/features.npz
"""

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.furniture import FurnitureModel, furniture_dev
from bench.quality_icons import icon_picture, name_is_for_choosing, part_triangles
from catalog.families.registry import FAMILIES
from search.engine.render.types import Views
from search.engine.render.viewpoints import viewpoints_fibonacci
from search.engine.render.views import views_render
from training.export_lite0 import WORK
from training.pictures import family_triangles
from training.quantise_lite0 import INT8_MODEL, features_of

FEATURES = WORK / "features.npz"
VIEWS = 12
PHOTOS = 12

Generator = np.random.Generator
Pictures = NDArray[np.uint8]


@dataclass(frozen=True)
class Features:
    """One row a part. `fitted` (p,) says that the projection may see it; `has_icon` (p,) that it
    is furniture with an icon. views, photos (p, 12, 1280); icons (p, 1280), zero where there is
    none; nearest (p, 12) is the view whose viewpoint is closest to the photo's."""

    fitted: NDArray[np.bool_]
    has_icon: NDArray[np.bool_]
    views: NDArray[np.float32]
    photos: NDArray[np.float32]
    nearest: NDArray[np.int64]
    icons: NDArray[np.float32]

    @classmethod
    def load(cls, path: Path = FEATURES) -> "Features":
        with np.load(path, allow_pickle=False) as file:
            return cls(**{key: file[key] for key in cls.__dataclass_fields__})

    def only(self, which: NDArray[np.bool_]) -> "Features":
        return Features(**{key: value[which] for key, value in vars(self).items()})


def photo_like(views: Views, rng: Generator) -> Pictures:
    """Views lit and coloured at random, turned a little, blurred and noisy, on nearly white."""
    return np.stack(
        [
            _photograph(normals, mask, rng)
            for normals, mask in zip(views.normals, views.mask, strict=True)
        ]
    )


def _photograph(normals: NDArray[np.float32], mask: NDArray[np.uint8], rng: Generator) -> Pictures:
    light = rng.normal(size=3) * (1, 1, 0.5) + (0, 0.4, 0.7)
    light /= np.linalg.norm(light)
    half = light + (0, 0, 1)
    half /= np.linalg.norm(half)
    diffuse = np.clip(normals @ light, 0, 1)
    shine = np.clip(normals @ half, 0, 1) ** rng.uniform(5, 60) * rng.choice([0.1, 0.7])
    tint = 1 - rng.uniform(0, 0.8) * rng.uniform(0, 1, 3) * rng.integers(0, 2)
    ambient = rng.uniform(0.15, 0.5)
    albedo = rng.uniform(0.25, 1) * tint * _texture(len(mask), rng)
    colour = (ambient + (1 - ambient) * diffuse)[..., None] * albedo + shine[..., None]
    ground = 1 - rng.uniform(0, 0.15) * rng.integers(0, 2)
    share = mask[..., None] / 255
    picture = (np.clip(colour, 0, 1) * share + ground * (1 - share)).astype(np.float32)
    size = picture.shape[0]
    turn = cv2.getRotationMatrix2D((size / 2, size / 2), rng.normal(0, 12), rng.uniform(0.85, 1.05))
    turn[:, 2] += rng.normal(0, 0.02 * size, 2)
    picture = cv2.warpAffine(picture, turn, (size, size), borderValue=(ground,) * 3)
    picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.6))
    picture += rng.normal(0, rng.uniform(0, 0.03), picture.shape)
    return np.clip(picture * 255, 0, 255).astype(np.uint8)


def _texture(size: int, rng: Generator) -> NDArray[np.float32]:
    """(size, size, 3) around 1: plain, or a stretched smooth noise such as wood, rust or prints."""
    cells = rng.integers(3, 40, 2)
    noise = rng.normal(0, 0.3, (*cells, rng.choice([1, 3]))).astype(np.float32)
    smooth = cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.clip(1 + smooth.reshape(size, size, -1) * rng.integers(0, 2), 0.1, 1.9)


def viewpoints_between(rng: Generator, count: int) -> NDArray[np.float64]:
    """Random directions to the camera, three quarters of them from above as people photograph."""
    directions = rng.normal(size=(count, 3))
    upright = rng.random(count) < 0.75
    directions[upright, 2] = np.abs(directions[upright, 2])
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)


@dataclass(frozen=True)
class Source:
    """One part to render: furniture with its icon, or made by code when `model` is None."""

    model: FurnitureModel | None
    family: str = ""

    @property
    def fitted(self) -> bool:
        return self.model is None or name_is_for_choosing(self.model.name)

    def triangles(self) -> NDArray[np.float32]:
        return family_triangles(self.family) if self.model is None else part_triangles(self.model)


Row = dict[str, NDArray[np.generic] | bool]


def part_features(source: Source, seed: int) -> Row:
    """The part's row of Features; the same whichever process computes it."""
    rng = np.random.default_rng([0, seed])
    gallery, between = viewpoints_fibonacci(VIEWS), viewpoints_between(rng, PHOTOS)
    triangles = source.triangles()
    views = views_render(triangles, viewpoints=gallery).rgb
    photos = photo_like(views_render(triangles, viewpoints=between), rng)
    icons = [] if source.model is None else [icon_picture(source.model.icon)[None]]
    features = features_of(INT8_MODEL, np.concatenate([views, photos, *icons]))
    return {
        "fitted": source.fitted,
        "has_icon": bool(icons),
        "views": features[:VIEWS],
        "photos": features[VIEWS : VIEWS + PHOTOS],
        "nearest": (between @ gallery.T).argmax(axis=1),
        "icons": features[-1] * bool(icons),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2)
    jobs = parser.parse_args(arguments).jobs
    sources = [Source(model) for model in furniture_dev()]
    sources += [Source(None, key) for key in FAMILIES]
    rows: list[Row] = []
    # Spawned, not forked: the network's own threads do not survive a fork.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for row in pool.map(part_features, sources, range(len(sources)), chunksize=4):
            rows.append(row)
            if len(rows) % 100 == 0:
                print(len(rows), "of", len(sources), "parts", flush=True)
    np.savez(FEATURES, **{key: np.stack([row[key] for row in rows]) for key in rows[0]})


if __name__ == "__main__":
    main()
