"""Which engines there are, and which of those in use can answer what is asked.

Their encoders are in `encoders.py`, the choice of those in use in `lifecycle/selection.py`, the
making of their vectors in `lifecycle/installs.py`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from catalog.errors import ServiceError
from search import encoders
from search.lifecycle import selection

if TYPE_CHECKING:
    from search.engine.encoders.space import Space
    from search.engine.errors import EncoderError
    from search.engine.index.config import IndexConfig
    from search.engine.index.gpu import GpuConfig
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


def in_use() -> list[str]:
    """The engines that parts are embedded for and queries are answered by, the first one first."""
    return selection.selection_current().names


def label(name: str) -> str:
    """What people call the engine or the ranking, in their language."""
    engine = settings.SEARCH.engines.get(name)
    own = engine.label if engine else {}
    return own.get(get_language() or "en") or own.get("en") or str(LABELS.get(name, name))


def is_shape(name: str) -> bool:
    """Whether the engine measures the geometry and sees no pictures."""
    return settings.SEARCH.engines[name].encoder == "shape"


def engine_names(kind: str) -> list[str]:
    """The rankings that can answer a query of this kind, in the order of the engines in use."""
    used, engines = in_use(), settings.SEARCH.engines
    pictures = [name for name in used if engines[name].encoder != "shape"]
    match kind:
        case "image":
            return pictures
        case "text":
            return [*(name for name in pictures if _reads(name)), WORDS]
        case "hybrid":
            return [*pictures, WORDS]
        case "mesh":
            return used
        case _:
            raise ServiceError("kind_unknown", kind=kind)


def engines_for(kind: str) -> list[tuple[str, str]]:
    """What a user may choose for a query of this kind: names and labels, the default first."""
    names = engine_names(kind)
    choices = [FUSION, *names] if len(names) > 1 else names
    if kind == "hybrid":
        # The words are asked beside whichever engine looks; alone they would forget the picture.
        choices = [name for name in choices if name != WORDS]
    return [(name, label(name)) for name in choices]


def engines_chosen(kind: str, engine: str) -> tuple[str, list[str]]:
    """The choice and the rankings that it stands for; "" is the default. Raises `ServiceError`.

    Fusion of the only one there is, is that one: who always asks for fusion is answered.
    """
    choices = [name for name, _label in engines_for(kind)]
    if not choices:
        raise ServiceError("engine_none")
    if not engine or (engine == FUSION and len(choices) == 1):
        engine = choices[0]
    if engine not in choices:
        known = ", ".join(choices)
        raise ServiceError("engine_unknown", engine=engine[:40], known=known)
    if engine == FUSION:
        return engine, engine_names(kind)
    return engine, [engine, WORDS] if kind == "hybrid" else [engine]


def engines_failing(kind: str, names: list[str]) -> dict[str, ServiceError]:
    """Of these engines, those that cannot answer such a query now, and why: each is tried."""
    failed: dict[str, ServiceError] = {}
    for name in names:
        with engine_fault(name, failed):
            selection.engines_check([name])
            if name != WORDS:
                encoders.encoder_try(
                    name, pictures=kind != "text", texts=kind in {"text", "hybrid"}
                )
    return failed


@contextmanager
def engine_fault(name: str, failed: dict[str, ServiceError]) -> Iterator[None]:
    """Inside, an engine's encoder that cannot be had, or whose weights are gone, is noted."""
    try:
        yield
    except Exception as error:
        fault = encoder_error(error)
        if fault is None:
            raise
        failed[name] = ServiceError(fault.code, status=503, **fault.params)


def encoder_error(error: BaseException) -> "EncoderError | None":
    """The encoder's own error that this one is, or that lies behind it."""
    from search.engine.errors import EncoderError

    return next((of for of in (error, error.__cause__) if isinstance(of, EncoderError)), None)


def _reads(name: str) -> bool:
    """Whether the engine knows words; of one that cannot be loaded, its failure is to be told."""
    with engine_fault(name, {}):
        return encoders.words_space(name) is not None
    return True


def spaces(names: Sequence[str] | None = None) -> list["Space"]:
    """Every space in which a part has a row by these engines, each once; those in use when none
    are named."""
    both = [
        of
        for name in (in_use() if names is None else names)
        for of in (encoders.space(name), encoders.words_space(name))
        if of
    ]
    return list(dict.fromkeys(both))


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
    from search.engine.index.coarse import gpus
    from search.engine.index.config import IndexConfig

    faiss = settings.SEARCH.faiss
    return IndexConfig(
        gpu=faiss.gpu == "auto" and gpus() > 0,
        index_type=faiss.index_type,
        exact_below=faiss.exact_below,
        nlist=faiss.nlist,
        nprobe=faiss.nprobe,
        recall_target=faiss.recall_target,
        threads=faiss.threads,
    )


def gpu_config() -> "GpuConfig":
    from search.engine.index.gpu import GpuConfig

    faiss = settings.SEARCH.faiss
    return GpuConfig(use=faiss.gpu, float16=faiss.gpu_float16)


@contextmanager
def engine_errors() -> Iterator[None]:
    """Inside, what the engine refuses becomes a refusal of the service's, with its sentence."""
    from search.engine.errors import EncoderError, EngineError

    try:
        yield
    except EncoderError as error:
        # Nothing that the asker could have done better.
        raise ServiceError(error.code, status=503, **error.params) from error
    except EngineError as error:
        raise ServiceError(error.code, **error.params) from error
    except MemoryError as error:
        # Of a large network, mostly: the machine's or the graphics card's, for the moment.
        raise ServiceError("machine_trouble", status=503, detail=str(error)[:200]) from error
