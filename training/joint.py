"""Fits the space that pictures share with words, and the head that brings pictures there.

The space is the teacher's: its vectors of described words, centred for each script, since the
teacher keeps languages apart, and turned to their principal axes. A picture comes there as the
mean of the names of what is seen in it, weighed by how surely each is seen: by a classifier of the
names of the parts learnt from, and by ImageNet's (convex combination of semantic embeddings,
Norouzi et al., ICLR 2014, with two classifiers). So a part whose name was never learnt lands
between the names it looks like. ImageNet's classifier knows photos; of grey views some classes are
always sure of themselves, which standardising each class's answers over the parts takes back.
"""

import re
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch import nn
from torch.nn import functional

from search.engine.encoders.layers import Linear, unit
from search.engine.encoders.picture_head import PictureHead

Float = NDArray[np.float32]
Half = NDArray[np.float16]
Generator = np.random.Generator

HAN = re.compile(r"[\u3400-\u9fff]")
NAMED_BY = 3  # captions of each script that a concept's name is the mean of


@dataclass(frozen=True)
class Recipe:
    """What may be chosen on the validation split."""

    d: int = 256
    width: int = 512  # of the classifier's hidden layer
    steps: int = 1500
    batch: int = 512
    rate: float = 2e-3
    decay: float = 0.02
    dropout: float = 0.4
    smoothing: float = 0.1
    learnt: float = 0.6  # share of the parts' names beside ImageNet's
    sharpness: float = 2.0  # of ImageNet's standardised answers
    seed: int = 0


@dataclass(frozen=True)
class Learnt:
    """What is learnt from: parts, and every text with its teacher vector.

    views (p, v, 1280), of which any may stand for the part, and photos likewise; concept (p,)
    numbers the parts' plain names and concepts[c] lists the texts of each by script; names (t,)
    are the texts, texts (t, 384) their described teacher vectors, zero where the teacher was not
    asked; captions (p, t) says which text names which part; drawn (p, scripts) lists text numbers
    to draw from, broader likewise; weight (p,) how often a part is drawn, told (p,) how often for
    the student.
    """

    views: Half
    photos: Half
    concept: NDArray[np.int64]
    concepts: list[list[list[int]]]
    captions: csr_matrix
    drawn: list[list[list[int]]]
    broader: list[list[list[int]]]
    weight: NDArray[np.float64]
    told: NDArray[np.float64]
    names: list[str]
    texts: Float
    classifier: tuple[Float, Float]  # (1000, 1280), (1000,)
    class_texts: list[list[list[int]]]  # of each ImageNet class, by script


@dataclass(frozen=True)
class TextSpace:
    """Teacher vectors -> the joint space: one centre for each script, common axes (d, 384)."""

    latin: Float
    han: Float
    axes: Float

    @classmethod
    def fit(cls, names: list[str], texts: Float, d: int) -> "TextSpace":
        asked = texts.any(axis=1)
        chinese = np.array([bool(HAN.search(name)) for name in names])
        latin, han = texts[asked & ~chinese].mean(axis=0), texts[asked & chinese].mean(axis=0)
        centred = texts[asked] - np.where(chinese[asked, None], han, latin)
        _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
        return cls(latin, han, axes[:, ::-1][:, :d].T.astype(np.float32))

    def embed(self, names: list[str], texts: Float) -> Float:
        """(t, d) L2-normalised; zero where the teacher was not asked."""
        chinese = np.array([bool(HAN.search(name)) for name in names])
        centred = texts - np.where(chinese[:, None], self.han, self.latin)
        return unit(centred @ self.axes.T) * texts.any(axis=1, keepdims=True)


