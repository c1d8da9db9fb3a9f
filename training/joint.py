"""Fits two heads that bring pictures and the teacher's text embeddings into one space.

The picture head reads the features of a view: a linear map and a small residual layer of the
features, and a linear map of what ImageNet's classifier sees in them. A part is the mean of its
views. The text head is linear. The loss is InfoNCE over parts and captions with every true pair in
the batch a positive (van den Oord et al. 2018; Khosla et al. 2020), its targets softened by how
alike the captions are to the teacher, and two regularisers that keep what ImageNet taught: the
classifier's rows are pictures of their class names, and the class that the classifier sees in a
view is found from the view's embedding. Pairs of a bilingual dictionary pull the languages
together in the same way.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from torch import Tensor, nn
from torch.nn import functional

Float = NDArray[np.float32]
VIEWS = 12


@dataclass(frozen=True)
class Recipe:
    """What may be chosen on the validation split."""

    d: int = 256
    width: int = 256  # of the picture head's residual layer, 0 for none
    steps: int = 2500
    batch: int = 512
    rate: float = 1e-3
    decay: float = 0.05
    dropout: float = 0.2
    soft: float = 0.15  # share of the targets that the teacher's similarities give
    rows: float = 0.5  # weight: the classifier's rows as pictures
    classes: float = 0.5  # weight: the classifier's answer from the embedding
    softness: float = 0.67  # power that flattens the classifier's answer
    dictionary: float = 0.3  # weight: pairs of the two languages
    broader: float = 0.15  # share of captions that name the category only
    seen: float = 1.0  # scale at the start of what the classifier sees
    seed: int = 0


@dataclass(frozen=True)
class Learnt:
    """What is learnt from: rows of parts, and the texts' teacher vectors.

    views (p, v, 1280) float16, of which any may stand for the part, and photos likewise; names (t,)
    are the texts, texts (t, 384) their teacher vectors,
    zero where the teacher was not asked; captions (p, t) says which text names which
    part; drawn (p, scripts) lists text numbers to draw from, broader likewise; weight (p,) how
    often a part is drawn.
    """

    views: NDArray[np.float16]
    photos: NDArray[np.float16]
    captions: csr_matrix
    drawn: list[list[list[int]]]
    broader: list[list[list[int]]]
    weight: NDArray[np.float64]
    names: list[str]
    texts: Float
    classifier: tuple[Float, Float]  # (1000, 1280), (1000,)
    class_texts: list[list[int]]  # of each ImageNet class, in both languages
    dictionary: NDArray[np.int64]  # (n, 2) numbers of texts that mean the same


class PictureHead(nn.Module):
    """(..., 1280) features -> (..., d) L2-normalised."""

    def __init__(
        self, mean: Tensor, deviation: Tensor, classifier: tuple[Float, Float], recipe: Recipe
    ):
        super().__init__()
        size = len(mean)
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        self.register_buffer("rows", torch.tensor(classifier[0]))
        self.register_buffer("offsets", torch.tensor(classifier[1]))
        self.dropout = nn.Dropout(recipe.dropout)
        self.linear = nn.Linear(size, recipe.d)
        self.seen = nn.Linear(len(classifier[0]), recipe.d, bias=False)
        self.width = recipe.width
        if recipe.width:
            self.inner = nn.Linear(size, recipe.width)
            self.outer = nn.Linear(recipe.width, recipe.d)

    def classes(self, features: Tensor) -> Tensor:
        """What ImageNet's classifier sees: (..., 1000) shares."""
        return functional.linear(features, self.rows, self.offsets).softmax(-1)

    def forward(self, features: Tensor, classes: Tensor) -> Tensor:
        z = self.dropout((features - self.mean) / self.deviation)
        out = self.linear(z) + self.seen(classes)
        if self.width:
            out = out + self.outer(self.dropout(functional.gelu(self.inner(z), approximate="tanh")))
        return functional.normalize(out, dim=-1)


class TextHead(nn.Module):
    """(..., 384) teacher vectors -> (..., d) L2-normalised; starts as principal components."""

    def __init__(self, texts: Tensor, d: int):
        super().__init__()
        mean = texts.mean(0)
        _, values, axes = torch.linalg.svd(texts - mean, full_matrices=False)
        self.register_buffer("mean", mean)
        self.linear = nn.Linear(texts.shape[1], d, bias=False)
        self.linear.weight.data.copy_(axes[:d] / (values[:d, None] / values[0] + 0.1).sqrt())

    def forward(self, texts: Tensor) -> Tensor:
        return functional.normalize(self.linear(texts - self.mean), dim=-1)


