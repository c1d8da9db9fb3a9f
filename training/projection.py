"""Fits the linear map from 1280 features to the embedding: forget how a part was photographed.

Half of the features' variance comes from light, colour, blur and the exact viewpoint. The
differences between a photo-like picture and the view nearest to it measure that nuisance: its
covariance N, shrunk towards a multiple of the identity, is whitened away (N^-1/2), and the
principal components of what remains are kept. This is the linear discriminant of instance
retrieval (Mikolajczyk & Matas 2007, "Improving descriptors for fast tree matching by optimal
linear projection"; Radenovic et al. 2018, section 3.4), with one class a part and viewpoint.

    python -m training.projection          # writes training/work/lite0.projection.npy
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.export_lite0 import WORK
from training.features import Features
from training.photo_features import PhotoFeatures

SCENES_SHARE = 0.35  # of the nuisance; 0.2 to 0.5 do the same on choosing photos
PROJECTION_FILE = WORK / "lite0.projection.npy"

Double = NDArray[np.float64]


def nuisance_whitening(
    features: Features,
    scenes: PhotoFeatures,
    *,
    d: int,
    shrinkage: float,
    share: float = SCENES_SHARE,
) -> Double:
    """(d, 1281): the rows project, the last column makes the mean view zero.

    The nuisance is measured on photo-like pictures of a perfect cut and, for `share` of it, on
    scenes that our own mask cut. Differences are not centred: how far any photo lies from any
    view is forgotten with the rest.
    """
    views = features.views.astype(np.float64)
    photos = features.photos.astype(np.float64)
    mean = views.mean(axis=(0, 1))
    nearest = np.take_along_axis(views, features.nearest[..., None], axis=1)
    alike = _second_moment((photos - nearest).reshape(-1, len(mean)))
    staged = _second_moment(scenes.photos.astype(np.float64) - scenes.views)
    nuisance = (1 - share) * alike + share * staged
    level = np.trace(nuisance) / len(nuisance)
    nuisance = (1 - shrinkage) * nuisance + shrinkage * level * np.eye(len(nuisance))
    values, axes = np.linalg.eigh(nuisance)
    whitening = axes / np.sqrt(values)
    everything = np.concatenate([views, photos], axis=1).reshape(-1, len(mean))
    rest = (everything - mean) @ whitening
    _, components = np.linalg.eigh(rest.T @ rest / len(rest))
    matrix = (whitening @ components[:, ::-1][:, :d]).T
    # The scale is free, since embeddings are normalised: near 1 it suits float16.
    matrix /= np.sqrt(((everything - mean) @ matrix.T).var(axis=0).sum())
    return np.column_stack([matrix, -matrix @ mean])


def _second_moment(rows: Double) -> Double:
    return rows.T @ rows / len(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dimensions", type=int, default=192)
    parser.add_argument("--shrinkage", type=float, default=0.3)
    parser.add_argument("--out", type=Path, default=PROJECTION_FILE)
    chosen = parser.parse_args(arguments)
    features = Features.load()
    fitted = features.only(features.fitted)
    projection = nuisance_whitening(
        fitted, PhotoFeatures.load(), d=chosen.dimensions, shrinkage=chosen.shrinkage
    )
    np.save(chosen.out, projection.astype(np.float16))
    print(f"{chosen.out.name}: {projection.shape} from {len(fitted.views)} parts")


if __name__ == "__main__":
    main()
