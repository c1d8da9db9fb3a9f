"""The galleries that words are tried on: parts, what they are, and their raw features, kept.

Features are the network's own numbers before any head, kept in bench/work/words by the network's
checksum, pictures of a few probes and the list of parts. New heads are measured in seconds.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from bench.others import others_read
from bench.quality_icons import WORK
from catalog.families.registry import FAMILIES
from catalog.families.types import family_sample
from search.engine.encoders.mini import NETWORK
from search.engine.mesh.load import mesh_load
from search.engine.render.viewpoints import viewpoints_fibonacci
from search.engine.render.views import views_render
from training.collections import furniture
from training.collections.types import CollectionPart, Triangles

VIEWS = 12
# Threads, curves, thin walls and stones: what a change of the renderer would show on.
PROBES = ("hex_bolt", "halo_ring", "vase", "perforated_plate")
KEPT = WORK / "words"
Split = Literal["validation", "test"]
# Seeds that training never draws; each split has its own parts of the same families.
SEEDS = {"validation": range(900, 903), "test": range(950, 953)}


class MapEncoder(Protocol):
    """The network whose features are kept: MiniEncoder."""

    def maps_embed(
        self, pictures: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]: ...


@dataclass(frozen=True)
class Part:
    """`key` names the part within its gallery for good; `kind` is what it is."""

    key: str
    kind: str
    triangles: Callable[[], Triangles]


@dataclass(frozen=True)
class Gallery:
    """p parts and their raw features (p, 12, 1280)."""

    parts: list[Part]
    features: NDArray[np.float16]

    @property
    def kinds(self) -> NDArray[np.str_]:
        return np.array([part.kind for part in self.parts])


def furniture_parts() -> dict[str, CollectionPart]:
    """The development furniture by key."""
    return {part.key: part for part in furniture.parts()}


def furniture_gallery(encoder: MapEncoder, folder: Path) -> Gallery:
    """All development furniture, upright; a part's kind is its English name in lower case."""
    parts = [Part(of.key, of.name, of.triangles) for of in furniture_parts().values()]
    return gallery_load("furniture", parts, encoder, folder)


def families_gallery(
    encoder: MapEncoder, folder: Path, *, split: Split, turned: Literal["upright", "any"]
) -> Gallery:
    """Three parts of every family, from the shares of their ranges that training leaves out."""
    parts = [
        Part(f"{key}-{seed}", key, partial(_family_triangles, key, seed, turned))
        for seed in SEEDS[split]
        for key in FAMILIES
    ]
    return gallery_load(f"families-{split}-{turned}", parts, encoder, folder)


def _family_triangles(key: str, seed: int, turned: Literal["upright", "any"]) -> Triangles:
    sample = family_sample(FAMILIES[key], seed, part_of_range="held_out", turned=turned)
    return sample.triangles


def others_gallery(encoder: MapEncoder, folder: Path, source: Path) -> Gallery:
    """The STL files of a folder as `bench.others` writes them; kind is the class in English."""
    parts = [
        Part(other.path.name, other.class_en, partial(_stl_triangles, other.path))
        for other in others_read(source)
    ]
    return gallery_load(f"others-{source.name}", parts, encoder, folder)


def _stl_triangles(path: Path) -> Triangles:
    return mesh_load(path).triangles_upright


def gallery_load(
    name: str, parts: Sequence[Part], encoder: MapEncoder, folder: Path, *, kept: Path = KEPT
) -> Gallery:
    """The parts with features, computed only when these were never seen by this network.

    `folder` is where the encoder's files are. Raises what reading or rendering a part raises.
    """
    network = hashlib.sha256((folder / NETWORK).read_bytes()).hexdigest()
    identity = "\n".join([network, probes_digest(), *(part.key for part in parts)])
    path = kept / f"{name}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}.npy"
    if not path.exists():
        kept.mkdir(parents=True, exist_ok=True)
        features = np.stack(list(_features(name, parts, encoder)))
        np.save(path, features)
    return Gallery(list(parts), np.load(path, allow_pickle=False))


@cache
def probes_digest() -> str:
    """Tells renderers apart by what they draw: one that mends a rare case keeps its features."""
    digest = hashlib.sha256()
    for key in PROBES:
        triangles = _family_triangles(key, 0, "upright")
        digest.update(views_render(triangles, viewpoints=viewpoints_fibonacci(VIEWS)).rgb.tobytes())
    return digest.hexdigest()


def _features(
    name: str, parts: Sequence[Part], encoder: MapEncoder
) -> Iterable[NDArray[np.float16]]:
    viewpoints = viewpoints_fibonacci(VIEWS)
    for number, part in enumerate(parts, start=1):
        if number % 100 == 0:
            print(f"{name}: {number} of {len(parts)} parts seen", flush=True)
        pictures = views_render(part.triangles(), viewpoints=viewpoints).rgb
        _, maps = encoder.maps_embed(pictures)
        # The network's answer is the mean of its map: what every head reads.
        yield maps.mean(axis=(1, 2)).astype(np.float16)
