"""What an explanation looks at: the query read again as the search read it, the part drawn again.

A part is drawn from the preview that its viewer shows, so no stranger's file is parsed on a
request for it and the work is bounded whatever the part's own mesh holds.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from catalog.errors import ServiceError
from catalog.models import Part
from search import embeddings, encoders, engines
from search.encode import text_encode
from search.feedback import Marks, vectors_move
from search.query import Query, alpha_of, wordings

if TYPE_CHECKING:
    from search.engine.explain.sides import Side
    from search.engine.mesh.types import Mesh
    from search.engine.render.types import Views

Floats = NDArray[np.float32]
FACTS_MOST = 1_000_000  # triangles of a mesh that is measured while somebody waits


@dataclass(frozen=True)
class Asked:
    """A query ready to be explained beside one part.

    `look` (d,) is what was seen, `text` (dw,) what was said, None where nothing was; `alpha` the
    picture's share of the two. `side` is the picture asked with, `shown` (s, s, 4) how a person
    sees it. `view` is the part's view that answers best, `view_vector` (d,) what is kept of it.
    Marks have moved both; `alone` is the similarity without them, None where there are none.
    """

    kind: str  # "picture", "words", "both", "mesh" or "part"
    similarity: float
    view: int
    view_vector: Floats
    look: Floats | None = None
    text: Floats | None = None
    part_words: Floats | None = None  # the part's vector that the text is compared with
    alpha: float = 1.0
    side: "Side | None" = None
    shown: NDArray[np.uint8] | None = None
    facts: dict[str, Any] | None = None  # of a mesh asked with
    alone: float | None = None

    def method(self, looking: Any, reading: Any) -> str:
        """Of the explainers used, as one word: "exact", "integrated", "exact+integrated", ..."""
        used = [looking.method] if self.look is not None else []
        used += [reading.method] if self.text is not None else []
        return "+".join(dict.fromkeys(used))


@dataclass(frozen=True)
class Drawn:
    """A part drawn again: its preview's triangles in the unit sphere, upright, and its views."""

    triangles: Floats
    views: "Views"

    def sides(self) -> list["Side"]:
        from search.engine.explain.sides import Side

        pairs = zip(self.views.rgb, self.views.mask, strict=True)
        return [Side(picture, mask > 127) for picture, mask in pairs]


def views_draw(part: Part, *, size: int, only: int | None = None) -> Drawn:
    """All views of the part, or one of them, `size` pixels each way."""
    from search.engine.errors import EngineError
    from search.engine.explain.surface import centred
    from search.engine.mesh.preview import preview_read
    from search.engine.mesh.types import Y_UP
    from search.engine.render.viewpoints import viewpoints_fibonacci
    from search.engine.render.views import views_render

    try:
        with part.preview.open("rb") as file:
            triangles = preview_read(file.read())
    except (OSError, EngineError) as error:
        raise ServiceError("part_not_ready", status=409) from error
    if part.mesh_format in Y_UP:
        x, y, z = np.moveaxis(triangles, -1, 0)
        triangles = np.stack([x, -z, y], axis=-1)
    triangles = centred(triangles)
    viewpoints = viewpoints_fibonacci(settings.SEARCH.render.viewpoints)
    if only is not None:
        viewpoints = viewpoints[only : only + 1]
    return Drawn(triangles, views_render(triangles, viewpoints=viewpoints, size=size))


def asked_read(query: Query, part: Part, like: Part | None, engine: str, marks: Marks) -> Asked:
    """The query, moved by its marks, beside the part. Raises `ServiceError` for what cannot be
    asked."""
    kept = embeddings.embeddings_read(part.pk, encoders.space(engine).key)
    if kept is None:
        raise ServiceError("part_not_embedded", status=409, engine=engine)
    kept = kept / np.maximum(np.linalg.norm(kept, axis=1, keepdims=True), 1e-12)
    answer = Answering(part, kept, engine, marks)
    if like is not None:
        return _asked_part(like, answer)
    match query.kind:
        case "mesh":
            return _asked_mesh(query, answer)
        case "text":
            return _asked_text(query, answer)
        case "image" | "hybrid":
            if not query.image and query.kind == "hybrid" and query.text.strip():
                return _asked_text(query, answer)
            return _asked_picture(query, answer)
        case _:
            raise ServiceError("kind_unknown", kind=query.kind)


