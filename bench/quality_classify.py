"""Which category an anonymous part belongs to: `python -m bench.quality_classify`.

Parts of every family, drawn from parameter ranges that training never saw, stood upright and seen
as the catalogue sees them; the right answer is the family's category, the choices are all there
are. First by the words of the categories alone, then with parts that people filed nearby. Figures
come from the reporting seeds; `--fit` fits the classifier's numbers on the choosing seeds, as they
stand in models/manifest.json (mini.classify).

Families that training left out whole stand for what people bring: they have half the weight of the
fit, and figures of their own with `--left-out`. Both tell something only of weights made without
them (`--models` names a folder of such: python -m training.words --fold validation).
"""

import argparse
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from scipy.optimize import minimize
from tqdm import tqdm

from bench.running import ROOT, table
from catalog.families.registry import FAMILIES
from catalog.families.types import family_sample
from catalog.families.words import CATEGORIES
from search import expand
from search.engine.calibration import Logistic, calibration_error, reliability
from search.engine.classify import Tuning, prompts_average, votes_mix, zero_shot
from search.engine.encoders.mini import MANIFEST, NETWORK, MiniEncoder
from search.engine.mesh.normalise import mesh_normalise
from search.engine.render.viewpoints import viewpoints_fibonacci
from search.engine.render.views import views_render
from stlcatalog.config import config_load
from training.collections.held_out import HELD_OUT_FAMILIES

CHOOSING, REPORTING = (2000, 2001), (2002, 2003, 2004)
WORK = ROOT / "bench" / "work" / "classify"
VIEWS = 12
NEIGHBOURS = 24  # as search/classify.py asks for
CONFIG = config_load(ROOT / "config" / "search.yaml")
THRESHOLD = CONFIG.classify.threshold
FILED = (0, 1, 2, 5, 10)  # parts of each category that people filed
STRANGERS = 0.1  # share of parts that are none of the categories, in the fit
NAMELESS = 0.1  # share of parts whose category has a name that says nothing, in the fit
PRIORS, SLOPES, MIDDLES = (0.5, 1.0, 2.0), (15.0, 25.0, 40.0), (0.7, 0.75, 0.8, 0.85, 0.9)
SCRIPTS = {"all prompts": "", "English only": "en", "Chinese only": "zh"}

Float = NDArray[np.float64]
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Parts:
    """vectors (n, dw) in the words' space; labels (n,) columns of the categories."""

    vectors: Vectors
    labels: NDArray[np.int64]
    families: list[str]

    def where(self, keep: NDArray[np.bool_]) -> "Parts":
        families = [key for key, kept in zip(self.families, keep, strict=True) if kept]
        return Parts(self.vectors[keep], self.labels[keep], families)


def seed_features(folder: Path, seed: int) -> NDArray[np.float16]:
    """(families, 12, 1280) what the network sees of one part of every family.

    Kept for the next run: the network seldom changes, and what stands on it often does.
    """
    network = (folder / NETWORK).read_bytes()
    path = WORK / f"{hashlib.sha256(network).hexdigest()[:12]}-{seed}.npy"
    if path.exists():
        return np.load(path, allow_pickle=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    found = []
    for family in tqdm(FAMILIES.values(), desc=f"seed {seed}"):
        made = family_sample(family, seed, part_of_range="held_out", turned="upright").triangles
        mesh = mesh_normalise(made.astype(np.float64), format="stl-binary")
        views = views_render(mesh.triangles_upright, viewpoints=viewpoints_fibonacci(VIEWS)).rgb
        (features,) = session.run(["features"], {"pictures": views})
        found.append(features.astype(np.float16))
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.stack(found))
    return np.load(path, allow_pickle=False)


def parts_load(encoder: MiniEncoder, folder: Path, seeds: Sequence[int]) -> Parts:
    """Every part as the product keeps it in the words' space: the mean of its views."""
    columns = {key: column for column, key in enumerate(CATEGORIES)}
    features = np.concatenate([seed_features(folder, seed) for seed in seeds])
    means = encoder.features_words(features.astype(np.float32)).mean(axis=1)
    return Parts(
        vectors=means / np.linalg.norm(means, axis=1, keepdims=True),
        labels=np.array([columns[f.category] for f in FAMILIES.values()] * len(seeds)),
        families=list(FAMILIES) * len(seeds),
    )


