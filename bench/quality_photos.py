"""How often a photo finds the part it shows: the photo query's figures on simulated pictures.

A gallery of mechanical, jewelry and household parts made by code, and of real furniture. The
queries are photos by another renderer than ours (`bench.photo_simulator`: real materials and
light, textured grounds, shadows, perspective, blur, noise), from any side. Half of the parts are
for choosing settings, the other half, with other seeds, for reporting what the choice is worth.
Relevant is the part itself or one of the same geometry up to motion and scale.

    python -m bench.quality_photos            # the figures to report
    python -m bench.quality_photos --choose   # the half to choose settings by

Needs the extra `bench` (embreex) and Debian's `sweethome3d-furniture`. The first run takes about
two seconds a photo; photos and embeddings are kept in bench/work/.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.furniture import furniture_dev
from bench.quality_icons import part_triangles, render_sources
from catalog.families.registry import FAMILIES
from catalog.families.types import family_sample
from search.engine.encoders.base import PictureEncoder
from search.engine.encoders.choose import encoder_make
from search.engine.photo.decode import picture_decode
from search.engine.photo.mask import mask_find
from search.engine.photo.prepare import photo_embed, photo_prepare
from search.engine.photo.types import Photo
from search.engine.render.viewpoints import viewpoints_fibonacci
from search.engine.render.views import views_render

WORK = Path(__file__).parent / "work"
MODELS = Path(__file__).parents[1] / "models"
FURNITURE_PARTS = 240
MADE_PARTS = 260
MOST_TRIANGLES = 150_000  # the simulator shades in NumPy: larger parts take minutes a photo
METALS = {
    "steel", "aluminium", "gold", "rose gold", "silver", "brass", "black oxide",
}  # fmt: skip
PHOTOS = {"choose": 150, "report": 300}
FIRST_SEED = {"choose": 1_000_000, "report": 2_000_000}


@dataclass(frozen=True)
class GalleryPart:
    """A part standing on the xy plane; `name` is what parts of its class share."""

    id: str
    kind: str
    name: str
    triangles: NDArray[np.float32]
    digest: str


@dataclass(frozen=True)
class Shot:
    """A photo taken of one part of the gallery, the true mask (h, w), and what of on what."""

    part: int
    jpeg: bytes
    truth: NDArray[np.bool_]
    material: str
    ground: str


# --- the gallery --------------------------------------------------------------------------------


def gallery_parts() -> list[GalleryPart]:
    """At most `FURNITURE_PARTS` models of the development list and about `MADE_PARTS` made ones."""
    parts = []
    models = furniture_dev()
    for index in np.random.default_rng(0).permutation(len(models)):
        model = models[index]
        triangles = part_triangles(model)
        if len(triangles) <= MOST_TRIANGLES:
            parts.append(_part(model.id, "furniture", model.name.lower(), triangles))
        if len(parts) == FURNITURE_PARTS:
            break
    made = [family for family in FAMILIES.values() if family.group != "furniture"]
    for turn in range(-(-MADE_PARTS // len(made))):
        for family in made:
            triangles = family_sample(family, 7_000 + turn).triangles
            triangles = triangles - (triangles.min((0, 1)) + triangles.max((0, 1))) / 2
            triangles /= np.linalg.norm(triangles, axis=2).max()
            kind = "jewelry" if family.group == "jewelry" else "mechanical"
            parts.append(_part(f"{family.key}-{turn}", kind, family.key, triangles))
    return parts[: FURNITURE_PARTS + MADE_PARTS]


def _part(part_id: str, kind: str, name: str, triangles: NDArray[np.float32]) -> GalleryPart:
    triangles = np.ascontiguousarray(triangles, np.float32)
    digest = hashlib.sha256(triangles.tobytes()).hexdigest()[:16]
    return GalleryPart(part_id, kind, name, triangles, digest)


def same_shape(parts: Sequence[GalleryPart], *, tolerance: float = 0.012) -> NDArray[np.bool_]:
    """(p, p) whether two parts are one geometry up to motion, mirror and scale.

    By the quantiles of the distances between 60,000 pairs of surface points, in units of their
    root mean square; sampling moves each by about 0.004.
    """
    quantiles = np.stack([_distance_quantiles(part.triangles) for part in parts])
    gaps = np.abs(quantiles[:, None] - quantiles[None]).max(axis=2)
    return gaps < tolerance


def _distance_quantiles(triangles: NDArray[np.float32]) -> NDArray[np.float64]:
    rng = np.random.default_rng(0)
    corners = triangles.astype(np.float64)
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    face = rng.choice(len(areas), size=120_000, p=areas / areas.sum())
    root, along = np.sqrt(rng.random(120_000))[:, None], rng.random(120_000)[:, None]
    points = a[face] * (1 - root) + b[face] * root * (1 - along) + c[face] * root * along
    distances = np.linalg.norm(points[::2] - points[1::2], axis=1)
    distances /= np.sqrt((distances**2).mean())
    return np.quantile(distances, np.linspace(0.03, 0.99, 33))


def gallery_embed(parts: Sequence[GalleryPart], encoder: PictureEncoder) -> NDArray[np.float32]:
    """(p, v, d), kept until the parts, the renderer or the encoder change."""
    content = " ".join([encoder.space.key, render_sources(), *(part.digest for part in parts)])
    path = WORK / f"photo-gallery-{hashlib.sha256(content.encode()).hexdigest()[:12]}.npy"
    if path.exists():
        return np.load(path, allow_pickle=False)
    viewpoints = viewpoints_fibonacci(12)
    views = np.stack(
        [
            encoder.pictures_embed(views_render(part.triangles, viewpoints=viewpoints).rgb)
            for part in parts
        ]
    )
    WORK.mkdir(exist_ok=True)
    np.save(path, views)
    return views


# --- the photos ---------------------------------------------------------------------------------


def shots_take(parts: Sequence[GalleryPart], half: str, *, count: int = 10_000) -> list[Shot]:
    """The photos of one half, at most `count`: part after part of it, each from another side."""
    mine = [i for i, part in enumerate(parts) if _is_for_choosing(part) == (half == "choose")]
    order = np.random.default_rng(FIRST_SEED[half]).permutation(mine)
    jobs = [
        (int(order[i % len(order)]), FIRST_SEED[half] + i) for i in range(min(count, PHOTOS[half]))
    ]
    with ProcessPoolExecutor(2) as pool:
        files = list(pool.map(_shot_file, [parts[i] for i, _ in jobs], [s for _, s in jobs]))
    return [_shot_read(part, file) for (part, _), file in zip(jobs, files, strict=True)]


def _shot_read(part: int, file: Path) -> Shot:
    truth = np.asarray(Image.open(file.with_suffix(".png"))) > 0
    told = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
    return Shot(part, file.read_bytes(), truth, told["material"], told["ground"])


def _is_for_choosing(part: GalleryPart) -> bool:
    return hashlib.sha256(part.id.encode()).digest()[0] % 2 == 0


def _shot_path(part: GalleryPart, seed: int) -> Path:
    here = Path(__file__).parent
    code = [(here / name).read_bytes() for name in ("photo_simulator.py", "photo_grounds.py")]
    identity = f"{hashlib.sha256(b''.join(code)).hexdigest()} {part.digest} {seed}"
    return WORK / "photos" / f"{hashlib.sha256(identity.encode()).hexdigest()[:20]}.jpg"


def _shot_file(part: GalleryPart, seed: int) -> Path:
    path = _shot_path(part, seed)
    told = path.with_suffix(".json")
    if not told.exists():  # written last: half a shot is none
        from bench.photo_simulator import photo_simulate  # embreex: only who takes photos needs it

        photo = photo_simulate(part.triangles, seed=seed, upright=part.kind == "furniture")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo.mask).save(path.with_suffix(".png"))
        path.write_bytes(photo.jpeg)
        told.write_text(json.dumps({"material": photo.material, "ground": photo.ground}))
    return path


# --- the figures --------------------------------------------------------------------------------


def similarities(
    encoder: PictureEncoder, photo: Photo, views: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(p,) the best of all pairs of a query vector and a view."""
    queries = photo_embed(photo, encoder)
    return np.stack([(queries @ view.T).max() for view in views])


