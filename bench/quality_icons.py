"""How often an icon finds the part it depicts: the picture engine's figures on real furniture.

Every model of the development list is a part; its coloured icon, drawn by another program with
other materials and light, is the query. Parts of the same geometry count as one. Half of the names
are for choosing settings, the other half for reporting what the choice is worth.

    python -m bench.quality_icons [--furniture DIR] [--viewpoints 12] [--folder models]
"""

import argparse
import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.furniture import FURNITURE, FurnitureModel, furniture_dev
from search.engine.encoders.base import PICTURE_SIZE, PictureEncoder
from search.engine.encoders.choose import encoder_make
from search.engine.mesh.load import mesh_load
from search.engine.photo.prepare import photo_embed, photo_prepare
from search.engine.render import views as views_module
from search.engine.render.types import RenderStyle
from search.engine.render.viewpoints import viewpoints_fibonacci, viewpoints_icosahedron
from search.engine.render.views import views_render

WORK = Path(__file__).parent / "work"
# The share of the picture left free on each side of a view's silhouette, as views_render does.
MARGIN = 0.04


def name_is_for_choosing(name: str) -> bool:
    """Halves the collection by name, so that near-duplicates of one name stay on one side."""
    return hashlib.sha256(name.lower().encode()).digest()[0] % 2 == 0


def icon_picture(data: bytes, *, margin: float = MARGIN) -> NDArray[np.uint8]:
    """An icon file with alpha -> (224, 224, 3) uint8: on white, cropped tightly like a view."""
    icon = Image.open(io.BytesIO(data)).convert("RGBA")
    icon = icon.crop(icon.getchannel("A").point(lambda alpha: 255 * (alpha > 8)).getbbox())
    side = round(max(icon.size) / (1 - 2 * margin))
    ground = Image.new("RGBA", (side, side), "white")
    corner = ((side - icon.width) // 2, (side - icon.height) // 2)
    ground.alpha_composite(icon, corner)
    small = ground.convert("RGB").resize((PICTURE_SIZE, PICTURE_SIZE), Image.Resampling.BICUBIC)
    return np.asarray(small)


def part_triangles(model: FurnitureModel, *, upright: bool = True) -> NDArray[np.float32]:
    """The part's triangles in the unit sphere; upright, it stands on the xy plane as an STL would.

    The collection's OBJ files have y up, some of them only after the catalogue's rotation.
    """
    triangles = mesh_load(model.extract(WORK / "furniture")).triangles
    if not upright:
        return triangles
    turn = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], dtype=np.float64)
    if model.rotation is not None:
        turn = turn @ np.reshape(model.rotation, (3, 3))
    return np.ascontiguousarray(triangles @ turn.T, dtype=np.float32)


@dataclass(frozen=True)
class Settings:
    """What may be varied: where the views are taken from and how they look."""

    viewpoints: str
    style: RenderStyle
    upright: bool
    as_photo: bool


def viewpoints_ring() -> NDArray[np.float64]:
    """Eight viewpoints at 30 degrees and four at -15: what a part that stands upright shows."""
    azimuth = np.radians([*range(30, 390, 45), *range(30, 390, 90)])
    height = np.radians([30.0] * 8 + [-15.0] * 4)
    flat = np.stack([np.cos(azimuth), np.sin(azimuth)], axis=1) * np.cos(height)[:, None]
    return np.column_stack([flat, np.sin(height)])


VIEWPOINTS: dict[str, Callable[[], NDArray[np.float64]]] = {
    "fibonacci-12": lambda: viewpoints_fibonacci(12),
    "fibonacci-24": lambda: viewpoints_fibonacci(24),
    "icosahedron": viewpoints_icosahedron,
    "ring": viewpoints_ring,
}


def signature(triangles: NDArray[np.float32]) -> NDArray[np.float64]:
    """(10,) count, mean and second moments of the corners: equal for the same geometry."""
    corners = triangles.reshape(-1, 3).astype(np.float64)
    moments = (corners.T @ corners / len(corners))[np.triu_indices(3)]
    return np.array([len(triangles), *corners.mean(axis=0), *moments])


@dataclass(frozen=True)
class Collection:
    """p parts: names (p,), signatures (p, 10), icons (p, q, d) and views (p, v, d) embedded."""

    names: NDArray[np.str_]
    signatures: NDArray[np.float64]
    icons: NDArray[np.float32]
    views: NDArray[np.float32]