def head_fit(learnt: Learnt, space: TextSpace, recipe: Recipe) -> PictureHead:
    """Two minutes on one core, however many parts there are."""
    rows = learnt.views[:: max(1, len(learnt.views) // 3000)].astype(np.float32)
    rows = rows.reshape(-1, rows.shape[-1])
    mean, deviation = rows.mean(axis=0), rows.std(axis=0) + np.float32(1e-3)
    inner, outer = _classifier_fit(learnt, recipe, mean, deviation)
    targets = space.embed(learnt.names, learnt.texts)
    concepts = _names_mean(learnt.concepts, targets)
    classes = _names_mean(learnt.class_texts, targets)
    weight, offset = learnt.classifier
    answers = rows @ weight.T + offset
    scale = recipe.sharpness / answers.std(axis=0)
    head = PictureHead(
        inner=inner,
        outer=outer,
        classes=Linear(weight * scale[:, None], (offset - answers.mean(axis=0)) * scale),
        names=Linear(np.concatenate([concepts, classes]).T, np.zeros(recipe.d, np.float32)),
    )
    return _balanced(head, rows, len(concepts), recipe.learnt)


def _classifier_fit(
    learnt: Learnt, recipe: Recipe, mean: Float, deviation: Float
) -> tuple[Linear, Linear]:
    """Two layers from features to the parts' plain names, with smoothed labels."""
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    network = nn.Sequential(
        nn.Dropout(recipe.dropout),
        nn.Linear(len(mean), recipe.width),
        nn.GELU(approximate="tanh"),
        nn.Dropout(recipe.dropout),
        nn.Linear(recipe.width, len(learnt.concepts)),
    )
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    chances = learnt.weight / learnt.weight.sum()
    for step in range(recipe.steps):
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate * (1 - step / recipe.steps) + 1e-5
        rows = rng.choice(len(chances), recipe.batch, p=chances)
        features = (pictures_draw(learnt, rows, rng) - mean) / deviation
        loss = functional.cross_entropy(
            network(torch.tensor(features)),
            torch.tensor(learnt.concept[rows]),
            label_smoothing=recipe.smoothing,
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    first, last = (
        Linear(layer.weight.detach().numpy(), layer.bias.detach().numpy())
        for layer in (network[1], network[4])
    )
    standardised = first.weight / deviation
    return Linear(standardised, first.offset - standardised @ mean), last


def pictures_draw(learnt: Learnt, rows: NDArray[np.int64], rng: Generator) -> Float:
    """(b, 1280): of two parts in five one view, of one in eight a photo-like picture, of the
    others four views at once (the mean of their features)."""
    kinds = rng.random(len(rows))
    some = rng.random((len(rows), learnt.views.shape[1])).argsort(axis=1)[:, :4]
    some[kinds < 0.4] = some[kinds < 0.4, :1]
    features = learnt.views[rows[:, None], some].astype(np.float32).mean(axis=1)
    photos = kinds > 0.875
    which = rng.integers(learnt.photos.shape[1], size=int(photos.sum()))
    features[photos] = learnt.photos[rows[photos], which]
    return features


def _names_mean(concepts: list[list[list[int]]], targets: Float) -> Float:
    """(c, d): the mean of each script's first names, then of the scripts."""
    return np.stack(
        [
            unit(np.mean([unit(_asked(targets[of[:NAMED_BY]])) for of in scripts], axis=0))
            for scripts in concepts
        ]
    )


def _asked(vectors: Float) -> Float:
    return vectors[vectors.any(axis=1)].mean(axis=0)


def _balanced(head: PictureHead, rows: Float, concepts: int, share: float) -> PictureHead:
    """The head with what both classifiers say of usual size: `share` of the first, the rest of the
    second, whose answers are spread over more names and would else be outweighed."""
    first, second = head.shares(rows)
    names = head.names.weight.copy()
    for part, shares, weight in (
        (slice(None, concepts), first, share),
        (slice(concepts, None), second, 1 - share),
    ):
        size = np.linalg.norm(shares @ names[:, part].T, axis=1).mean()
        names[:, part] *= weight / size
    return replace(head, names=Linear(names, head.names.offset))


def positives(captions: csr_matrix, rows: NDArray[np.int64], names: NDArray[np.int64]) -> Float:
    """(rows, names) 0 or 1: is this a name of that part?"""
    distinct, place = np.unique(names, return_inverse=True)
    column = np.full(captions.shape[1], -1)
    column[distinct] = np.arange(len(distinct))
    said = captions[rows]
    columns = column[said.indices]
    row = np.repeat(np.arange(len(rows)), np.diff(said.indptr))
    dense = np.zeros((len(rows), len(distinct)), np.float32)
    dense[row[columns >= 0], columns[columns >= 0]] = 1
    return dense[:, place]


def captions_draw(
    learnt: Learnt, broader: float, rows: NDArray[np.int64], rng: Generator
) -> NDArray[np.int64]:
    """A caption for each part: any script alike, now and then only its category."""
    found = []
    for row in rows:
        scripts = learnt.drawn[row]
        if learnt.broader[row] and rng.random() < broader:
            scripts = learnt.broader[row]
        texts = scripts[rng.integers(len(scripts))]
        # The first is the plain name: as often as all the rest of four.
        found.append(texts[0 if rng.random() < 0.25 else rng.integers(len(texts))])
    return np.array(found)


def parts_embed(head: PictureHead, views: Half) -> Float:
    """(p, v, 1280) -> (p, d): the mean of the views' embeddings, normalised."""
    blocks = [views[start : start + 256] for start in range(0, len(views), 256)]
    return np.concatenate(
        [unit(head.embed(block.astype(np.float32)).mean(axis=1)) for block in blocks]
    )


def recipe_with(recipe: Recipe, changes: dict[str, str]) -> Recipe:
    """A recipe with some values changed, of the types they had."""
    return replace(recipe, **{k: type(getattr(recipe, k))(v) for k, v in changes.items()})