def prompts_of(encoder: MiniEncoder, script: str = "") -> Vectors:
    """(c, dw) as the product makes them from a category's names and prompts."""
    texts = [
        (column, text, expand.script_of(phrase))
        for column, words in enumerate(CATEGORIES.values())
        for phrase in (words.names.en, words.names.zh_hant, *words.prompts)
        if script in ("", expand.script_of(phrase))
        for text in expand.prompts(phrase, CONFIG.expansion.templates)
    ]
    columns, phrases, scripts = zip(*texts, strict=True)
    return prompts_average(encoder.texts_embed(phrases), columns, scripts)


# Asking ------------------------------------------------------------------------------------------


def filed_some(parts: Parts, *, each: int, seed: int) -> NDArray[np.int64]:
    """Places of `each` random parts of every category: what people filed."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(parts.labels))
    chosen = [order[parts.labels[order] == label][:each] for label in range(len(CATEGORIES))]
    return np.concatenate(chosen).astype(np.int64)


def neighbours(asked: Parts, filed: Parts) -> tuple[NDArray[np.int64], Float]:
    """(n, m) the labels of the nearest filed parts and their similarities."""
    similar = (asked.vectors @ filed.vectors.T).astype(np.float64)
    near = np.argsort(-similar, axis=1)[:, :NEIGHBOURS]
    return filed.labels[near], np.take_along_axis(similar, near, axis=1)


def mixed(words: Float, labels: NDArray[np.int64], similar: Float, tuning: Tuning) -> Float:
    """(n, c) confidences of n parts."""
    rows = zip(words, labels, similar, strict=True)
    return np.stack([votes_mix(row, near, how, tuning) for row, near, how in rows])


def figures(confidences: Float, labels: NDArray[np.int64]) -> list[str]:
    """Top-1, top-3, mean confidence, calibration error, share that is told none of these."""
    order = np.argsort(-confidences, axis=1)
    best = np.take_along_axis(confidences, order[:, :1], axis=1)[:, 0]
    right = order[:, 0] == labels
    among = (order[:, :3] == labels[:, None]).any(axis=1)
    shown = (
        right.mean(), among.mean(), best.mean(), calibration_error(np.minimum(best, 1), right),
        np.mean(best < THRESHOLD),
    )  # fmt: skip
    return [f"{value:.3f}" for value in shown]


HEADS = ["top-1", "top-3", "mean confidence", "ECE", "none of these"]


# Fitting -----------------------------------------------------------------------------------------


def fit(parts: Parts, prompts: Vectors, start: Tuning) -> Tuning:
    """The numbers under which what happened was likeliest, words first, then votes."""
    found = minimize(
        lambda x: words_loss(parts, prompts, replace(start, temperature=np.exp(x[0]), none=x[1])),
        [np.log(start.temperature), start.none], method="Nelder-Mead",
        options={"xatol": 1e-3, "fatol": 1e-5},
    )  # fmt: skip
    words = replace(start, temperature=float(np.exp(found.x[0])), none=float(found.x[1]))
    shares = zero_shot(parts.vectors, prompts, words)
    nameless = without_own(shares, parts.labels)
    weights = weights_of(parts)
    some = [parts_filed(parts, each, seed=each) for each in FILED[1:]]
    near = [(asked, *neighbours(parts.where(asked), parts.where(~asked))) for asked in some]

    def votes_loss(tuning: Tuning) -> float:
        total = 0.0
        for asked, labels, similar in near:
            for told, share in ((shares, 1 - NAMELESS), (nameless, NAMELESS)):
                found = mixed(told[asked], labels, similar, tuning)
                own = found[np.arange(len(found)), parts.labels[asked]]
                surprise = -np.log(np.maximum(own, 0.01))
                total += share * np.average(surprise, weights=weights[asked])
        return float(total / len(near))

    # A grid, so that a vote keeps its meaning: at best one, and nothing far away.
    tried = [
        replace(words, prior=prior, closeness=Logistic(slope, -slope * middle))
        for prior, slope, middle in product(PRIORS, SLOPES, MIDDLES)
    ]
    return min(tried, key=votes_loss)


def without_own(shares: Float, labels: NDArray[np.int64]) -> Float:
    """(n, c) what the words would say if the right category had a name that says nothing."""
    rows = np.arange(len(shares))
    gone = shares / np.maximum(1 - shares[rows, labels], 1e-9)[:, None]
    gone[rows, labels] = 0.0
    return gone


def parts_filed(parts: Parts, each: int, seed: int) -> NDArray[np.bool_]:
    """(n,) which parts are asked when so many of each category are filed."""
    asked = np.ones(len(parts.labels), bool)
    asked[filed_some(parts, each=each, seed=seed)] = False
    return asked


def words_loss(parts: Parts, prompts: Vectors, tuning: Tuning) -> float:
    """Mean surprise: at the right category, and at none of these once that category is gone."""
    shares = zero_shot(parts.vectors, prompts, tuning)
    own = shares[np.arange(len(shares)), parts.labels]
    none = 1 - shares.sum(axis=1)
    known = -np.log(np.maximum(own, 1e-9))
    strange = -np.log(np.maximum(none / np.maximum(1 - own, 1e-9), 1e-9))
    losses = (1 - STRANGERS) * known + STRANGERS * strange
    return float(np.average(losses, weights=weights_of(parts)))


def weights_of(parts: Parts) -> Float:
    """(n,) half of the weight to families left out of training, half to the others."""
    out = left_out(parts)
    return np.where(out, 0.5 / max(out.sum(), 1), 0.5 / max((~out).sum(), 1))


def left_out(parts: Parts) -> NDArray[np.bool_]:
    return np.array([key in HELD_OUT_FAMILIES for key in parts.families])


# Reporting ---------------------------------------------------------------------------------------


def report(parts: Parts, encoder: MiniEncoder, tuning: Tuning, *, only: NDArray[np.bool_]) -> None:
    """Figures of the parts that `only` (n,) names; all of them may be filed."""
    print(
        f"{only.sum()} parts, {len(CATEGORIES)} categories; {encoder.words_space.key}; {tuning}\n"
    )
    rows: list[list[object]] = []
    for name, script in SCRIPTS.items():
        shares = zero_shot(parts.vectors[only], prompts_of(encoder, script), tuning)
        rows.append([name, *figures(shares, parts.labels[only])])
    print(table(["words alone", *HEADS], rows))

    prompts = prompts_of(encoder)
    shares = zero_shot(parts.vectors, prompts, tuning)
    best = shares[only].max(axis=1)
    right = (shares.argmax(axis=1) == parts.labels)[only]
    curve = [
        [f"{row.low:.1f}-{row.high:.1f}", row.n, f"{row.confidence:.3f}", f"{row.right:.3f}"]
        for row in reliability(best, right)
    ]
    print("\nWords alone, all prompts:\n")
    print(table(["confidence", "parts", "its mean", "right"], curve))

    nameless = without_own(shares, parts.labels)
    none = np.mean(nameless[only].max(axis=1) < THRESHOLD)
    print(f"\nWithout its own category {none:.3f} of the parts are told none of these.\n")

    rows = []
    for each in FILED:
        filed = ~parts_filed(parts, each, 0)
        asked = only & ~filed
        for name, told in (("", shares), (", names say nothing", nameless)):
            found = told[asked]
            if each:
                found = mixed(found, *neighbours(parts.where(asked), parts.where(filed)), tuning)
            rows.append([f"{each}{name}", int(asked.sum()), *figures(found, parts.labels[asked])])
    print(table(["filed, of each", "asked", *HEADS], rows))

    labels, similar = neighbours(parts, parts)
    start = time.process_time()
    for row in range(100):
        (words,) = zero_shot(parts.vectors[row : row + 1], prompts, tuning)
        votes_mix(words, labels[row], similar[row], tuning)
    print(f"\n{(time.process_time() - start) * 1e4:.0f} us a part, once its neighbours are found")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, default=ROOT / "models")
    parser.add_argument("--fit", action="store_true", help="fit the numbers and report with them")
    parser.add_argument(
        "--left-out", action="store_true", help="only families left out of training"
    )
    options = parser.parse_args()
    encoder = MiniEncoder(options.models)
    manifest = json.loads((options.models / MANIFEST).read_text(encoding="utf-8"))
    tuning = Tuning.from_json(manifest["mini"].get("classify", {}))
    if options.fit:
        choosing = parts_load(encoder, options.models, CHOOSING)
        tuning = fit(choosing, prompts_of(encoder), tuning)
        print(json.dumps({"classify": tuning.to_json()}, indent=2), "\n")
    parts = parts_load(encoder, options.models, REPORTING)
    every = np.ones(len(parts.labels), bool)
    report(parts, encoder, tuning, only=left_out(parts) if options.left_out else every)


if __name__ == "__main__":
    main()
