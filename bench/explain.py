"""How far the heat of an explanation can be trusted, and what it costs.

Pairs of a query and the part that answers it: half are coloured icons of real furniture (another
program's materials and light) beside the model's own view, half a part made by code, from any
side, beside another part of its family. One half of names was for choosing the method, the other
reports. By the mini encoder:

- deletion and insertion on each pair, beside random heat and the bare silhouette
- pointing: of four views in one picture, how much of the heat lies on the one asked for
- sanity: with the network's weights shuffled, and for another query, the heat must be another
- places that match between two renders of a part at most 30 degrees apart, against depth
- what the cells cost beside an encoding

    python -m bench.explain [--choose] [--pairs 200] [--only faithfulness]

Needs Debian's `sweethome3d-furniture`; the shuffled network, the package `onnx`.
"""

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from bench.furniture import furniture_dev
from bench.quality_icons import name_is_for_choosing, part_triangles
from bench.running import table
from catalog.families.registry import FAMILIES
from catalog.families.types import family_sample
from search.engine.encoders.mini import NETWORK, MiniEncoder
from search.engine.explain.exact import ExactExplainer
from search.engine.explain.faith import Faithfulness, faithfulness
from search.engine.explain.fine import fine_read
from search.engine.explain.occlusion import OcclusionExplainer
from search.engine.explain.pairs import pairs_find
from search.engine.explain.picture import picture_heat
from search.engine.explain.spread import heat_masked, heat_spread
from search.engine.photo.prepare import photo_embed, photo_prepare
from search.engine.render.types import Camera
from search.engine.render.viewpoints import viewpoints_fibonacci
from search.engine.render.views import views_render

MODELS = Path(__file__).parents[1] / "models"
MOST_TRIANGLES = 100_000
SIDE = 224

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class QueryPair:
    """A query's picture (s, s, 3) and vector (d,), and the view (s, s, 3) that answers it, its part
    in `mask` (s, s)."""

    kind: str
    query: NDArray[np.uint8]
    target: Floats
    view: NDArray[np.uint8]
    mask: NDArray[np.bool_]


def pairs_make(half: str, count: int, encoder: MiniEncoder) -> list[QueryPair]:
    """`count` pairs of the names of one half, "choose" or "report"."""
    chosen = half == "choose"
    rng = np.random.default_rng(5)
    models = [m for m in furniture_dev() if name_is_for_choosing(m.name) == chosen]
    viewpoints = viewpoints_fibonacci(12)
    found: list[QueryPair] = []
    for index in rng.permutation(len(models)):
        triangles = part_triangles(models[index])
        if len(triangles) <= MOST_TRIANGLES:
            photo = photo_prepare(models[index].icon)
            asked = photo.variants, photo_embed(photo, encoder)
            found.append(_pair("furniture", asked, triangles, viewpoints, encoder))
        if len(found) >= count // 2:
            break
    families = [
        family
        for key, family in FAMILIES.items()
        if family.group != "furniture" and name_is_for_choosing(key) == chosen
    ]
    for index in range(count - len(found)):
        family, turn = families[index % len(families)], index // len(families)
        one, other = (
            np.ascontiguousarray(
                family_sample(family, 100 + 2 * turn + which).triangles, np.float32
            )
            for which in (0, 1)
        )
        side = rng.normal(size=3)
        pictures = views_render(one, viewpoints=side[None]).rgb
        asked = pictures, encoder.pictures_embed(pictures)
        found.append(_pair("made", asked, other, viewpoints, encoder))
    return found


def _pair(
    kind: str,
    asked: tuple[NDArray[np.uint8], Floats],
    triangles: Floats,
    viewpoints: NDArray[np.float64],
    encoder: MiniEncoder,
) -> QueryPair:
    """The query's best way of looking, and the view that is nearest to it."""
    pictures, vectors = asked
    views = views_render(triangles, viewpoints=viewpoints)
    nearness = vectors @ encoder.pictures_embed(views.rgb).T
    own, view = np.unravel_index(int(nearness.argmax()), nearness.shape)
    return QueryPair(kind, pictures[own], vectors[own], views.rgb[view], views.mask[view] > 127)


# --- deletion and insertion ---------------------------------------------------------------------


