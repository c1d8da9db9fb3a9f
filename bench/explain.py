"""How far the heat of an explanation can be trusted, and what it costs.

Pairs of a query and the part that answers it: half are coloured icons of real furniture (another
program's materials and light) beside the model's own view, half a part made by code, from any
side, beside another part of its family. One half of names was for choosing the method, the other
reports. By the mini encoder:

- deletion and insertion on each pair, beside random heat and the bare silhouette
- pointing: of four views in one picture, how much of the heat lies on the one asked for
- sanity: with the network's weights shuffled, and for another query, the heat must be another
- places that match between two renders of a part at most 30 degrees apart, against depth
- what the cells and the shown heat cost beside an encoding

    python -m bench.explain [--choose] [--pairs 200] [--only faithfulness] [--processes 2]

Needs Debian's `sweethome3d-furniture`; the shuffled network, the package `onnx`.
"""

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from bench.explain_faith import faithfulness_print
from bench.explain_pairs import MODELS, SIDE, Floats, QueryPair, pairs_make, shown_heat
from bench.explain_places import places_print
from bench.running import table
from search.engine.encoders.mini import NETWORK, MiniEncoder
from search.engine.explain.exact import ExactExplainer
from search.engine.explain.occlusion import OcclusionExplainer
from search.engine.explain.picture import picture_heat
from search.engine.explain.spread import heat_spread

# --- pointing -----------------------------------------------------------------------------------


def pointing_print(pairs: Sequence[QueryPair], encoder: MiniEncoder, *, count: int) -> None:
    """Energy of the heat on the queried one of four views; those four are less alike than .5."""
    rng = np.random.default_rng(0)
    explainer = ExactExplainer(encoder)
    views = encoder.pictures_embed(np.stack([pair.view for pair in pairs]))
    alike = views @ views.T
    names = "cells that add", "exact cells, finer", "masks, as shown"
    energies: dict[str, list[float]] = {name: [] for name in names}
    while len(energies[names[0]]) < count:
        four = rng.permutation(len(pairs))[:4]
        if (alike[np.ix_(four, four)] - np.eye(4)).max() > 0.5:
            continue
        picture, mask = _mosaic([pairs[i] for i in four])
        cells, heat = picture_heat(explainer, picture, mask, pairs[four[0]].target)
        adding = np.clip(heat_spread(cells, size=SIDE), 0, None)
        masks = shown_heat(encoder, picture, mask, pairs[four[0]].target)
        for name, energy in zip(names, (adding, heat, masks), strict=True):
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


def sanity_print(pairs: Sequence[QueryPair], encoder: MiniEncoder, *, measured: int) -> None:
    """Rank correlation of a heat on the part, by 7 x 7 cells, with that of shuffled weights, for
    another query, with another seed's masks; masks on every so-manieth pair, `measured` in all."""
    shuffled = shuffled_encoder()
    steps = {"exact cells": 1, "masks, as shown": max(1, len(pairs) // measured)}
    rows: list[list[object]] = []
    for name, step in steps.items():
        found: dict[str, list[float]] = {"shuffled weights": [], "another query": []}
        for index in range(0, len(pairs), step):
            pair, cover = pairs[index], _cells_of(pairs[index].mask.astype(np.float32))
            on = cover > 0.24
            second = pairs[(index + len(pairs) // 2 + 1) % len(pairs)].target
            random = shuffled.pictures_embed(pair.query[None])[0]
            heats = {
                "shuffled weights": _sane_heat(name, pair, shuffled, random),
                "another query": _sane_heat(name, pair, encoder, second),
            }
            if name != "exact cells":
                heats["another seed"] = _sane_heat(name, pair, encoder, pair.target, seed=1)
            mine = _sane_heat(name, pair, encoder, pair.target)
            for against, heat in heats.items():
                # A pixel's heat, not a cell's: how much of the part a cell holds is no finding.
                scale = 1 if name == "exact cells" else cover[on]
                rho = spearmanr(mine[on] / scale, heat[on] / scale).statistic
                found.setdefault(against, []).append(rho)
        for against, rhos in found.items():
            mean, median = f"{np.nanmean(rhos):.2f}", f"{np.nanmedian(rhos):.2f}"
            rows.append([name, against, mean, median, len(rhos)])
    print(table(["heat", "compared with that of", "mean rho", "median rho", "pairs"], rows))


def _sane_heat(
    name: str, pair: QueryPair, encoder: MiniEncoder, target: Floats, *, seed: int = 0
) -> Floats:
    if name == "exact cells":
        return ExactExplainer(encoder).heat(pair.view[None], target)[0]
    return _cells_of(shown_heat(encoder, pair.view, pair.mask, target, seed=seed))


def _cells_of(heat: Floats) -> Floats:
    return np.asarray(cv2.resize(heat, (7, 7), interpolation=cv2.INTER_AREA), np.float32)


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


# --- cost ---------------------------------------------------------------------------------------


def cost_print(pairs: Sequence[QueryPair], encoder: MiniEncoder, *, turns: int = 60) -> None:
    """Medians of one thread, each way in turn: an encoding, the same with its cells' heat."""
    explainer = ExactExplainer(encoder)
    view, mask, target = pairs[0].view, pairs[0].mask, pairs[0].target

    ways: dict[str, Callable[[], object]] = {
        "encoding": lambda: encoder.pictures_embed(view[None]),
        "encoding and exact cells": lambda: explainer.heat(view[None], target),
        "exact cells, finer": lambda: picture_heat(explainer, view, mask, target),
        "masks, as shown": lambda: shown_heat(encoder, view, mask, target),
        "occlusion": lambda: OcclusionExplainer(encoder.pictures_embed).heat(view[None], target),
    }
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(turns):
        for name, run in ways.items():
            if name in ("occlusion", "masks, as shown") and turn >= 5:
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
    parser.add_argument("--processes", type=int, default=2, help="that share the pairs")
    options = parser.parse_args()
    half = "choose" if options.choose else "report"
    encoder = MiniEncoder(MODELS)
    pairs = pairs_make(half, options.pairs, encoder)
    kinds = {kind: sum(pair.kind == kind for pair in pairs) for kind in ("furniture", "made")}
    print(f"{len(pairs)} pairs {kinds}, half {half}, {encoder.space.key}\n")
    steps: dict[str, Callable[[], None]] = {
        "cost": lambda: cost_print(pairs, encoder),
        "pointing": lambda: pointing_print(pairs, encoder, count=len(pairs)),
        "sanity": lambda: sanity_print(pairs, encoder, measured=50),
        "places": lambda: places_print(half, encoder, count=min(60, len(pairs))),
        "faithfulness": lambda: faithfulness_print(
            pairs, occluded=options.occlusion, processes=options.processes
        ),
    }
    for name, step in steps.items():
        if options.only in (None, name):
            step()
            print(flush=True)


if __name__ == "__main__":
    main()