def heads_fit(learnt: Learnt, recipe: Recipe) -> tuple[PictureHead, TextHead]:
    """Three minutes on one core, however many parts there are."""
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    pictures, texts = _heads_start(learnt, recipe)
    shown = shown_make(pictures, learnt)
    scale = nn.Parameter(torch.tensor(np.log(14.0), dtype=torch.float32))
    optimiser = torch.optim.AdamW(
        [
            {"params": pictures.parameters(), "weight_decay": recipe.decay},
            {"params": texts.parameters(), "lr": recipe.rate * 0.1, "weight_decay": 0.0},
            {"params": [scale], "weight_decay": 0.0},
        ],
        lr=recipe.rate,
    )
    rates = [recipe.rate, recipe.rate * 0.1, recipe.rate]
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, rates, total_steps=recipe.steps, pct_start=0.1
    )
    teacher = torch.tensor(learnt.texts)
    chances = learnt.weight / learnt.weight.sum()
    for _ in range(recipe.steps):
        rows = rng.choice(len(chances), recipe.batch, p=chances)
        names = captions_draw(learnt, recipe.broader, rows, rng, taught=True)
        sharpness = scale.exp().clamp(max=60)
        views, classes = (torch.tensor(of) for of in shown_draw(shown, rows, rng))
        parts = pictures(views, classes)
        loss = _caption_loss(learnt, recipe, texts, teacher, parts, rows, names, sharpness)
        loss = loss + _imagenet_loss(
            learnt, recipe, pictures, texts, teacher, parts, classes, sharpness, rng
        )
        loss = loss + _dictionary_loss(learnt, recipe, texts, teacher, sharpness, rng)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return pictures.eval(), texts.eval()


