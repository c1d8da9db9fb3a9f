"""Two catalogues with every engine's rows, and questions of every kind about them.

Furniture: each model of the development list is a part; asked are its icon as a picture, its name,
and its mesh turned, rescaled, thinned to 40 % and made rough. Families: four parts of every second
family, of parameter ranges that training never saw; asked are a view of another such part from any
side, paraphrases that training never saw, and that other part's mesh. What was embedded is kept
in bench/work/engines by the spaces' names.
"""

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.spatial.transform import Rotation
from tqdm import tqdm

from bench.furniture import furniture_dev
from bench.quality_fusion import Item
from bench.quality_icons import WORK, name_is_for_choosing, part_triangles
from bench.quality_shape import geometry_groups, perturb
from catalog.families.registry import FAMILIES
from catalog.families.types import family_sample
from search.engine.mesh.normalise import mesh_normalise
from search.engine.mesh.types import Mesh
from search.engine.text.fold import fold

KEPT = WORK / "engines"
ASKED = sorted(FAMILIES)[::2]
# Training never draws these seeds.
SEEDS, ASKING_SEEDS = range(970, 974), range(974, 976)
KEEP, NOISE = 0.4, 0.002

Vectors = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked: vectors by engine of what looks, or words; and what is right.

    `grades` (p,) are those of all parts of the catalogue.
    """

    kind: str  # "image", "text", "hybrid" or "mesh"
    name: str  # what it is about; halves go by it
    grades: NDArray[np.float64]
    vectors: Mapping[str, Vectors]
    text: str = ""


@dataclass(frozen=True, eq=False)
class Catalogue:
    """p parts: names in English and Chinese, kinds, and rows (p, v, d) of each space's key."""

    title: str
    names: list[str]
    names_zh: list[str]
    rows: Mapping[str, Vectors]
    questions: list[Question]


def furniture_catalogue(*, limit: int | None = None) -> Catalogue:
    """Right: 2 for the part and its equals in geometry, 1 for others of its name."""
    models = furniture_dev(limit=limit)
    triangles = [part_triangles(model) for model in models]
    groups = geometry_groups([of.astype(np.float64) for of in triangles])
    names = np.array([model.name.strip().lower() for model in models])

    def made() -> Iterator[dict[str, Vectors]]:
        for n, (model, part) in enumerate(zip(models, triangles, strict=True)):
            turned = Rotation.random(random_state=n).apply(part.reshape(-1, 3)).reshape(-1, 3, 3)
            rough = perturb(turned * (0.3 + n % 7), keep=KEEP, noise=NOISE, seed=n)
            yield part_rows(part) | question_rows(model.icon, rough)

    kept = rows_kept("furniture", [model.id for model in models], made)
    grades = [
        np.where(groups == groups[n], 2.0, (names == names[n]).astype(np.float64))
        for n in range(len(models))
    ]
    questions = [
        question
        for n in range(len(models))
        for question in looks_asked(str(names[n]), grades[n], kept, n)
    ]
    chinese = [model.names.get("zh_TW", "") for model in models]
    for every in (names.tolist(), chinese):
        for text in dict.fromkeys(filter(None, every)):
            right = np.array([float(of == text) for of in every])
            about = str(names[int(right.argmax())])
            questions.append(Question("text", about, right, {}, text))
    return Catalogue("furniture", names.tolist(), chinese, gallery_rows(kept), questions)


def families_catalogue() -> Catalogue:
    """Right: 1 for every part of the family."""
    parts = [(key, seed) for key in ASKED for seed in SEEDS]
    asking = [(key, seed) for key in ASKED for seed in ASKING_SEEDS]

    def sample(key: str, seed: int, turned: str) -> NDArray[np.float32]:
        of = family_sample(FAMILIES[key], seed, part_of_range="held_out", turned=turned)
        return of.triangles

    def made() -> Iterator[dict[str, Vectors]]:
        for key, seed in parts:
            yield part_rows(sample(key, seed, "upright"))

    def made_questions() -> Iterator[dict[str, Vectors]]:
        for n, (key, seed) in enumerate(asking):
            triangles = sample(key, seed, "any")
            yield question_rows(view_png(triangles, n), triangles)

    kept = rows_kept("families", [f"{key}-{seed}" for key, seed in parts], made)
    asked = rows_kept("asking", [f"{key}-{seed}" for key, seed in asking], made_questions)
    kinds = np.array([key for key, _ in parts])
    questions = [
        question
        for n, (key, _seed) in enumerate(asking)
        for question in looks_asked(key, (kinds == key).astype(np.float64), asked, n)
    ]
    for key in ASKED:
        held_out = FAMILIES[key].held_out
        right = (kinds == key).astype(np.float64)
        texts = (*held_out.en[:1], *held_out.zh_hant[:1])
        questions += [Question("text", key, right, {}, text) for text in texts]
    phrases = [FAMILIES[key].phrases for key, _ in parts]
    return Catalogue(
        "families",
        [of.en[0] for of in phrases],
        [of.zh_hant[0] for of in phrases],
        gallery_rows(kept),
        questions,
    )


def looks_asked(
    name: str, grades: NDArray[np.float64], kept: Mapping[str, Vectors], n: int
) -> Iterator[Question]:
    yield Question("image", name, grades, {"mini": kept["image mini"][n]})
    mesh = {engine: kept[f"mesh {engine}"][n] for engine in ("mini", "shape")}
    yield Question("mesh", name, grades, mesh)


