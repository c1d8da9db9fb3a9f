"""What is asked, checked, and turned into vectors for the engines that are to answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from django.conf import settings
from django.core.files import File

from catalog.errors import ServiceError
from catalog.words import only_numbers
from search import encoders, engines
from search.encode import Encoded, mesh_encode, photo_encode, text_encode
from search.expand import text_expand
from search.glossary import glossary_current
from search.selectors import Filters


@dataclass(frozen=True)
class Query:
    """What is asked. `crop` is (left, top, right, bottom) in fractions of the upright picture."""

    kind: str  # "image", "text", "hybrid" or "mesh"
    image: bytes | None = None
    text: str = ""
    mesh: File | None = None
    k: int | None = None
    engine: str = ""
    filters: Filters = Filters()
    alpha: float | None = None  # hybrid: the picture's share
    crop: tuple[float, float, float, float] | None = None
    expand: bool | None = None  # ask the text in other words too; None is the configuration's
    more: Sequence[str] = ()  # ids of parts that what is looked for is more like,
    less: Sequence[str] = ()  # and less
    show_cut: bool = False  # a page wants to see what was cut out
    verify: bool | None = None  # lay the first hits over the picture; None is the configuration's
    fresh: bool = False  # encode anew whatever the cache holds, and keep nothing: times are taken


def k_checked(k: int | None, *, free: bool = False) -> int:
    """How many hits to give; the default when nothing is asked, a refusal when too many are.

    `free`: no number is too many.
    """
    search = settings.SEARCH.search
    if k is None:
        return search.default_k
    if not 1 <= k <= (k if free else search.max_k):
        raise ServiceError("k_out_of_range", k=k, most=search.max_k)
    return k


def alpha_of(query: Query) -> float:
    """The picture's share of a query: all of one without words, none of one without a picture."""
    if query.kind != "hybrid":
        return 0.0 if query.kind == "text" else 1.0
    alpha = settings.SEARCH.search.hybrid_alpha if query.alpha is None else query.alpha
    if not 0 <= alpha <= 1:
        raise ServiceError("alpha_out_of_range", alpha=alpha)
    if not query.image:
        return 0.0
    return alpha if query.text.strip() else 1.0


def query_encode(query: Query, names: list[str], *, hold: bool = False) -> Encoded:
    """Vectors for the engines that need them, with `hold` the photo too. Raises `ServiceError`
    for what cannot be asked."""
    # Refusals first: a picture takes a while to encode.
    text, alpha = text_checked(query), alpha_of(query)
    if query.kind == "mesh":
        if query.mesh is None:
            raise ServiceError("file_missing")
        return mesh_encode(query.mesh, names, fresh=query.fresh)
    encoded = Encoded({})
    if query.kind != "text" and (query.image is not None or not text):
        if not query.image:
            raise ServiceError("image_missing" if query.image is None else "empty_file")
        looking = [name for name in names if name != engines.WORDS]
        encoded = photo_encode(
            query.image,
            looking,
            crop=query.crop,
            show=query.show_cut,
            hold=hold,
            fresh=query.fresh,
        )
    if not text:
        return encoded
    also = wordings(query)
    knowing = [name for name in names if name != engines.WORDS and encoders.words_space(name)]
    encoded = replace(encoded, words=text_encode(text, knowing, also=also), also=tuple(also))
    return _joined(encoded, alpha)


def wordings(query: Query) -> list[str]:
    """The query in other words, by the glossary; none where that is switched off."""
    expansion = settings.SEARCH.expansion
    wanted = expansion.enabled if query.expand is None else query.expand
    text = query.text.strip()
    if not wanted or only_numbers(text):
        return []
    return text_expand(text, glossary_current(), most=expansion.most)


def text_checked(query: Query) -> str:
    if query.kind not in {"text", "hybrid"}:
        return ""
    text = query.text.strip()
    most = settings.SEARCH.limits.text_characters
    if len(text) > most:
        raise ServiceError("text_too_long", length=len(text), most=most)
    if not text and query.kind == "text":
        raise ServiceError("text_missing")
    return text


def _joined(encoded: Encoded, alpha: float) -> Encoded:
    """In an engine of one space, picture and words become one query; elsewhere they stay two."""
    from search.engine.fusion import embeddings_fuse

    joint = [name for name in encoded.words if encoders.is_joint(name) and name in encoded.vectors]
    fused = {
        name: np.stack([embeddings_fuse(row, encoded.words[name][0], alpha=alpha) for row in rows])
        for name in joint
        for rows in [encoded.vectors[name]]
    }
    return replace(
        encoded,
        vectors={**encoded.vectors, **fused},
        words={name: of for name, of in encoded.words.items() if name not in joint},
    )