def collection_embed(
    models: Sequence[FurnitureModel], encoder: PictureEncoder, settings: Settings
) -> Collection:
    """Every model's views and icon, kept until encoder, renderer or settings change."""
    ids = ",".join(model.id for model in models)
    identity = f"{encoder.space.key} {settings} {render_sources()} {ids}"
    path = WORK / f"icons-{hashlib.sha256(identity.encode()).hexdigest()[:12]}.npz"
    if path.exists():
        with np.load(path, allow_pickle=False) as file:
            return Collection(**file)
    viewpoints = VIEWPOINTS[settings.viewpoints]()
    signatures, icons, views = [], [], []
    for model in models:
        triangles = part_triangles(model, upright=settings.upright)
        rendered = views_render(triangles, viewpoints=viewpoints, style=settings.style)
        signatures.append(signature(triangles))
        views.append(encoder.pictures_embed(rendered.rgb))
        if settings.as_photo:
            icons.append(photo_embed(photo_prepare(model.icon), encoder))
        else:
            icon = icon_picture(model.icon, margin=settings.style.margin)
            icons.append(encoder.pictures_embed(icon[None]))
    names = np.array([model.name for model in models])
    collection = Collection(names, np.stack(signatures), np.stack(icons), np.stack(views))
    WORK.mkdir(exist_ok=True)
    np.savez(path, **vars(collection))
    return collection


def render_sources() -> str:
    """A digest of the renderer's code: another picture is another measurement."""
    folder = Path(views_module.__file__).parent
    sources = b"".join(path.read_bytes() for path in sorted(folder.glob("*.py")))
    return hashlib.sha256(sources).hexdigest()


def own_ranks(collection: Collection) -> NDArray[np.int64]:
    """(p,) the rank of each icon's own part, by the best of its views."""
    looks = [
        np.einsum("qd,pvd->qpv", look, collection.views).max(axis=2)
        for look in np.moveaxis(collection.icons, 1, 0)
    ]
    similarity = np.max(looks, axis=0)
    a, b = collection.signatures[:, None], collection.signatures[None]
    own = (a[..., 0] == b[..., 0]) & (np.abs(a - b)[..., 1:].max(axis=2) < 1e-4)
    best = np.where(own, similarity, -np.inf).max(axis=1, keepdims=True)
    return ((similarity > best) & ~own).sum(axis=1) + 1


def figures(ranks: NDArray[np.int64]) -> str:
    recalls = "  ".join(f"R@{k} {(ranks <= k).mean():.3f}" for k in (1, 5, 10))
    return f"{recalls}  MRR {(1 / ranks).mean():.3f}  ({len(ranks)} icons)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--furniture", type=Path, default=FURNITURE)
    parser.add_argument("--folder", type=Path, default=WORK.parents[1] / "models")
    parser.add_argument("--viewpoints", choices=VIEWPOINTS, default="fibonacci-12")
    parser.add_argument("--base", type=float, nargs=3, help="linear RGB of the material")
    parser.add_argument("--line", type=float, help="darkness of edge lines, 0..1")
    parser.add_argument("--margin", type=float, help="free border, a share of the side")
    parser.add_argument("--as-photo", action="store_true", help="ask as picture search does")
    parser.add_argument("--as-filed", action="store_true", help="do not stand the parts upright")
    arguments = parser.parse_args()
    chosen = {
        key: value
        for key in ("base", "line", "margin")
        if (value := getattr(arguments, key)) is not None
    }
    settings = Settings(
        viewpoints=arguments.viewpoints,
        style=replace(RenderStyle(), **chosen),
        upright=not arguments.as_filed,
        as_photo=arguments.as_photo,
    )
    encoder = encoder_make("mini", folder=arguments.folder)
    collection = collection_embed(furniture_dev(arguments.furniture), encoder, settings)
    ranks = own_ranks(collection)
    choosing = np.array([name_is_for_choosing(str(name)) for name in collection.names])
    print(f"{len(ranks)} parts, {encoder.space.key}, {settings.viewpoints}")
    for label, which in (("all", choosing | True), ("choose", choosing), ("report", ~choosing)):
        print(f"{label:7} {figures(ranks[which])}")


if __name__ == "__main__":
    main()
