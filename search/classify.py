"""Which category a part, a mesh or a photo belongs to, and near which parts a decision counts.

What the words of the categories say (zero-shot, in an engine's words space) is joined with what
people decided on the nearest filed parts; `engine/classify` has the arithmetic. Writes nothing.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from django.conf import settings
from django.core.files import File
from django.db.models import Count, Max
from numpy.typing import NDArray

from catalog.errors import ServiceError
from catalog.models import Category, Part
from search import embeddings, encode, encoders, engines, expand, selectors
from search.candidates import Stopwatch
from search.indices import index_current
from search.lifecycle import selection
from search.lifecycle.selection import selection_pinned

if TYPE_CHECKING:
    from search.engine.classify import Tuning
    from search.engine.encoders.base import WordEncoder
    from search.engine.encoders.space import Space
    from search.engine.index.types import Ranking

Vectors = NDArray[np.float32]
Crop = tuple[float, float, float, float]

SUGGESTIONS = 3
LEAST = 0.05  # confidence; what is less likely than one in twenty is not worth a look
NEIGHBOURS = 24  # filed ones that vote, looked for among four times as many parts
FILED_MOST = 5000  # compared when there are too few filed ones among those
AROUND = 200  # parts whose suggestions one decision may change
LEAST_VOTE = 0.05  # a decision whose vote would count less changes nothing


@dataclass(frozen=True)
class Classified:
    """The likely categories with their confidence, best first; none when nothing is likely."""

    suggestions: list[tuple[Category, float]]
    photo: encode.PhotoCut | None = None
    took_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def none(self) -> bool:
        return not self.suggestions


@dataclass(frozen=True)
class Seen:
    """What is to be classified: (q, d) vectors of one space; (1, d) in an engine's words space."""

    engine: str
    space: "Space"
    vectors: Vectors
    words: bool  # whether that space is the one where its engine's words are


@dataclass(frozen=True)
class Shelves:
    """All categories as columns; parents[i] is the column of i's parent, -1 without one."""

    ids: tuple[int, ...]
    parents: tuple[int, ...]
    prompts: Vectors | None  # (c, dw), None where no engine knows words


@selection_pinned()
def classify_run(
    *,
    mesh: File | None = None,
    image: bytes | None = None,
    part: Part | None = None,
    crop: Crop | None = None,
) -> Classified:
    """What one mesh, one photo or one part may be. Raises `ServiceError`, also for none or two."""
    if sum(given is not None for given in (mesh, image, part)) != 1:
        raise ServiceError("classify_one")
    watch = Stopwatch(dict.fromkeys(("encode", "classify", "total"), 0.0))
    photo, own = None, {}
    with engines.engine_errors(), watch.stage("total"):
        # What is seen is compared in one space only: that of the first engine that knows words.
        selection.engines_check([_engine()])
        with watch.stage("encode"):
            if image is not None:
                seen, photo = photo_seen(image, crop=crop)
            elif mesh is not None:
                seen = mesh_seen(mesh)
            else:
                seen, own = part_seen(part.pk), _said(part)
                if seen is None:
                    raise ServiceError("part_not_ready", status=409)
        with watch.stage("classify"):
            found = classify(seen, **own)
    return replace(found, photo=photo, took_ms=watch.read())


# What is seen ------------------------------------------------------------------------------------


def words_engine() -> str | None:
    """The first engine of the configuration that knows words."""
    return next((name for name in engines.in_use() if encoders.words_space(name)), None)


def _engine() -> str:
    """The engine whose space is compared. Raises `ServiceError` where none is in use."""
    name = words_engine() or next(iter(engines.in_use()), None)
    if name is None:
        raise ServiceError("engine_none")
    return name


def part_seen(part_id: int) -> Seen | None:
    """The part by its kept vectors: those among words, else the first engine's it has any of."""
    from search.engine.fusion import views_mean

    for name in engines.in_use():
        space = encoders.words_space(name)
        if space and (rows := embeddings.embeddings_read(part_id, space.key)) is not None:
            return Seen(name, space, views_mean(rows), words=True)
    for name in engines.in_use():
        space = encoders.space(name)
        if (rows := embeddings.embeddings_read(part_id, space.key)) is not None:
            return Seen(name, space, rows, words=False)
    return None