@dataclass(frozen=True)
class Answering:
    """The part that is asked about: what is kept of it (views, d) in the engine's space, and the
    marks that move what is asked."""

    part: Part
    kept: Floats
    engine: str
    marks: Marks

    def moved(self, vectors: Floats, *, words: bool = False) -> Floats:
        """The query's rows (q, d) as the search asked them."""
        space = encoders.words_space(self.engine) if words else encoders.space(self.engine)
        assert space is not None
        return vectors_move(vectors, space, self.marks)

    def alone(self, vectors: Floats, against: Floats | None = None) -> float | None:
        """The similarity of the query's rows (q, d) without the marks; None where there are
        none."""
        if not self.marks:
            return None
        return float((vectors @ (self.kept if against is None else against).T).max())


def _asked_picture(query: Query, answer: Answering) -> Asked:
    from search.engine.explain.sides import photo_shown, photo_side
    from search.engine.fusion import embeddings_fuse
    from search.engine.photo.prepare import photo_embed, photo_prepare
    from search.engine.photo.types import Box

    if not query.image:
        raise ServiceError("image_missing" if query.image is None else "empty_file")
    engine = answer.engine
    crop = Box(*query.crop) if query.crop else None
    photo = photo_prepare(query.image, crop=crop, limits=engines.photo_limits())
    plain = photo_embed(photo, encoders.encoder(engine, query=True))
    text, alpha = query.text.strip() if query.kind == "hybrid" else "", alpha_of(query)
    said, of_part = _said(text, query, answer) if text else (None, None)
    joint = said is not None and encoders.is_joint(engine)
    if said is not None and joint:
        # In one space picture and words are one query.
        plain = np.stack([embeddings_fuse(row, said, alpha=alpha) for row in plain])
    vectors = answer.moved(plain)
    turn, view = _best(vectors, answer.kept)
    if said is not None and not joint:
        said = answer.moved(said[None], words=True)[0]
    return Asked(
        kind="both" if said is not None else "picture",
        similarity=float(vectors[turn] @ answer.kept[view]),
        alone=answer.alone(plain),
        view=view,
        view_vector=answer.kept[view],
        look=vectors[turn],
        text=None if joint else said,
        part_words=answer.kept[view] if joint else of_part,
        alpha=alpha,
        side=photo_side(photo, turn, size=picture_size(engine)),
        shown=photo_shown(photo),
    )


def _asked_text(query: Query, answer: Answering) -> Asked:
    text, engine = query.text.strip(), answer.engine
    if not text:
        raise ServiceError("text_missing")
    if encoders.words_space(engine) is None:
        raise ServiceError("explain_no_words", engine=engine)
    plain, of_part = _said(text, query, answer)
    assert plain is not None
    said = answer.moved(plain[None], words=True)[0]
    if encoders.is_joint(engine):
        seen = answer.kept
    else:
        pictures = views_draw(answer.part, size=picture_size(engine)).views.rgb
        seen = encoders.word_encoder(engine).pictures_embed_both(pictures)[1]
    towards = seen @ said
    view = int(towards.argmax())
    if encoders.is_joint(engine):
        of_part = seen[view]
    # A part is found by the mean of its views where words have a space of their own.
    against = seen if of_part is None or encoders.is_joint(engine) else of_part[None]
    return Asked(
        kind="words",
        similarity=float((against @ said).max()),
        alone=answer.alone(plain[None], against),
        view=view,
        view_vector=answer.kept[min(view, len(answer.kept) - 1)],
        text=said,
        part_words=of_part,
    )


