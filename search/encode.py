"""What was asked, turned into vectors: one set for each engine that is to answer.

Vectors are kept in the Django cache by the content's hash and the space, so that the same picture
asked twice is encoded once. What a person sees of a photo (the cut-out) is not kept.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from django.core.cache import cache
from django.core.files import File
from numpy.typing import NDArray

from search import encoders, engines
from search.expand import prompts

if TYPE_CHECKING:
    from search.engine.encoders.space import Space
    from search.engine.mesh.types import Mesh
    from search.engine.photo.types import Photo

Vectors = NDArray[np.float32]
# Raised when photo_prepare or the views of a mesh query change: older vectors are then not found.
RECIPE = 3


@dataclass(frozen=True)
class PhotoCut:
    """How a photo was read: the rectangle (fractions) taken for the part, and its picture."""

    box: tuple[float, float, float, float]
    cut: bool
    cutout: str = ""  # a data URI, when a page is to show it
    seen: "Photo | None" = None  # the photo itself, when more is to be done with it

    def to_json(self) -> dict[str, Any]:
        return {"box": [round(side, 4) for side in self.box], "cut": self.cut}


@dataclass(frozen=True)
class Encoded:
    """A query's vectors by engine: (q, d) of what looks, (1, dw) of its words.

    `also` are the other wordings of its text that count in `words`.
    """

    vectors: Mapping[str, Vectors]
    words: Mapping[str, Vectors] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    photo: PhotoCut | None = None
    invariants: dict[str, Any] | None = None  # of a mesh


def photo_encode(
    data: bytes,
    names: list[str],
    *,
    crop: tuple[float, float, float, float] | None = None,
    show: bool = False,
    hold: bool = False,
    fresh: bool = False,
) -> Encoded:
    """A picture's vectors, one a quarter turn. `show` adds the cut-out for a page, `hold` the
    photo as it was read.

    `fresh`: neither taken from the cache nor kept in it.
    """
    from search.engine.photo.prepare import cutout_png, photo_embed, photo_prepare
    from search.engine.photo.types import Box

    keys = {name: _key("photo", data, repr(crop), name) for name in names}
    kept = {} if fresh else cache.get_many(keys.values())
    known = _photo_kept(keys, kept) if not fresh and len(kept) == len(keys) else None
    if known is not None and not (show or hold):
        return known
    with engines.engine_errors():
        photo = photo_prepare(
            data, crop=Box(*crop) if crop else None, limits=engines.photo_limits()
        )
        vectors = known.vectors if known is not None else {
            name: photo_embed(photo, encoders.encoder(name, query=True)) for name in names
        }  # fmt: skip
    box = (photo.box.left, photo.box.top, photo.box.right, photo.box.bottom)
    cut = PhotoCut(
        box=box,
        cut=photo.cut,
        cutout=_data_uri(cutout_png(photo)) if show else "",
        seen=photo if hold else None,
    )
    for name, key in () if fresh or known else keys.items():
        _keep(key, [vectors[name].tobytes(), list(box), photo.cut])
    return Encoded(vectors, photo=cut)


def _photo_kept(keys: Mapping[str, str], kept: Mapping[str, list[Any]]) -> Encoded:
    vectors: dict[str, Vectors] = {}
    cut = None
    for name, key in keys.items():
        rows, box, was_cut = kept[key]
        vectors[name] = _rows(rows, encoders.space(name).d)
        cut = PhotoCut(box=tuple(box), cut=was_cut)
    return Encoded(vectors, photo=cut)


def text_encode(text: str, names: Sequence[str], *, also: Sequence[str] = ()) -> dict[str, Vectors]:
    """A text's vector (1, dw) in each engine's words' space: the mean of its wordings' vectors.

    `also` are other wordings; together they have the configured share of the mean. Each wording is
    the mean of its prompts (Radford et al., "Learning transferable visual models", 2021, 3.1.4).
    """
    if not names:
        return {}
    expansion = settings.SEARCH.expansion
    wordings = [prompts(wording, expansion.templates) for wording in (text, *also)]
    shares = [1 - expansion.share if also else 1.0, *[expansion.share / len(also) for _ in also]]
    weights = np.array(
        [share / len(of) for share, of in zip(shares, wordings, strict=True) for _ in of],
        np.float32,
    )
    texts = [prompt for of in wordings for prompt in of]
    found = {}
    with engines.engine_errors():
        for name in names:
            mean = weights @ encoders.word_encoder(name, query=True).texts_embed(texts)
            found[name] = (mean / max(float(np.linalg.norm(mean)), 1e-12))[None]
    return found


def mesh_encode(file: File, names: list[str], *, fresh: bool = False) -> Encoded:
    """A mesh file's vectors: of its views for an engine that looks, of its shape for `shape`."""
    from search.engine.mesh.load import mesh_load
    from search.engine.shape.invariants import invariants_measure

    file.seek(0)
    data_hash = hashlib.sha256()
    for chunk in file.chunks(1024 * 1024):
        data_hash.update(chunk)
    keys = {name: _key("mesh", data_hash.digest(), "", name) for name in names}
    kept = {} if fresh else cache.get_many(keys.values())
    if keys and len(kept) == len(keys):
        vectors = {name: _rows(kept[key][0], encoders.space(name).d) for name, key in keys.items()}
        return Encoded(vectors, invariants=kept[keys[names[0]]][1])
    with engines.engine_errors(), file_on_disk(file) as path:
        mesh = mesh_load(path, suffix=Path(str(file.name)).suffix, limits=engines.mesh_limits())
        vectors = mesh_vectors(mesh, names, query=True)
        invariants = invariants_measure(mesh).to_json()
    for name, key in () if fresh else keys.items():
        _keep(key, [vectors[name].tobytes(), invariants])
    return Encoded(vectors, invariants=invariants)


