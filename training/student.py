"""Teaches the text student: first the teacher's language in the joint space, then the parts.

Distillation asks that every text of the vocabulary lands where the space has its teacher's vector,
and that it is as alike to the others (things that can be seen count more than other words). The
contrast asks that a caption finds its parts among others. At the end the table is cut into product
codes, 64 bytes a row, and what reads them is taught again for a moment.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import faiss
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
Generator = np.random.Generator
CUT_ROWS = 60_000  # that the codes are learnt from


@dataclass(frozen=True)
class StudentRecipe:
    rows: int = 65_536
    width: int = 256  # of the table
    codes: int = 64  # bytes a row
    inner: int = 256
    teach: int = 2500  # steps
    tune: int = 1300
    kept: float = 0.15  # share of what it was taught that tuning leaves
    mend: int = 400  # after the table became codes
    batch: int = 768
    parts: int = 384  # of the contrast's batch
    rate: float = 1e-2
    things: float = 3.0  # how often a thing is drawn, beside another word
    relations: float = 0.3  # weight: as alike to the others as the teacher says
    contrast: float = 0.5  # weight: captions find their parts
    sharpness: float = 20.0
    captions: float = 0.3  # share of the tuned texts that are captions
    seed: int = 0


class Student(nn.Module):
    """The table is `table`, or codes into `books` (m, 256, width / m) once it is cut."""

    def __init__(self, d: int, recipe: StudentRecipe):
        super().__init__()
        self.table = nn.Parameter(torch.randn(recipe.rows, recipe.width) * 0.1)
        self.importance = nn.Parameter(torch.zeros(recipe.rows, 1))
        self.inner = nn.Linear(recipe.width, recipe.inner)
        self.outer = nn.Linear(recipe.inner, recipe.width)
        self.last = nn.Linear(recipe.width, d)
        self.codes: Tensor | None = None
        self.books: nn.Parameter | None = None

    def cut(self, codes: NDArray[np.uint8], books: Float) -> None:
        self.codes, self.books = (
            torch.tensor(codes.astype(np.int64)),
            nn.Parameter(torch.tensor(books)),
        )

    @torch.no_grad()
    def turn(self, matrix: Tensor) -> None:
        """Turn the table (an orthogonal matrix) and every layer that meets it: nothing changes."""
        self.table.copy_(self.table @ matrix.T)
        self.inner.weight.copy_(self.inner.weight @ matrix.T)
        self.outer.weight.copy_(matrix @ self.outer.weight)
        self.outer.bias.copy_(matrix @ self.outer.bias)
        self.last.weight.copy_(self.last.weight @ matrix.T)

    def rows(self, flat: Tensor) -> Tensor:
        if self.codes is None or self.books is None:
            return functional.embedding(flat, self.table, sparse=True)
        some, place = flat.unique(return_inverse=True)
        codes = self.codes[some]
        return self.books[torch.arange(codes.shape[1]), codes].flatten(1)[place]

    def forward(self, pieces: Sequence[Tensor]) -> Tensor:
        flat = torch.cat(list(pieces))
        lengths = torch.tensor([len(of) for of in pieces])
        owner = torch.arange(len(pieces)).repeat_interleave(lengths)
        weights = functional.embedding(flat, self.importance, sparse=True).exp()
        sums = torch.zeros(len(pieces), 1).index_add(0, owner, weights)
        mean = torch.zeros(len(pieces), self.last.in_features)
        mean = mean.index_add(0, owner, self.rows(flat) * weights) / sums
        mean = mean + self.outer(functional.gelu(self.inner(mean), approximate="tanh"))
        return functional.normalize(self.last(mean), dim=-1)


@dataclass(frozen=True)
class Lessons:
    """Texts (t,) as pieces, where each should land (t, d), and how often each is asked (t,)."""

    pieces: list[Tensor]
    targets: Tensor
    chances: NDArray[np.float64]

    @classmethod
    def make(
        cls, texts: Sequence[str], targets: Float, things: NDArray[np.bool_], recipe: StudentRecipe
    ) -> "Lessons":
        """`targets` are zero for a text without a teacher's vector, which is then never asked."""
        chances = np.where(things, recipe.things, 1.0) * targets.any(axis=1)
        pieces = [torch.tensor(buckets(text, count=recipe.rows)) for text in texts]
        return cls(pieces, torch.tensor(targets), chances / chances.sum())

    def loss(self, student: Student, some: NDArray[np.int64], recipe: StudentRecipe) -> Tensor:
        told = student([self.pieces[number] for number in some])
        wanted = self.targets[some]
        relations = functional.kl_div(
            (15 * told @ wanted.T).log_softmax(1),
            (15 * wanted @ wanted.T).softmax(1),
            reduction="batchmean",
        )
        return (1 - (told * wanted).sum(1)).mean() + recipe.relations * relations


def student_teach(lessons: Lessons, recipe: StudentRecipe) -> Student:
    """The general student, of no parts at all. Five minutes on one core."""
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    student = Student(lessons.targets.shape[1], recipe)
    for step in _steps(student, recipe.teach, recipe.rate):
        some = rng.choice(len(lessons.chances), recipe.batch, p=lessons.chances)
        step(lessons.loss(student, some, recipe))
    return student


def student_tune(
    student: Student, lessons: Lessons, learnt: Learnt, parts: Float, recipe: StudentRecipe
) -> Student:
    """Teach it the parts (p, d), then cut its table. Five minutes on one core. The texts of
    `lessons` are those of `learnt`, in its order. Between the two, its weights are drawn a little
    back to what it was taught, which keeps words that no part has (Wortsman et al., "Robust
    fine-tuning of zero-shot models", CVPR 2022)."""
    rng = np.random.default_rng(recipe.seed)
    taught = {name: value.clone() for name, value in student.state_dict().items()}
    _tune(student, lessons, learnt, parts, recipe, rng, steps=recipe.tune)
    student.load_state_dict(
        {
            name: (1 - recipe.kept) * value + recipe.kept * taught[name]
            for name, value in student.state_dict().items()
        }
    )
    _mend(student, lessons, recipe, rng)
    return student.eval()


