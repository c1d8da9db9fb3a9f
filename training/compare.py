"""Compares ways from 1280 features to an embedding, on the features of training/work.

Everything is fitted on the half meant for choosing; icons and photo-like pictures of the other
half look for their own part among all furniture.

    python -m training.compare
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bench.quality_icons import figures
from training.features import Features
from training.photo_features import PhotoFeatures
from training.projection import nuisance_whitening

Float = NDArray[np.float32]
Double = NDArray[np.float64]

PHOTOS_ASKED = 3


def principal_components(features: Features, *, d: int, whiten: float) -> Double:
    """(d, 1281): principal components of views and photos, divided by deviation ** `whiten`."""
    everything = np.concatenate([features.views, features.photos], axis=1).astype(np.float64)
    rows = everything.reshape(-1, everything.shape[-1])
    mean = rows.mean(axis=0)
    values, axes = np.linalg.eigh(np.cov(rows.T))
    matrix = (axes[:, ::-1][:, :d] * values[::-1][:d] ** (-whiten / 2)).T
    return np.column_stack([matrix, -matrix @ mean])


def plain(features: Features, *, centred: bool) -> Double:
    """(1280, 1281): the features as they are, or less their mean."""
    mean = features.views.astype(np.float64).mean(axis=(0, 1))
    return np.column_stack([np.eye(len(mean)), -mean * centred])


def ways(fitted: Features, scenes: PhotoFeatures) -> Iterator[tuple[str, Double]]:
    yield "raw 1280", plain(fitted, centred=False)
    yield "centred 1280", plain(fitted, centred=True)
    for d in (256, 384):
        for whiten in (0.0, 0.5, 1.0):
            name = f"principal components {d}, whitening {whiten}"
            yield name, principal_components(fitted, d=d, whiten=whiten)
    for d in (128, 192, 256, 384):
        for shrinkage in (0.1, 0.3, 0.5):
            name = f"nuisance whitening {d}, shrinkage {shrinkage}"
            yield name, nuisance_whitening(fitted, scenes, d=d, shrinkage=shrinkage)


def embed(projection: Double, features: Float) -> Float:
    vectors = features @ projection[:, :-1].T.astype(np.float32) + projection[:, -1].astype(
        np.float32
    )
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def own_ranks(queries: Float, views: Float, own: NDArray[np.int64]) -> NDArray[np.int64]:
    """(q,) the rank of part own[i] for query i, by the best of each part's views (p, v, d)."""
    parts, count, d = views.shape
    similarity = (queries @ views.reshape(-1, d).T).reshape(-1, parts, count).max(axis=2)
    best = similarity[np.arange(len(own)), own]
    return (similarity > best[:, None]).sum(axis=1) + 1


def main() -> None:
    features = Features.load()
    fitted, furniture = features.only(features.fitted), features.only(features.has_icon)
    asked = np.flatnonzero(~furniture.fitted)
    for name, projection in ways(fitted, PhotoFeatures.load()):
        views = embed(projection, furniture.views)
        icons = embed(projection, furniture.icons[asked])
        photos = embed(projection, furniture.photos[asked, :PHOTOS_ASKED])
        photos_own = asked.repeat(PHOTOS_ASKED)
        print(name)
        print("    icons ", figures(own_ranks(icons, views, asked)))
        photo_ranks = own_ranks(photos.reshape(len(photos_own), -1), views, photos_own)
        print("    photos", figures(photo_ranks), flush=True)


if __name__ == "__main__":
    main()