def overlap(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    return float((found & truth).sum() / max((found | truth).sum(), 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--choose", action="store_true", help="the half to choose settings by")
    half = "choose" if parser.parse_args().choose else "report"
    parts = gallery_parts()
    encoder = encoder_make("mini", folder=MODELS)
    views, same = gallery_embed(parts, encoder), same_shape(parts)
    kinds, names = np.array([p.kind for p in parts]), np.array([p.name for p in parts])
    shots = shots_take(parts, half)
    spent: dict[str, list[float]] = {key: [] for key in ("decode", "mask", "prepare", "encode")}
    ranks, classes, overlaps, cuts = [], [], [], []
    for shot in shots:
        started = [time.process_time()]
        picture = picture_decode(shot.jpeg).picture
        started.append(time.process_time())
        mask_find(picture)
        started.append(time.process_time())
        photo = photo_prepare(shot.jpeg)
        started.append(time.process_time())
        scores = similarities(encoder, photo, views)
        started.append(time.process_time())
        for key, ms in zip(spent, np.diff(started) * 1000, strict=True):
            spent[key].append(float(ms))
        relevant = same[shot.part] | (np.arange(len(parts)) == shot.part)
        ranks.append(1 + int(((scores > scores[relevant].max()) & ~relevant).sum()))
        classes.append(names[scores.argmax()] == names[shot.part])
        overlaps.append(overlap(photo.mask > 0, shot.truth))
        cuts.append(photo.cut)
    for groups in (
        [kinds[shot.part] for shot in shots],
        [shot.ground for shot in shots],
        ["metal" if shot.material in METALS else shot.material for shot in shots],
    ):
        figures_print(np.array(ranks), np.array(classes), np.array(overlaps), np.array(groups))
    print(
        f"mask IoU: median {np.median(overlaps):.3f}  p25 {np.quantile(overlaps, 0.25):.3f}"
        f"  p5 {np.quantile(overlaps, 0.05):.3f}  cut out {np.mean(cuts):.3f}"
    )
    for key, ms in spent.items():
        what = {"prepare": " (decode and mask included)"}.get(key, "")
        print(f"{key:8} {np.median(ms):6.1f} ms  p95 {np.quantile(ms, 0.95):6.1f}{what}")
    pairs = (same.sum() - len(parts)) // 2
    print(f"gallery {len(parts)} parts, {pairs} pairs of one shape, {encoder.space.key}, {half}")


def figures_print(
    ranks: NDArray[np.int64],
    classes: NDArray[np.bool_],
    overlaps: NDArray[np.float64],
    groups: NDArray[np.str_],
) -> None:
    for group in ("all", *np.unique(groups)):
        which = (groups == group) | (group == "all")
        recalls = "  ".join(f"R@{k} {(ranks[which] <= k).mean():.3f}" for k in (1, 5, 10))
        same_class = f"class R@1 {classes[which].mean():.3f}"
        cut = f"mask IoU {overlaps[which].mean():.3f}"
        print(f"{group:11} {recalls}  {same_class}  {cut}  ({which.sum()} photos)")


if __name__ == "__main__":
    main()