def _asked_mesh(query: Query, answer: Answering) -> Asked:
    from pathlib import Path

    from search.encode import file_on_disk
    from search.engine.mesh.facts import facts_measure
    from search.engine.mesh.load import mesh_load
    from search.engine.shape.invariants import invariants_measure

    if query.mesh is None:
        raise ServiceError("file_missing")
    query.mesh.seek(0)
    with file_on_disk(query.mesh) as path:
        suffix = Path(str(query.mesh.name)).suffix
        mesh = mesh_load(path, suffix=suffix, limits=engines.mesh_limits())
        facts: dict[str, Any] = {"invariants": invariants_measure(mesh).to_json()}
        if len(mesh.triangles) <= FACTS_MOST:
            measured = facts_measure(mesh)
            facts |= {
                "extents": [float(side) for side in measured.bbox_mm],
                "volume": float(measured.volume_mm3),
                "watertight": measured.watertight,
                "components": measured.components,
            }
        return _asked_views(_mesh_views(mesh, answer.engine), answer, kind="mesh", facts=facts)


def picture_size(engine: str) -> int:
    """Pixels each way of what the engine looks at."""
    return encoders.encoder(engine).picture_size


def _mesh_views(mesh: "Mesh", engine: str) -> "Views":
    from search.engine.render.viewpoints import viewpoints_fibonacci
    from search.engine.render.views import views_render

    viewpoints = viewpoints_fibonacci(settings.SEARCH.render.viewpoints)
    size = picture_size(engine)
    return views_render(mesh.triangles_upright, viewpoints=viewpoints, size=size)


def _asked_views(
    views: "Views", answer: Answering, *, kind: str, facts: dict[str, Any] | None
) -> Asked:
    """Of a mesh, the view that is nearest to one of the part's."""
    from search.engine.explain.sides import Side

    plain = encoders.encoder(answer.engine, query=True).pictures_embed(views.rgb)
    vectors = answer.moved(plain)
    own, view = _best(vectors, answer.kept)
    return Asked(
        kind=kind,
        similarity=float(vectors[own] @ answer.kept[view]),
        alone=answer.alone(plain),
        view=view,
        view_vector=answer.kept[view],
        look=vectors[own],
        side=Side(views.rgb[own], views.mask[own] > 127),
        facts=facts,
    )


def _asked_part(like: Part, answer: Answering) -> Asked:
    """Another part as the query, from what is kept of it: one of its views is drawn."""
    from search.engine.explain.sides import Side

    plain = embeddings.embeddings_read(like.pk, encoders.space(answer.engine).key)
    if plain is None:
        raise ServiceError("part_not_embedded", status=409, engine=answer.engine)
    vectors = answer.moved(plain)
    own, view = _best(vectors, answer.kept)
    drawn = views_draw(like, size=picture_size(answer.engine), only=own).views
    box = like.bbox_mm
    facts = {
        "extents": list(box) if box else None,
        "volume": like.volume_mm3,
        "watertight": like.watertight,
        "components": like.components,
        "invariants": like.invariants,
    }
    return Asked(
        kind="part",
        similarity=float(vectors[own] @ answer.kept[view]),
        alone=answer.alone(plain),
        view=view,
        view_vector=answer.kept[view],
        look=vectors[own],
        side=Side(drawn.rgb[0], drawn.mask[0] > 127),
        facts=facts,
    )


def _said(text: str, query: Query, answer: Answering) -> tuple[Floats | None, Floats | None]:
    """The text's vector, and the part's own in the words' space; None where the engine knows no
    words, or has none of this part."""
    engine = answer.engine
    space = encoders.words_space(engine)
    if space is None:
        return None, None
    said = text_encode(text, [engine], also=wordings(query))[engine][0]
    rows = embeddings.embeddings_read(answer.part.pk, space.key)
    if rows is None or encoders.is_joint(engine):
        return said, None
    mean = rows.mean(axis=0)
    return said, mean / max(float(np.linalg.norm(mean)), 1e-12)


def _best(vectors: Floats, kept: Floats) -> tuple[int, int]:
    """The row of each that are nearest to one another."""
    own, view = np.unravel_index(int((vectors @ kept.T).argmax()), (len(vectors), len(kept)))
    return int(own), int(view)