def mesh_seen(file: File) -> Seen:
    """A mesh file by its views. Raises `MeshError`, `RenderError`."""
    from search.engine.mesh.load import mesh_load

    name = _engine()
    if not encoders.words_space(name):
        vectors = encode.mesh_encode(file, [name]).vectors[name]
        return Seen(name, encoders.space(name), vectors, words=False)
    file.seek(0)
    with encode.file_on_disk(file) as path:
        suffix = Path(str(file.name)).suffix
        mesh = mesh_load(path, suffix=suffix, limits=engines.mesh_limits())
        size = encoders.encoder(name, query=True).picture_size
        return _pictures_seen(name, encode.mesh_pictures(mesh, size=size))


def photo_seen(data: bytes, *, crop: Crop | None = None) -> tuple[Seen, encode.PhotoCut]:
    """A photo by what was cut out of it, in its quarter turns. Raises `PictureError`."""
    from search.engine.photo.prepare import photo_prepare, photo_variants
    from search.engine.photo.types import Box

    name = words_engine()
    if name is None:
        raise ServiceError("engine_none")
    photo = photo_prepare(data, crop=Box(*crop) if crop else None, limits=engines.photo_limits())
    size = encoders.encoder(name, query=True).picture_size
    seen = _pictures_seen(name, photo_variants(photo, size))
    box = (photo.box.left, photo.box.top, photo.box.right, photo.box.bottom)
    return seen, encode.PhotoCut(box=box, cut=photo.cut)


def _pictures_seen(name: str, pictures: NDArray[np.uint8]) -> Seen:
    """Pictures of one thing as a part is kept in the words' space: one vector, their mean."""
    from search.engine.fusion import views_mean

    encoder = cast("WordEncoder", encoders.encoder(name, query=True))
    _looks, vectors = encoder.pictures_embed_both(pictures)
    return Seen(name, encoder.words_space, views_mean(vectors), words=True)


# What it is --------------------------------------------------------------------------------------


@selection_pinned()
def part_classify(part: Part) -> Classified:
    """What the part may be, apart from what people said it is not."""
    seen = part_seen(part.pk)
    return Classified([]) if seen is None else classify(seen, **_said(part))


def _said(part: Part) -> dict[str, Collection[int]]:
    """A part has no vote on itself, and is not what people said it is not."""
    rejected = part.suggestions.filter(accepted=False).values_list("category", flat=True)
    return {"exclude": [part.pk], "rejected": set(rejected)}


def classify(
    seen: Seen, *, exclude: Collection[int] = (), rejected: Collection[int] = ()
) -> Classified:
    """The likely categories of what is seen; `exclude` are parts that have no vote."""
    from search.engine.classify import branches_lift, votes_mix, zero_shot

    shelves = shelves_current(seen.engine if seen.words else None)
    if not shelves.ids:
        return Classified([])
    numbers = tuning(seen.engine)
    words = np.zeros(len(shelves.ids))
    if shelves.prompts is not None:
        (words,) = zero_shot(seen.vectors, shelves.prompts, numbers)
    columns, similarities = _votes(seen, shelves, exclude)
    confidences = votes_mix(words, columns, similarities, numbers)
    out = np.isin(shelves.ids, list(rejected))
    # Given that it is none of the rejected, the others share what is left.
    confidences = np.where(out, 0.0, confidences / max(1 - confidences[out].sum(), 1e-9))
    threshold = settings.SEARCH.classify.threshold
    lifted = branches_lift(confidences, shelves.parents, threshold)
    lifted[out] = 0.0
    best = np.argsort(-lifted, kind="stable")[:SUGGESTIONS]
    if lifted[best[0]] < threshold:
        return Classified([])
    rows = Category.objects.in_bulk([shelves.ids[column] for column in best])
    return Classified(
        [
            (rows[shelves.ids[column]], float(lifted[column]))
            for column in best
            if lifted[column] >= LEAST and shelves.ids[column] in rows
        ]
    )