def heats(encoder: MiniEncoder, *, occluded: bool) -> dict[str, Callable[[QueryPair], Floats]]:
    """The ways to heat a pair's view (s, s): the one shown, and what it is made of."""
    exact = ExactExplainer(encoder)
    occlusion = OcclusionExplainer(encoder.pictures_embed)

    def shown(pair: QueryPair) -> Floats:
        return picture_heat(exact, pair.view, pair.mask, pair.target)[1]

    def spread(explainer: ExactExplainer | OcclusionExplainer, pair: QueryPair) -> Floats:
        cells = explainer.heat(pair.view[None], pair.target)[0]
        return heat_masked(heat_spread(cells, size=SIDE), pair.mask)

    ways = {"shown": shown, "cells only": lambda pair: spread(exact, pair)}
    if occluded:
        ways["occlusion"] = lambda pair: spread(occlusion, pair)
    return ways


def faithfulness_print(pairs: Sequence[QueryPair], *, occluded: bool) -> None:
    """Two processes share the pairs: each is some 150 encodings."""
    with ProcessPoolExecutor(2) as pool:
        each = list(pool.map(_faith_of, pairs, range(len(pairs)), repeat(occluded), chunksize=5))
    found = {name: [one[name] for one in each] for name in each[0]}
    rows: list[list[object]] = [[name, *_faith_row(of)] for name, of in found.items()]
    heads = [
        "heat", "deletion", "random", "silhouette", "below random", "insertion", "random",
        "silhouette", "del < random", "ins > random", "del < silh.", "ins > silh.", "both < and >",
    ]  # fmt: skip
    print(table(heads, rows))


def _faith_of(pair: QueryPair, index: int, occluded: bool) -> dict[str, Faithfulness]:
    encoder = _encoder()
    ways = heats(encoder, occluded=occluded)
    found = faithfulness(
        pair.view,
        np.stack([heat(pair) for heat in ways.values()]),
        pair.mask,
        lambda pictures: encoder.pictures_embed(pictures) @ pair.target,
        seed=index,
    )
    return dict(zip(ways, found, strict=True))


@cache
def _encoder() -> MiniEncoder:
    return MiniEncoder(MODELS)


def _faith_row(found: Sequence[Faithfulness]) -> list[str]:
    columns = {
        name: np.array([getattr(one, name) for one in found])
        for name in Faithfulness.__dataclass_fields__
    }
    deletion, insertion = columns["deletion"], columns["insertion"]
    wins = [
        deletion < columns["deletion_random"],
        insertion > columns["insertion_random"],
        deletion < columns["deletion_silhouette"],
        insertion > columns["insertion_silhouette"],
    ]
    below = 1 - deletion.mean() / columns["deletion_random"].mean()
    means = [
        columns[name].mean()
        for name in ("deletion", "deletion_random", "deletion_silhouette")
    ] + [
        columns[name].mean()
        for name in ("insertion", "insertion_random", "insertion_silhouette")
    ]  # fmt: skip
    shares = [f"{won.mean():.2f}" for won in (*wins, np.logical_and.reduce(wins))]
    texts = [f"{mean:.3f}" for mean in means]
    return [*texts[:3], f"{below:.0%}", *texts[3:], *shares]


# --- pointing -----------------------------------------------------------------------------------


