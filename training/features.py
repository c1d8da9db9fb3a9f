"""Raw features of everything the projection is fitted on, computed once and kept in training/work.

Each part gives its catalogue views and as many photo-like pictures from viewpoints in between: the
difference of a photo-like picture to the view nearest to it is what the projection should forget.

    python -m training.features            # writes training/work/features.npz
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.furniture import furniture_dev
from bench.quality_icons import icon_picture, name_is_for_choosing, part_triangles
from search.engine.render.types import Views
from search.engine.render.viewpoints import viewpoints_fibonacci
from search.engine.render.views import views_render
from training.export_lite0 import WORK, session_open
from training.pictures import family_triangles
from training.quantise_lite0 import INT8_MODEL

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
    """Views lit and coloured at random, turned a little, blurred and noisy, on a whitish ground."""
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
    albedo = rng.uniform(0.25, 1) * tint
    colour = (ambient + (1 - ambient) * diffuse)[..., None] * albedo + shine[..., None]
    ground = 1 - rng.uniform(0, 0.15) * rng.integers(0, 2)
    share = mask[..., None] / 255
    picture = (np.clip(colour, 0, 1) * share + ground * (1 - share)).astype(np.float32)
    size = picture.shape[0]
    turn = cv2.getRotationMatrix2D((size / 2, size / 2), rng.normal(0, 8), rng.uniform(0.85, 1.05))
    turn[:, 2] += rng.normal(0, 0.02 * size, 2)
    picture = cv2.warpAffine(picture, turn, (size, size), borderValue=(ground,) * 3)
    picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.6))
    picture += rng.normal(0, rng.uniform(0, 0.03), picture.shape)
    return np.clip(picture * 255, 0, 255).astype(np.uint8)


def viewpoints_between(rng: Generator, count: int) -> NDArray[np.float64]:
    """Random directions to the camera, three quarters of them from above as people photograph."""
    directions = rng.normal(size=(count, 3))
    upright = rng.random(count) < 0.75
    directions[upright, 2] = np.abs(directions[upright, 2])
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)


def parts_stream() -> Iterator[tuple[bool, NDArray[np.float32], NDArray[np.uint8] | None]]:
    """(may be fitted on, triangles, icon) of all furniture, then of parts made by code."""
    for model in furniture_dev():
        fitted = name_is_for_choosing(model.name)
        yield fitted, part_triangles(model), icon_picture(model.icon)
    for triangles in family_triangles():
        yield True, triangles, None


def main(arguments: Sequence[str] | None = None) -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args(arguments)
    rng = np.random.default_rng(0)
    session = session_open(INT8_MODEL)
    gallery = viewpoints_fibonacci(VIEWS)
    blank = np.full((224, 224, 3), 255, np.uint8)
    rows: dict[str, list[NDArray[np.generic] | bool]] = {
        key: [] for key in Features.__dataclass_fields__
    }
    for fitted, triangles, icon in parts_stream():
        between = viewpoints_between(rng, PHOTOS)
        views = views_render(triangles, viewpoints=gallery)
        photos = photo_like(views_render(triangles, viewpoints=between), rng)
        last = blank if icon is None else icon
        pictures = np.concatenate([views.rgb, photos, last[None]])
        features = session.run(["features"], {"pictures": pictures})[0]
        rows["fitted"].append(fitted)
        rows["has_icon"].append(icon is not None)
        rows["views"].append(features[:VIEWS])
        rows["photos"].append(features[VIEWS : VIEWS + PHOTOS])
        rows["nearest"].append((between @ gallery.T).argmax(1))
        rows["icons"].append(features[-1] * (icon is not None))
        if len(rows["fitted"]) % 100 == 0:
            print(len(rows["fitted"]), "parts", flush=True)
    np.savez(FEATURES, **{key: np.stack(values) for key, values in rows.items()})


if __name__ == "__main__":
    main()