def _votes(
    seen: Seen, shelves: Shelves, exclude: Collection[int]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The columns and similarities of the nearest filed parts, at most `NEIGHBOURS`."""
    width = 4 * NEIGHBOURS
    near = _near(seen, k=width, exclude=exclude)
    filed = selectors.confirmed_categories(near.part_ids.tolist())
    if len(filed) < NEIGHBOURS and len(near) == width:
        near = _near(
            seen, k=NEIGHBOURS, exclude=exclude, allowed=selectors.filed_newest(FILED_MOST)
        )
        filed = selectors.confirmed_categories(near.part_ids.tolist())
    places = {pk: column for column, pk in enumerate(shelves.ids)}
    votes = [
        (places[filed[part]], similarity)
        for part, similarity in zip(near.part_ids.tolist(), near.similarities, strict=True)
        if filed.get(part) in places
    ][:NEIGHBOURS]
    columns, similarities = zip(*votes, strict=True) if votes else ((), ())
    return np.array(columns, np.int64), np.array(similarities, np.float32)


def _near(
    seen: Seen, *, k: int, exclude: Collection[int], allowed: Collection[int] | None = None
) -> "Ranking":
    """The k nearest parts. Among words a part is one mean; by its looks, each view finds its best
    and all of them count."""
    return index_current(seen.space).search(
        seen.vectors, k=k, pooling="mean" if seen.words else "max", query_pooling="mean",
        exclude=exclude, allowed=allowed,
    )  # fmt: skip


@selection_pinned()
def parts_around(part_id: int) -> list[int]:
    """The parts near enough to this one that its category counts for theirs; itself first."""
    seen = part_seen(part_id)
    if seen is None:
        return [part_id]
    near = _near(seen, k=AROUND, exclude=[part_id])
    counts = tuning(seen.engine).closeness.strength(near.similarities)
    return [part_id, *near.part_ids[counts >= LEAST_VOTE].tolist()]


# What is kept in this process ---------------------------------------------------------------------


def shelves_current(engine: str | None) -> Shelves:
    """The categories as they are now, with their prompts for an engine that knows words.

    One query tells whether anything changed since this process last read them.
    """
    now = Category.objects.aggregate(n=Count("pk"), last=Max("pk"), changed=Max("updated_at"))
    return _shelves(engine, tuple(now.values()))


@lru_cache(maxsize=4)
def _shelves(engine: str | None, version: tuple[Any, ...]) -> Shelves:
    from search.engine.classify import prompts_average

    rows = list(Category.objects.order_by("pk"))
    places = {row.pk: column for column, row in enumerate(rows)}
    prompts = None
    if engine is not None and rows:
        templates = settings.SEARCH.expansion.templates
        texts = [
            (column, text, expand.script_of(phrase))
            for column, row in enumerate(rows)
            for phrase in (row.name, row.name_zh, *row.prompts)
            if phrase.strip()
            for text in expand.prompts(phrase, templates)
        ]
        columns, phrases, scripts = zip(*texts, strict=True)
        vectors = encoders.word_encoder(engine, query=True).texts_embed(phrases)
        prompts = prompts_average(vectors, columns, scripts)
    return Shelves(
        ids=tuple(places), parents=tuple(places.get(row.parent_id, -1) for row in rows),
        prompts=prompts,
    )  # fmt: skip


@cache
def tuning(engine: str) -> "Tuning":
    """The classifier's numbers, which were fitted with the engine's weights."""
    from search.engine.classify import Tuning

    held = settings.SEARCH.engines[engine]
    if held.encoder == "openclip":
        # CLIP's softmax was trained at this temperature, and captions that fit have cosines of a
        # quarter and more (Radford et al. 2021); neither was measured on parts.
        return Tuning(temperature=0.01, none=0.24)
    if held.encoder != "mini":
        return Tuning()
    path = settings.BASE / held.weights / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    return Tuning.from_json(manifest[held.encoder].get("classify", {}))
