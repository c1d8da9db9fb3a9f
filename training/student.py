"""Teaches the text student: first the teacher's language in the joint space, then the parts.

Distillation asks that every text of the vocabulary lands where the teacher's text head puts it, and
that it is as alike to the others; the contrast asks that a caption finds its parts among others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from search.engine.encoders.layers import Linear
from search.engine.encoders.text_student import TextStudent
from search.engine.text.grams import buckets
from training.joint import Learnt, captions_draw, positives

Float = NDArray[np.float32]


@dataclass(frozen=True)
class StudentRecipe:
    rows: int = 32_768
    width: int = 128  # of the table
    inner: int = 256
    steps: int = 4000
    batch: int = 512
    parts: int = 384  # of the contrast's batch
    rate: float = 5e-3
    relations: float = 0.3  # weight: as alike to the others as the teacher says
    contrast: float = 0.5  # weight: captions find their parts
    captions: float = 0.3  # share of the distilled texts that are captions
    seed: int = 0


class Student(nn.Module):
    def __init__(self, d: int, recipe: StudentRecipe):
        super().__init__()
        self.table = nn.Parameter(torch.randn(recipe.rows, recipe.width) * 0.1)
        self.importance = nn.Parameter(torch.zeros(recipe.rows))
        self.inner = nn.Linear(recipe.width, recipe.inner)
        self.outer = nn.Linear(recipe.inner, recipe.width)
        self.last = nn.Linear(recipe.width, d)

    def forward(self, pieces: Sequence[Tensor]) -> Tensor:
        flat = torch.cat(list(pieces))
        lengths = torch.tensor([len(of) for of in pieces])
        weights = self.importance[flat].exp()
        owner = torch.arange(len(pieces)).repeat_interleave(lengths)
        sums = torch.zeros(len(pieces)).index_add(0, owner, weights)
        starts = functional.pad(lengths.cumsum(0), (1, 0))[:-1]
        mean = functional.embedding_bag(
            flat, self.table, starts, mode="sum", per_sample_weights=weights / sums[owner]
        )
        mean = mean + self.outer(functional.gelu(self.inner(mean), approximate="tanh"))
        return functional.normalize(self.last(mean), dim=-1)


def pieces_of(texts: Sequence[str], rows: int) -> list[Tensor]:
    return [torch.tensor(buckets(text, count=rows)) for text in texts]


def student_fit(
    *,
    targets: Float,
    learnt: Learnt,
    parts: Float,
    recipe: StudentRecipe,
) -> Student:
    """Five minutes on one core. targets (t, d) says where each text should land, zero where the
    teacher was not asked; parts (p, d) are the embeddings of the parts learnt from."""
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    target = torch.tensor(targets)
    pieces = pieces_of(learnt.names, recipe.rows)
    taught = np.flatnonzero(learnt.texts.any(axis=1))
    said = np.intersect1d(learnt.captions.indices, taught)
    shown = torch.tensor(parts)
    student = Student(target.shape[1], recipe)
    optimiser = torch.optim.Adam(student.parameters(), lr=recipe.rate)
    chances = learnt.weight / learnt.weight.sum()
    sharpness = 20.0
    for step in range(recipe.steps):
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate * (1 - step / recipe.steps) + 1e-5
        few = int(recipe.batch * recipe.captions)
        some = np.concatenate([rng.choice(said, few), rng.choice(taught, recipe.batch - few)])
        rows = rng.choice(len(chances), recipe.parts, p=chances)
        names = captions_draw(learnt, 0.15, rows, rng)
        found = student([pieces[number] for number in (*some, *names)])
        told, named = found[: len(some)], found[len(some) :]
        wanted = target[some]
        loss = (1 - (told * wanted).sum(1)).mean()
        loss = loss + recipe.relations * functional.kl_div(
            (15 * told @ wanted.T).log_softmax(1),
            (15 * wanted @ wanted.T).softmax(1),
            reduction="batchmean",
        )
        positive = torch.tensor(positives(learnt.captions, rows, names))
        logits = sharpness * shown[rows] @ named.T
        for scores, true in ((logits, positive), (logits.T, positive.T)):
            share = true / true.sum(1, keepdim=True)
            loss = loss - recipe.contrast / 2 * (share * scores.log_softmax(1)).sum(1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return student.eval()


def student_export(student: Student) -> TextStudent:
    """The student as the product reads it, its table in int8 with a scale a column."""
    table = student.table.detach().numpy()
    scale = np.abs(table).max(axis=0) / 127
    return TextStudent(
        table=np.rint(table / scale).astype(np.int8),
        scale=scale.astype(np.float32),
        importance=student.importance.detach().numpy().astype(np.float32),
        **{
            name: Linear(
                getattr(student, name).weight.detach().numpy(),
                getattr(student, name).bias.detach().numpy(),
            )
            for name in ("inner", "outer", "last")
        },
    )