def mesh_of(triangles: NDArray[np.floating]) -> Mesh:
    return mesh_normalise(np.asarray(triangles, np.float64), format="stl-binary")


def part_rows(triangles: NDArray[np.floating]) -> dict[str, Vectors]:
    """A part's rows by the space's key, as ingest makes them."""
    from search.encode import Views, part_vectors
    from search.engines import in_use

    mesh = mesh_of(triangles)
    made = part_vectors(mesh, in_use(), views=Views(mesh))
    return {f"part {space.key}": rows for space, rows in made.items()}


def question_rows(picture: bytes, triangles: NDArray[np.floating]) -> dict[str, Vectors]:
    """A picture's and a mesh's vectors by engine, as the search makes them."""
    from search.encode import mesh_vectors, photo_encode

    looks = photo_encode(picture, ["mini"]).vectors
    mesh = mesh_vectors(mesh_of(triangles), ["mini", "shape"])
    return {
        **{f"image {engine}": rows for engine, rows in looks.items()},
        **{f"mesh {engine}": rows for engine, rows in mesh.items()},
    }


def gallery_rows(kept: Mapping[str, Vectors]) -> dict[str, Vectors]:
    return {
        key.removeprefix("part "): rows for key, rows in kept.items() if key.startswith("part ")
    }


def view_png(triangles: NDArray[np.float32], seed: int) -> bytes:
    """The part from any side, as a file."""
    from search.engine.render.views import views_render

    viewpoint = np.random.default_rng(seed).normal(size=(1, 3))
    viewpoint /= np.linalg.norm(viewpoint)
    held = io.BytesIO()
    Image.fromarray(views_render(triangles, viewpoints=viewpoint, size=448).rgb[0]).save(
        held, "PNG"
    )
    return held.getvalue()


def rows_kept(
    title: str, keys: Sequence[str], made: Callable[[], Iterator[dict[str, Vectors]]]
) -> dict[str, Vectors]:
    """What `made` gives for each key, stacked; made only when these spaces never saw these keys."""
    from search import engines

    identity = "\n".join([*(space.key for space in engines.spaces()), *keys])
    path = KEPT / f"{title}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}.npz"
    if not path.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        found = list(tqdm(made(), total=len(keys), desc=title))
        np.savez(path, **{name: np.stack([of[name] for of in found]) for name in found[0]})
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


# In the product --------------------------------------------------------------------------------


def catalogue_fill(catalogue: Catalogue) -> list[int]:
    """Ready parts without names, each with its rows in every space; their ids."""
    from catalog.models import Part
    from search.embeddings import embeddings_write
    from search.engines import spaces

    parts = Part.objects.bulk_create(
        Part(
            number=f"R{8_100_000 + n}", file=f"meshes/{n}.stl", file_name=f"{n}.stl",
            file_size=1, sha256=f"{n:064x}", status="ready",
        )
        for n in range(len(catalogue.names))
    )  # fmt: skip
    for space in spaces():
        for part, rows in zip(parts, catalogue.rows[space.key], strict=True):
            embeddings_write(part_id=part.pk, space=space, vectors=rows)
    return [part.pk for part in parts]


@contextmanager
def catalogue_filled(catalogue: Catalogue) -> Iterator[list[int]]:
    """The catalogue as the product's only one while the block lasts; the ids of its parts."""
    from catalog.models import Part
    from search.indices import _held

    try:
        yield catalogue_fill(catalogue)
    finally:
        Part.objects.all().delete()
        _held.cache_clear()


@cache
def question_encode(question: Question) -> tuple[Any, Any]:
    """The question as the search's `Query`, and its vectors."""
    from search.encode import Encoded
    from search.engines import engine_names
    from search.query import Query, query_encode

    query = Query(question.kind, text=question.text, image=b"held" if question.vectors else None)
    if question.kind == "mesh":
        return query, Encoded(question.vectors)
    if not question.text:
        return query, Encoded(question.vectors)
    words = query_encode(Query("text", text=question.text), engine_names("text"))
    return query, replace(words, vectors=question.vectors)


def items_make(catalogue: Catalogue) -> list[Item]:
    return [
        Item(name, name_zh, frozenset({fold(name), fold(name_zh)}))
        for name, name_zh in zip(catalogue.names, catalogue.names_zh, strict=True)
    ]


def hybrids(questions: Sequence[Question]) -> list[Question]:
    """Each picture beside the first words that ask for the same."""
    words = {}
    for question in questions:
        if question.kind == "text":
            words.setdefault(question.name, question.text)
    return [
        replace(question, kind="hybrid", text=words[question.name])
        for question in questions
        if question.kind == "image" and question.name in words
    ]


def some(questions: Sequence[Question], most: int, *, seed: int = 0) -> list[Question]:
    """At most so many of each kind and half, some at random."""
    rng = np.random.default_rng(seed)
    groups: dict[tuple[str, bool], list[Question]] = {}
    for question in questions:
        key = (question.kind, name_is_for_choosing(question.name))
        groups.setdefault(key, []).append(question)
    return [
        of[place]
        for of in groups.values()
        for place in sorted(rng.permutation(len(of))[:most].tolist())
    ]
