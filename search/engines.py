"""The engines of `config/search.yaml` made ready: one warm encoder of each per process.

The bridge between the settings and the engine library; nobody else builds encoders or limits.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from catalog.errors import ServiceError

if TYPE_CHECKING:
    from search.engine.calibration import Logistic
    from search.engine.encoders.base import PictureEncoder, WordEncoder
    from search.engine.encoders.space import Space
    from search.engine.index.config import IndexConfig
    from search.engine.mesh.types import MeshLimits
    from search.engine.photo.types import PhotoLimits

WORDS = "words"  # the lexical ranking, beside the engines of the configuration
KINDS = ("image", "text", "hybrid", "mesh")
FUSION = "fusion"  # several rankings at once
LABELS = {
    "mini": _("Looks"),
    "shape": _("Shape"),
    WORDS: _("Words"),
    FUSION: _("All together"),
}


def engine_names(kind: str) -> list[str]:
    """The rankings that can answer a query of this kind, in the order of the configuration."""
    engines = settings.SEARCH.engines
    pictures = [name for name, engine in engines.items() if engine.encoder != "shape"]
    match kind:
        case "image":
            return pictures
        case "text":
            return [*(name for name in pictures if words_space(name)), WORDS]
        case "hybrid":
            return [*pictures, WORDS]
        case "mesh":
            return list(engines)
        case _:
            raise ServiceError("kind_unknown", kind=kind)


def engines_for(kind: str) -> list[tuple[str, str]]:
    """What a user may choose for a query of this kind: names and labels, the default first."""
    names = engine_names(kind)
    if kind == "hybrid":
        return [(FUSION, str(LABELS[FUSION]))]
    choices = [FUSION, *names] if len(names) > 1 else names
    return [(name, str(LABELS.get(name, name))) for name in choices]


def engines_chosen(kind: str, engine: str) -> list[str]:
    """The rankings that the asked engine stands for; "" is the default. Raises `ServiceError`."""
    choices = [name for name, _label in engines_for(kind)]
    engine = engine or choices[0]
    if engine not in choices:
        known = ", ".join(choices)
        raise ServiceError("engine_unknown", engine=engine[:40], known=known)
    return engine_names(kind) if engine == FUSION else [engine]


@cache
def encoder(name: str, *, query: bool = False) -> "PictureEncoder":
    """The picture encoder of an engine, warm for the life of the process.

    `query`: the one that answers somebody who waits, with as many threads as that is worth.
    """
    from search.engine.encoders.choose import encoder_make

    engine = settings.SEARCH.engines[name]
    threads = engine.query_threads if query else engine.threads
    return encoder_make(engine.encoder, folder=settings.BASE / engine.weights, threads=threads)


@cache
def space(name: str) -> "Space":
    """The space an engine's vectors live in."""
    if settings.SEARCH.engines[name].encoder == "shape":
        from search.engine.shape.descriptor import SHAPE_SPACE

        return SHAPE_SPACE
    return encoder(name).space


@cache
def words_space(name: str) -> "Space | None":
    """The space where texts meet pictures, which may be the engine's only one; None without."""
    if settings.SEARCH.engines[name].encoder == "shape":
        return None
    return getattr(encoder(name), "words_space", None)


def word_encoder(name: str) -> "WordEncoder":
    """The encoder of an engine that has a words' space."""
    return cast("WordEncoder", encoder(name))


def is_joint(name: str) -> bool:
    """Whether the engine's pictures and words live in one space."""
    return words_space(name) == space(name)


def spaces() -> list["Space"]:
    """Every space in which a part has a row, each once, in the order of the configuration."""
    names = settings.SEARCH.engines
    both = [of for name in names for of in (space(name), words_space(name)) if of]
    return list(dict.fromkeys(both))


def strength(name: str, kind: str, similarity: float) -> float:
    """What a similarity of this engine is worth to such a query, 0..1.

    By the calibration that came with the weights; without one, the similarity itself.
    """
    return _strength(name, kind)(similarity)


@cache
def _strength(name: str, kind: str) -> Callable[[float], float]:
    held: Mapping[str, Logistic] = {}
    if settings.SEARCH.engines[name].encoder != "shape":
        held = getattr(encoder(name), "calibration", held)
    if kind in held:
        return held[kind].strength
    return lambda similarity: min(1.0, max(0.0, similarity))


def mesh_limits() -> "MeshLimits":
    from search.engine.mesh.types import MeshLimits

    limits = settings.SEARCH.limits
    return MeshLimits(
        memory_mb=limits.parse_memory_mb,
        cpu_s=limits.parse_cpu_s,
        wall_s=limits.parse_wall_s,
        triangles=limits.triangles,
    )


def photo_limits() -> "PhotoLimits":
    from search.engine.photo.types import PhotoLimits

    limits = settings.SEARCH.limits
    return PhotoLimits(megabytes=limits.picture_mb, pixels=limits.picture_megapixels * 1_000_000)


def index_config() -> "IndexConfig":
    from search.engine.index.config import IndexConfig

    faiss = settings.SEARCH.faiss
    return IndexConfig(
        index_type=faiss.index_type,
        exact_below=faiss.exact_below,
        nlist=faiss.nlist,
        nprobe=faiss.nprobe,
        recall_target=faiss.recall_target,
        threads=faiss.threads,
    )


@contextmanager
def engine_errors() -> Iterator[None]:
    """Inside, what the engine refuses becomes a refusal of the service's, with its sentence."""
    from search.engine.errors import EngineError

    try:
        yield
    except EngineError as error:
        raise ServiceError(error.code, **error.params) from error


def engine_facts() -> list[dict[str, Any]]:
    """What is configured, for /api/engines/."""
    return [
        {
            "name": name,
            "label": str(LABELS.get(name, name)),
            "encoder": space(name).encoder,
            "space": space(name).key,
            "dimensions": space(name).d,
            "words_space": words.key if words else None,
            "words_dimensions": words.d if words else None,
            "kinds": [kind for kind in KINDS if name in engine_names(kind)],
        }
        for name in settings.SEARCH.engines
        for words in [words_space(name)]
    ]