def _heads_start(learnt: Learnt, recipe: Recipe) -> tuple[PictureHead, TextHead]:
    some = learnt.views[:: max(1, len(learnt.views) // 2000)].astype(np.float32)
    some = some.reshape(-1, some.shape[-1])
    mean, deviation = torch.tensor(some.mean(0)), torch.tensor(some.std(0) + 1e-3)
    teacher = torch.tensor(learnt.texts)
    named = teacher[torch.tensor(learnt.captions.indices).unique().long()]
    named = named[named.any(1)]
    texts = TextHead(named, recipe.d)
    pictures = PictureHead(mean, deviation, learnt.classifier, recipe)
    with torch.no_grad():
        start = torch.stack([texts(teacher[t]).mean(0) for t in learnt.class_texts])
        pictures.seen.weight.copy_(recipe.seen * functional.normalize(start, dim=1).T)
    return pictures, texts


def _caption_loss(
    learnt: Learnt,
    recipe: Recipe,
    texts: TextHead,
    teacher: Tensor,
    parts: Tensor,
    rows: NDArray[np.int64],
    names: NDArray[np.int64],
    sharpness: Tensor,
) -> Tensor:
    """Parts find their captions and captions their parts, among those of the batch."""
    named = texts(teacher[names])
    positive = positives(learnt.captions, rows, names)
    alike = functional.normalize(teacher[names] - texts.mean, dim=-1)
    soft = (12 * alike @ alike.T).softmax(1)
    logits = sharpness * parts @ named.T
    return _contrast(logits, positive, soft, recipe.soft) + _contrast(
        logits.T, positive.T, soft, recipe.soft
    )


def _imagenet_loss(
    learnt: Learnt,
    recipe: Recipe,
    pictures: PictureHead,
    texts: TextHead,
    teacher: Tensor,
    parts: Tensor,
    classes: Tensor,
    sharpness: Tensor,
    rng: np.random.Generator,
) -> Tensor:
    """Classifier rows are pictures of their classes; what it sees in a part stays findable."""
    names = texts(teacher[[of[rng.integers(len(of))] for of in learnt.class_texts]])
    softened = classes**recipe.softness
    softened = softened / softened.sum(-1, keepdim=True)
    answer = (sharpness * parts @ names.T).log_softmax(-1)
    loss = -recipe.classes * (softened * answer).sum(-1).mean()
    some = torch.tensor(rng.permutation(len(names))[:256])
    row = functional.normalize(pictures.rows[some] * pictures.deviation, dim=1)
    row = row * row.shape[1] ** 0.5
    row = row + 0.3 * torch.randn(row.shape)
    certain = 0.7 * functional.one_hot(some, len(names)).float() + 0.3 / len(names)
    logits = sharpness * pictures(row * pictures.deviation + pictures.mean, certain) @ names[some].T
    truth = torch.arange(len(some))
    return loss + recipe.rows * (
        functional.cross_entropy(logits, truth) + functional.cross_entropy(logits.T, truth)
    )


def _dictionary_loss(
    learnt: Learnt,
    recipe: Recipe,
    texts: TextHead,
    teacher: Tensor,
    sharpness: Tensor,
    rng: np.random.Generator,
) -> Tensor:
    """A word finds its translation among those of other words, both ways."""
    pairs = learnt.dictionary[rng.integers(len(learnt.dictionary), size=recipe.batch)]
    one, other = texts(teacher[pairs[:, 0]]), texts(teacher[pairs[:, 1]])
    same = (pairs[:, None] == pairs[None]).any(-1)
    positive = torch.tensor(same, dtype=torch.float32)
    logits = sharpness * one @ other.T
    return recipe.dictionary * (
        _contrast(logits, positive, positive, 0) + _contrast(logits.T, positive, positive, 0)
    )


def positives(captions: csr_matrix, rows: NDArray[np.int64], names: NDArray[np.int64]) -> Tensor:
    """(rows, names) float 0 or 1: is this a name of that part?"""
    distinct, place = np.unique(names, return_inverse=True)
    column = np.full(captions.shape[1], -1)
    column[distinct] = np.arange(len(distinct))
    said = captions[rows]
    columns = column[said.indices]
    row = np.repeat(np.arange(len(rows)), np.diff(said.indptr))
    dense = np.zeros((len(rows), len(distinct)), np.float32)
    dense[row[columns >= 0], columns[columns >= 0]] = 1
    return torch.tensor(dense[:, place])


def _contrast(logits: Tensor, positive: Tensor, soft: Tensor, share: float) -> Tensor:
    """Cross-entropy against the positives of each row, evenly, and a share of softer targets."""
    target = positive / positive.sum(1, keepdim=True).clamp(min=1)
    target = (1 - share) * target + share * soft
    return -(target * logits.log_softmax(1)).sum(1).mean() / 2


def captions_draw(
    learnt: Learnt,
    broader: float,
    rows: NDArray[np.int64],
    rng: np.random.Generator,
    *,
    taught: bool,
) -> NDArray[np.int64]:
    """A caption for each part: any script alike, now and then only its category; `taught` draws
    only those that the teacher was asked for."""
    found = []
    for row in rows:
        scripts = learnt.drawn[row]
        if learnt.broader[row] and rng.random() < broader:
            scripts = learnt.broader[row]
        texts = scripts[rng.integers(len(scripts))]
        if taught:
            texts = [text for text in texts if learnt.texts[text, 0]]
        # The first is the plain name: as often as all the rest of four.
        found.append(texts[0 if rng.random() < 0.25 else rng.integers(len(texts))])
    return np.array(found)


Shown = tuple[NDArray[np.float16], NDArray[np.float16]]


def shown_make(pictures: PictureHead, learnt: Learnt) -> Shown:
    """Features (p, 15, 1280) of views and photos, and what the classifier sees (p, 15, 1000)."""
    features = np.concatenate([learnt.views, learnt.photos], axis=1)
    classes = np.empty((*features.shape[:2], len(pictures.rows)), np.float16)
    with torch.no_grad():
        for start in range(0, len(features), 256):
            block = torch.tensor(features[start : start + 256].astype(np.float32))
            classes[start : start + 256] = pictures.classes(block).numpy()
    return features, classes


def shown_draw(
    shown: Shown, rows: NDArray[np.int64], rng: np.random.Generator
) -> tuple[Float, Float]:
    """Features (b, 1280) and classes (b, 1000): of one view, of four at once (their means), or in
    one part of six of a photo-like picture."""
    features, classes = shown
    kinds = rng.random(len(rows))
    count = features.shape[1]
    some = np.where(
        (kinds < 1 / 6)[:, None],
        rng.integers(VIEWS, count, (len(rows), 4)),
        rng.random((len(rows), VIEWS)).argsort(axis=1)[:, :4],
    )
    some[kinds < 0.5] = some[kinds < 0.5, :1]  # one picture, four times
    place = (rows[:, None], some)
    return tuple(of[place].astype(np.float32).mean(axis=1) for of in (features, classes))


def parts_embed(pictures: PictureHead, views: NDArray[np.float16]) -> Float:
    """(p, v, 1280) -> (p, d): the mean of the views' embeddings, normalised."""
    found = []
    with torch.no_grad():
        for start in range(0, len(views), 256):
            block = torch.tensor(views[start : start + 256].astype(np.float32))
            vectors = pictures(block, pictures.classes(block))
            found.append(functional.normalize(vectors.mean(1), dim=-1).numpy())
    return np.concatenate(found)


def recipe_with(recipe: Recipe, changes: dict[str, float]) -> Recipe:
    """A recipe with some values changed, of the types they had."""
    return replace(recipe, **{k: type(getattr(recipe, k))(v) for k, v in changes.items()})