def pointing_print(pairs: Sequence[QueryPair], encoder: MiniEncoder, *, count: int) -> None:
    """Energy of the heat on the queried one of four views; those four are less alike than .5."""
    rng = np.random.default_rng(0)
    explainer = ExactExplainer(encoder)
    views = encoder.pictures_embed(np.stack([pair.view for pair in pairs]))
    alike = views @ views.T
    energies: dict[str, list[float]] = {"cells that add": [], "as shown": []}
    while len(energies["as shown"]) < count:
        four = rng.permutation(len(pairs))[:4]
        if (alike[np.ix_(four, four)] - np.eye(4)).max() > 0.5:
            continue
        picture, mask = _mosaic([pairs[i] for i in four])
        cells, heat = picture_heat(explainer, picture, mask, pairs[four[0]].target)
        adding = np.clip(heat_spread(cells, size=SIDE), 0, None)
        for name, energy in (("cells that add", adding), ("as shown", heat)):
            corner = energy[: SIDE // 2, : SIDE // 2].sum()
            energies[name].append(float(corner / max(energy.sum(), 1e-9)))
    rows: list[list[object]] = [
        [name, f"{np.mean(of):.3f}", f"{np.mean(np.array(of) > 0.5):.2f}", len(of)]
        for name, of in energies.items()
    ]
    print(table(["heat", "energy in the queried cell (chance .25)", "over half", "mosaics"], rows))


def _mosaic(pairs: Sequence[QueryPair]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    half = SIDE // 2
    picture = np.full((SIDE, SIDE, 3), 255, np.uint8)
    mask = np.zeros((SIDE, SIDE), bool)
    for place, pair in enumerate(pairs):
        row, column = place // 2 * half, place % 2 * half
        at = np.s_[row : row + half, column : column + half]
        picture[at] = cv2.resize(pair.view, (half, half), interpolation=cv2.INTER_AREA)
        small = cv2.resize(pair.mask.astype(np.uint8), (half, half), interpolation=cv2.INTER_AREA)
        mask[at] = small > 0
    return picture, mask


# --- sanity -------------------------------------------------------------------------------------


def sanity_print(pairs: Sequence[QueryPair], encoder: MiniEncoder) -> None:
    """Rank correlation of cells on the part: with shuffled weights, and for another query."""
    shuffled = shuffled_encoder()
    ours, theirs = ExactExplainer(encoder), ExactExplainer(shuffled)
    random, other = [], []
    for index, pair in enumerate(pairs):
        view = pair.view[None]
        mine = ours.heat(view, pair.target)[0]
        target = shuffled.pictures_embed(pair.query[None])[0]
        second = pairs[(index + len(pairs) // 2 + 1) % len(pairs)].target
        on = cv2.resize(pair.mask.astype(np.uint8) * 255, (7, 7), interpolation=cv2.INTER_AREA) > 60
        random.append(spearmanr(mine[on], theirs.heat(view, target)[0][on]).statistic)
        other.append(spearmanr(mine[on], ours.heat(view, second)[0][on]).statistic)
    rows: list[list[object]] = [
        ["shuffled weights", f"{np.nanmean(random):.2f}", f"{np.nanmedian(random):.2f}"],
        ["another query", f"{np.nanmean(other):.2f}", f"{np.nanmedian(other):.2f}"],
    ]
    print(table(["cells compared with those of", "mean rho", "median rho"], rows))


def shuffled_encoder() -> MiniEncoder:
    """The mini encoder with each convolution's weights in another order, and its projection too."""
    import onnx
    from onnx import numpy_helper

    rng = np.random.default_rng(0)
    folder = Path(tempfile.mkdtemp(prefix="shuffled-"))
    manifest = json.loads((MODELS / "manifest.json").read_text(encoding="utf-8"))
    for name in manifest["mini"]["files"]:
        (folder / name).write_bytes((MODELS / name).read_bytes())
    network = onnx.load(MODELS / NETWORK)
    for held in network.graph.initializer:
        array = numpy_helper.to_array(held)
        if array.ndim >= 2:
            mixed = rng.permutation(array.ravel()).reshape(array.shape)
            held.CopyFrom(numpy_helper.from_array(mixed, held.name))
    onnx.save(network, folder / NETWORK)
    projection = np.load(folder / "lite0.projection.npy", allow_pickle=False)
    np.save(
        folder / "lite0.projection.npy",
        rng.permutation(projection.ravel()).reshape(projection.shape),
    )
    for name, file in manifest["mini"]["files"].items():
        file["sha256"] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return MiniEncoder(folder)


# --- places that match --------------------------------------------------------------------------


def places_print(half: str, encoder: MiniEncoder, *, count: int) -> None:
    """PCK@0.1 of the part's longer side, two renders 5 to 30 degrees apart, truth from depth."""
    rng = np.random.default_rng(3)
    explainer = ExactExplainer(encoder)
    right: list[bool] = []
    still: list[bool] = []
    numbers = []
    for triangles in _parts(half, count, rng):
        side, across = rng.normal(size=(2, 3))
        side /= np.linalg.norm(side)
        across -= across @ side * side
        across /= np.linalg.norm(across)
        angle = np.radians(rng.uniform(5, 30))
        second = side * np.cos(angle) + across * np.sin(angle)
        views = views_render(triangles, viewpoints=[side, second])
        patches = fine_read(views.rgb, explainer.patches)
        pairs = pairs_find(patches[0], patches[1], views.mask[0] > 127, views.mask[1] > 127)
        numbers.append(len(pairs))
        for pair in pairs:
            truth = _seen_again(pair.x, pair.y, views.cameras, views.depth)
            if truth is not None:
                right.append(bool(np.hypot(truth[0] - pair.u, truth[1] - pair.v) <= 0.1 * 0.92))
                still.append(bool(np.hypot(truth[0] - pair.x, truth[1] - pair.y) <= 0.1 * 0.92))
    rows: list[list[object]] = [
        ["pairs", f"{np.mean(right):.3f}", len(right), f"{np.mean(numbers):.1f}"],
        ["the same place of the picture", f"{np.mean(still):.3f}", len(still), ""],
    ]
    print(table(["matched by", "PCK@0.1", "pairs judged", "pairs a picture"], rows))


def _parts(half: str, count: int, rng: np.random.Generator) -> list[Floats]:
    chosen = half == "choose"
    models = [m for m in furniture_dev() if name_is_for_choosing(m.name) == chosen]
    found = []
    for index in rng.permutation(len(models)):
        triangles = part_triangles(models[index])
        if len(triangles) <= MOST_TRIANGLES:
            found.append(triangles)
        if len(found) == count // 2:
            break
    keys = [k for k, f in FAMILIES.items() if f.group != "furniture"]
    keys = [key for key in keys if name_is_for_choosing(key) == chosen]
    for index in rng.permutation(len(keys))[: count - len(found)]:
        sample = family_sample(FAMILIES[keys[index]], 9).triangles
        found.append(np.ascontiguousarray(sample, np.float32))
    return found


def _seen_again(
    x: float, y: float, cameras: tuple[Camera, ...], depth: Floats
) -> tuple[float, float] | None:
    """Where the second camera sees what the first sees at (x, y); None where it does not."""
    one, two = cameras
    column, row = min(int(x * SIDE), SIDE - 1), min(int(y * SIDE), SIDE - 1)
    far = float(depth[0, row, column])
    if not np.isfinite(far):
        return None
    ray = np.array([
        (x * SIDE - one.principal[0]) / one.focal, (y * SIDE - one.principal[1]) / one.focal, 1.0,
    ])  # fmt: skip
    place = (ray * far - one.translation) @ one.rotation
    a, b, z = two.rotation @ place + two.translation
    u, v = a / z * two.focal + two.principal[0], b / z * two.focal + two.principal[1]
    if not (0 <= u < SIDE and 0 <= v < SIDE) or z > depth[1, int(v), int(u)] + 0.05:
        return None
    return float(u / SIDE), float(v / SIDE)


# --- cost ---------------------------------------------------------------------------------------


def cost_print(pairs: Sequence[QueryPair], encoder: MiniEncoder, *, turns: int = 60) -> None:
    """Medians of one thread, each way in turn: an encoding, the same with its cells' heat."""
    explainer = ExactExplainer(encoder)
    view, mask, target = pairs[0].view, pairs[0].mask, pairs[0].target

    ways: dict[str, Callable[[], object]] = {
        "encoding": lambda: encoder.pictures_embed(view[None]),
        "encoding and exact cells": lambda: explainer.heat(view[None], target),
        "heat as shown": lambda: picture_heat(explainer, view, mask, target),
        "occlusion": lambda: OcclusionExplainer(encoder.pictures_embed).heat(view[None], target),
    }
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(turns):
        for name, run in ways.items():
            if name == "occlusion" and turn >= 5:
                continue
            start = time.process_time()
            run()
            spent[name].append((time.process_time() - start) * 1000)
    base = float(np.median(spent["encoding"]))
    rows: list[list[object]] = [
        [name, f"{np.median(ms):.2f}", f"{np.median(ms) / base:.2f}"] for name, ms in spent.items()
    ]
    print(table(["one view, one thread, CPU time", "ms", "encodings"], rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--choose", action="store_true", help="the half to choose the method by")
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--only", choices=("faithfulness", "pointing", "sanity", "places", "cost"))
    parser.add_argument("--occlusion", action="store_true", help="occlusion's heat beside, slowly")
    options = parser.parse_args()
    half = "choose" if options.choose else "report"
    encoder = MiniEncoder(MODELS)
    pairs = pairs_make(half, options.pairs, encoder)
    kinds = {kind: sum(pair.kind == kind for pair in pairs) for kind in ("furniture", "made")}
    print(f"{len(pairs)} pairs {kinds}, half {half}, {encoder.space.key}\n")
    steps: dict[str, Callable[[], None]] = {
        "cost": lambda: cost_print(pairs, encoder),
        "pointing": lambda: pointing_print(pairs, encoder, count=len(pairs)),
        "sanity": lambda: sanity_print(pairs, encoder),
        "places": lambda: places_print(half, encoder, count=min(60, len(pairs))),
        "faithfulness": lambda: faithfulness_print(pairs, occluded=options.occlusion),
    }
    for name, step in steps.items():
        if options.only in (None, name):
            step()
            print(flush=True)


if __name__ == "__main__":
    main()