def _mend(student: Student, lessons: Lessons, recipe: StudentRecipe, rng: Generator) -> None:
    """Cut the table, and teach what reads it to answer every text as before."""
    with torch.no_grad():
        before = torch.cat(
            [
                student(lessons.pieces[start : start + 1000])
                for start in range(0, len(lessons.pieces), 1000)
            ]
        )
    uses = torch.zeros(recipe.rows)
    for pieces, chance in zip(lessons.pieces, lessons.chances, strict=True):
        uses[pieces] += float(max(chance, lessons.chances.mean()))
    table_cut(student, uses.numpy(), recipe)
    chances = np.maximum(lessons.chances, lessons.chances.mean())
    same = replace(lessons, targets=before, chances=chances / chances.sum())
    for step in _steps(student, recipe.mend, recipe.rate / 4):
        some = rng.choice(len(same.chances), recipe.batch, p=same.chances)
        step(same.loss(student, some, recipe))


def _tune(
    student: Student,
    lessons: Lessons,
    learnt: Learnt,
    parts: Float,
    recipe: StudentRecipe,
    rng: Generator,
    *,
    steps: int,
) -> None:
    taught = np.flatnonzero(lessons.chances)
    said = np.intersect1d(learnt.captions.indices, taught)
    chances = learnt.told / learnt.told.sum()
    shown = torch.tensor(parts)
    few = int(recipe.batch * recipe.captions)
    for step in _steps(student, steps, recipe.rate / 4):
        words = rng.choice(len(lessons.chances), recipe.batch - few, p=lessons.chances)
        loss = lessons.loss(student, np.concatenate([rng.choice(said, few), words]), recipe)
        rows = rng.choice(len(chances), recipe.parts, p=chances)
        names = captions_draw(learnt, 0.15, rows, rng)
        named = student([lessons.pieces[number] for number in names])
        positive = torch.tensor(positives(learnt.captions, rows, names))
        logits = recipe.sharpness * shown[rows] @ named.T
        for scores, true in ((logits, positive), (logits.T, positive.T)):
            share = true / true.sum(1, keepdim=True)
            loss = loss - recipe.contrast / 2 * (share * scores.log_softmax(1)).sum(1).mean()
        step(loss)


def _steps(student: Student, count: int, rate: float) -> Iterator[Callable[[Tensor], None]]:
    """`count` functions, each of which takes a loss and makes a step of falling rate."""
    tables = [student.importance] + ([student.table] if student.codes is None else [])
    dense = [p for of in (student.inner, student.outer, student.last) for p in of.parameters()]
    if student.books is not None:
        dense.append(student.books)
    optimisers = [torch.optim.SparseAdam(tables), torch.optim.Adam(dense)]

    def step(loss: Tensor) -> None:
        for optimiser in optimisers:
            optimiser.zero_grad()
        loss.backward()
        for optimiser in optimisers:
            optimiser.step()

    for number in range(count):
        falling = rate * (1 - number / count) + 1e-5
        for optimiser, share in zip(optimisers, (1, 1 / 3), strict=True):
            optimiser.param_groups[0]["lr"] = falling * share
        yield step


def table_cut(student: Student, uses: Float, recipe: StudentRecipe) -> None:
    """Put product codes in the table's place (Jegou, Douze and Schmid, "Product quantization for
    nearest neighbor search", 2011), after the turn that suits them best (Ge et al., "Optimized
    product quantization", CVPR 2013), which the layers take back. The codes are learnt from rows
    as texts use them; uses (r,)."""
    table = student.table.detach().numpy()
    often = np.sqrt(uses * np.exp(student.importance.detach().numpy()[:, 0]))
    rng = np.random.default_rng(recipe.seed)
    some = rng.choice(len(table), CUT_ROWS, p=often / often.sum())
    turn = faiss.OPQMatrix(recipe.width, recipe.codes)
    turn.niter = 12
    turn.train(np.ascontiguousarray(table[some]))
    matrix = faiss.vector_to_array(turn.A).reshape(recipe.width, recipe.width)
    student.turn(torch.tensor(matrix))
    turned = np.ascontiguousarray(student.table.detach().numpy())
    quantiser = faiss.ProductQuantizer(recipe.width, recipe.codes, 8)
    quantiser.train(np.ascontiguousarray(turned[some]))
    books = faiss.vector_to_array(quantiser.centroids)
    shape = (recipe.codes, 256, recipe.width // recipe.codes)
    student.cut(quantiser.compute_codes(turned), books.reshape(shape).copy())


def student_export(student: Student) -> TextStudent:
    """The student as the product reads it."""
    assert student.codes is not None and student.books is not None
    return TextStudent(
        codes=student.codes.numpy().astype(np.uint8),
        books=student.books.detach().numpy(),
        importance=student.importance.detach().numpy()[:, 0],
        **{
            name: Linear(
                getattr(student, name).weight.detach().numpy(),
                getattr(student, name).bias.detach().numpy(),
            )
            for name in ("inner", "outer", "last")
        },
    )


def student_save(student: Student, path: Path) -> None:
    unfinished = path.with_suffix(".tmp")
    torch.save(student.state_dict(), unfinished)
    unfinished.rename(path)


def student_load(path: Path, d: int, recipe: StudentRecipe) -> Student:
    student = Student(d, recipe)
    student.load_state_dict(torch.load(path, weights_only=True))
    return student
