"""Raw features of the scenes as picture search reads them: cut by our own mask, errors and all.

The difference of such a photo to the catalogue's view nearest to it is what the projection should
forget.

    python -m training.photo_features      # writes training/work/photo_features.npz
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from search.engine.photo.prepare import TURNS, photo_prepare
from search.engine.render.viewpoints import viewpoints_fibonacci
from search.engine.render.views import views_render
from training.features import VIEWS
from training.photographs import photographs_load, sitters
from training.places import WORK
from training.quantise_lite0 import INT8_MODEL, session_open
from training.scenes import Scene

PHOTO_FEATURES = WORK / "photo_features.npz"


@dataclass(frozen=True)
class PhotoFeatures:
    """n photos (n, 1280), and of each the view of its part whose viewpoint is nearest."""

    photos: NDArray[np.float32]
    views: NDArray[np.float32]

    @classmethod
    def load(cls, path: Path = PHOTO_FEATURES) -> "PhotoFeatures":
        with np.load(path, allow_pickle=False) as file:
            return cls(**{key: file[key] for key in cls.__dataclass_fields__})


def photo_shown(scene: Scene) -> NDArray[np.uint8]:
    """(1 or 2, 224, 224, 3) the ways picture search shows the scene, in the turn that stands the
    part up best: the one that search will take."""
    _, data = cv2.imencode(".png", scene.picture[..., ::-1])
    variants = photo_prepare(data.tobytes()).variants
    return variants[round(-scene.turn / (np.pi / 2)) % TURNS :: TURNS]


def main(arguments: Sequence[str] | None = None) -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args(arguments)
    session, gallery, everyone = session_open(INT8_MODEL), viewpoints_fibonacci(VIEWS), sitters()

    def features(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        return session.run(["features"], {"pictures": np.ascontiguousarray(pictures)})[0]

    photos, views = [], []
    for sitter, taken in groupby(photographs_load(), key=lambda photo: photo.sitter):
        triangles = everyone[sitter].triangles()
        for photo in taken:
            nearest = gallery[(gallery @ photo.scene.viewpoint).argmax()]
            photos.append(features(photo_shown(photo.scene)).mean(axis=0))
            views.append(features(views_render(triangles, viewpoints=[nearest]).rgb)[0])
            if len(photos) % 200 == 0:
                print(len(photos), "photos", flush=True)
    np.savez(PHOTO_FEATURES, photos=np.stack(photos), views=np.stack(views))


if __name__ == "__main__":
    main()