class Views:
    """A mesh's views, drawn once at each size that an encoder asks for."""

    def __init__(self, mesh: "Mesh") -> None:
        self._mesh = mesh
        self._drawn: dict[int, NDArray[np.uint8]] = {}

    def put(self, drawn: NDArray[np.uint8]) -> None:
        """(v, size, size, 3) views that somebody drew of this mesh before."""
        self._drawn[drawn.shape[1]] = drawn

    def at(self, size: int) -> NDArray[np.uint8]:
        """(v, size, size, 3). Raises `RenderError`."""
        if size not in self._drawn:
            self._drawn[size] = mesh_pictures(self._mesh, size=size)
        return self._drawn[size]


def mesh_vectors(
    mesh: "Mesh", names: list[str], *, views: Views | None = None, query: bool = False
) -> dict[str, Vectors]:
    """A mesh's vectors in each engine's space; `views` are those that are at hand.

    `query`: somebody waits for them.
    """
    from search.engine.shape.descriptor import shape_embed

    views = views or Views(mesh)
    found = {}
    for name in names:
        if settings.SEARCH.engines[name].encoder == "shape":
            found[name] = shape_embed(mesh.triangles)[None]
            continue
        encoder = encoders.encoder(name, query=query)
        found[name] = encoder.pictures_embed(views.at(encoder.picture_size))
    return found


def part_vectors(mesh: "Mesh", names: Sequence[str], *, views: Views) -> dict["Space", Vectors]:
    """Every row a part has by these engines: one vector a view, and in a space of words' own,
    their mean."""
    from search.engine.fusion import views_mean

    found: dict[Space, Vectors] = {}
    for name in names:
        words = encoders.words_space(name)
        if words is None or encoders.is_joint(name):
            found[encoders.space(name)] = mesh_vectors(mesh, [name], views=views)[name]
            continue
        encoder = encoders.word_encoder(name)
        looks, worded = encoder.pictures_embed_both(views.at(encoder.picture_size))
        found[encoders.space(name)] = looks
        found[words] = views_mean(worded)
    return found


def mesh_pictures(mesh: "Mesh", *, size: int) -> NDArray[np.uint8]:
    """(v, size, size, 3) the views of a mesh from the configured viewpoints, stood upright."""
    from search.engine.render.viewpoints import viewpoints_fibonacci
    from search.engine.render.views import views_render

    viewpoints = viewpoints_fibonacci(settings.SEARCH.render.viewpoints)
    return views_render(mesh.triangles_upright, viewpoints=viewpoints, size=size).rgb


def _key(kind: str, content: bytes, extra: str, engine: str) -> str:
    digest = hashlib.sha256(content + extra.encode()).hexdigest()
    return f"query:{RECIPE}:{kind}:{digest}:{encoders.space(engine).key}"


def _keep(key: str, value: list[Any]) -> None:
    if seconds := settings.SEARCH.search.cache_seconds:
        cache.set(key, value, seconds)


def _rows(data: bytes, d: int) -> Vectors:
    return np.frombuffer(data, np.float32).reshape(-1, d)


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


@contextmanager
def file_on_disk(file: File) -> Iterator[Path]:
    """The file's path while the block lasts; a copy is made only of what was in memory."""
    if hasattr(file, "temporary_file_path"):
        yield Path(file.temporary_file_path())
        return
    with NamedTemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR) as copy:
        for chunk in file.chunks():
            copy.write(chunk)
        copy.flush()
        yield Path(copy.name)
