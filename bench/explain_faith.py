"""Deletion and insertion on each pair, beside random heat and the silhouette (bench.explain)."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import repeat

import numpy as np

from bench.explain_pairs import MODELS, SIDE, Floats, QueryPair, shown_heat
from bench.running import table
from search.engine.encoders.mini import MiniEncoder
from search.engine.explain.exact import ExactExplainer
from search.engine.explain.faith import Faithfulness, faithfulness
from search.engine.explain.occlusion import OcclusionExplainer
from search.engine.explain.picture import picture_heat
from search.engine.explain.spread import heat_masked, heat_spread


def heats(encoder: MiniEncoder, *, occluded: bool) -> dict[str, Callable[[QueryPair], Floats]]:
    """The ways to heat a pair's view (s, s)."""
    exact = ExactExplainer(encoder)
    occlusion = OcclusionExplainer(encoder.pictures_embed)

    def masks(pair: QueryPair) -> Floats:
        return shown_heat(encoder, pair.view, pair.mask, pair.target)

    def cells(pair: QueryPair) -> Floats:
        return picture_heat(exact, pair.view, pair.mask, pair.target)[1]

    def spread(explainer: ExactExplainer | OcclusionExplainer, pair: QueryPair) -> Floats:
        cells = explainer.heat(pair.view[None], pair.target)[0]
        return heat_masked(heat_spread(cells, size=SIDE), pair.mask)

    ways = {
        "masks, as shown": masks,
        "exact cells, finer": cells,
        "exact cells": lambda pair: spread(exact, pair),
    }
    if occluded:
        ways["occlusion"] = lambda pair: spread(occlusion, pair)
    return ways


def faithfulness_print(pairs: Sequence[QueryPair], *, occluded: bool, processes: int = 2) -> None:
    """Processes share the pairs: each is some 220 encodings."""
    with ProcessPoolExecutor(processes) as pool:
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
