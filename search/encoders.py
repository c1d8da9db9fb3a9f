"""The engines' encoders made ready: one warm encoder of each engine per process.

The bridge between the configuration and the engine library; nobody else builds encoders. A name
may be any of the configuration's, in use or not. Where an encoder cannot be had, all of these raise
`ServiceError`, with the code that says why.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from django.conf import settings

from catalog.errors import ServiceError
from search.remote import client as remote

if TYPE_CHECKING:
    from search.engine.calibration import Logistic
    from search.engine.encoders.base import PictureEncoder, WordEncoder
    from search.engine.encoders.openclip_files import Source
    from search.engine.encoders.space import Space

log = logging.getLogger(__name__)

LARGE = ("openclip", "resnet50")
# What any similarity of a large network is worth until it was measured on this catalogue: neither
# weak nor sure. Cosines of texts and pictures in CLIP lie at .2 to .35, those of two pictures at .7
# and more, whatever they show: read as shares they would mislead.
UNMEASURED = 0.5


_held: dict[tuple[str, bool], "PictureEncoder"] = {}
_making = threading.RLock()  # a query's encoder is made from the other one


def encoder(name: str, *, query: bool = False) -> "PictureEncoder":
    """The picture encoder of an engine, warm for the life of the process, or until it is idle.

    `query`: the one that answers somebody who waits, with as many threads as that is worth; with
    `SEARCH_ENCODERS=remote`, a worker's.
    """
    key = name, query
    held = _held.get(key)
    if held is None:
        # Threads that come together would each make one, and each load the network.
        with _making:
            held = _held.get(key) or _encoder_make(name, query=query)
            _held[key] = held
    return held


def _encoder_make(name: str, *, query: bool) -> "PictureEncoder":
    from search.engine.encoders.choose import encoder_make
    from search.engine.errors import EncoderError

    engine = _engine(name)
    if query and remote.is_remote():
        return remote.RemoteEncoder(name, encoder(name))
    if query and engine.encoder in LARGE:
        # A large network is in memory once, whoever asks.
        return cast("Any", encoder(name)).with_threads(engine.query_threads)
    threads = engine.query_threads if query else engine.threads
    try:
        return encoder_make(engine.encoder, threads=threads, **_options(name))
    except EncoderError as error:
        log.warning("the encoder of the engine %s cannot be had: %s", name, error)
        raise ServiceError(error.code, status=503, **error.params) from error


def _engine(name: str) -> Any:
    try:
        return settings.SEARCH.engines[name]
    except KeyError:
        known = ", ".join(settings.SEARCH.engines)
        raise ServiceError("engine_unknown", engine=name[:40], known=known) from None


def encoder_tried(name: str, fetched: Path) -> "PictureEncoder":
    """An encoder of the engine from weights in this folder instead, which nobody keeps.

    Raises `EncoderError`.
    """
    from search.engine.encoders.choose import encoder_make

    engine = _engine(name)
    return encoder_make(engine.encoder, threads=engine.threads, **_options(name, fetched))


def _options(name: str, fetched: Path | None = None) -> dict[str, Any]:
    """What the constructor of the engine's encoder takes, but for threads."""
    from search.engine.encoders.running import Wanted

    engine = settings.SEARCH.engines[name]
    match engine.encoder:
        case "openclip":
            own = {"source": source(name, fetched)}
        case "resnet50":
            own = {
                "name": name, "fetched": fetched or weights_folder(name),
                "notes": settings.WEIGHTS / ".notes",
                "pretrained": engine.pretrained, "checkpoint": _checkpoint(name),
            }  # fmt: skip
        case _:
            return {"folder": settings.BASE / engine.weights}
    wanted = Wanted(settings.DEVICE or engine.device, engine.precision, engine.runtime)
    return {
        **own, "folder": settings.WEIGHTS / ".spaces", "wanted": wanted,
        "batch": engine.batch_size, "idle_s": engine.idle_seconds,
    }  # fmt: skip


def source(name: str, fetched: Path | None = None) -> "Source":
    """Where an open_clip engine's weights come from, and where they are kept here, or in another
    folder."""
    from search.engine.encoders.openclip_files import Source

    engine = settings.SEARCH.engines[name]
    return Source(
        name=name,
        fetched=fetched or weights_folder(name),
        notes=settings.WEIGHTS / ".notes",
        model_name=engine.model_name,
        pretrained=engine.pretrained,
        checkpoint=_checkpoint(name),
    )


def weights_folder(name: str) -> Path:
    """The folder that `manage.py engine_fetch` fills for an engine."""
    return Path(settings.WEIGHTS) / name


def _checkpoint(name: str) -> Path | None:
    """A path of the configuration: as it is, or within the folder of weights."""
    path = settings.SEARCH.engines[name].checkpoint
    return settings.WEIGHTS / Path(path).expanduser() if path else None


@cache
def space(name: str) -> "Space":
    """The space an engine's vectors live in."""
    if _engine(name).encoder == "shape":
        from search.engine.shape.descriptor import SHAPE_SPACE

        return SHAPE_SPACE
    return encoder(name).space


@cache
def words_space(name: str) -> "Space | None":
    """The space where texts meet pictures, which may be the engine's only one; None without."""
    if _engine(name).encoder == "shape":
        return None
    return getattr(encoder(name), "words_space", None)


def word_encoder(name: str, *, query: bool = False) -> "WordEncoder":
    """The encoder of an engine that has a words' space."""
    return cast("WordEncoder", encoder(name, query=query))


def encoder_try(name: str, *, pictures: bool, texts: bool) -> None:
    """Embed next to nothing, as a query of pictures or texts would; raises what that raises."""
    if _engine(name).encoder == "shape":
        return
    held = encoder(name, query=True)
    if pictures:
        held.pictures_embed(np.zeros((1, held.picture_size, held.picture_size, 3), np.uint8))
    if texts and words_space(name):
        word_encoder(name, query=True).texts_embed(["x"])


def is_joint(name: str) -> bool:
    """Whether the engine's pictures and words live in one space."""
    return words_space(name) == space(name)


def strength(name: str, kind: str, similarity: float) -> float:
    """What a similarity of this engine is worth to such a query, 0..1.

    By the calibration that came with the weights, or was measured here (`search/calibrate.py`);
    without one, the similarity itself, or UNMEASURED where that says nothing.
    """
    return _strength(name, kind)(similarity)


@cache
def _strength(name: str, kind: str) -> Callable[[float], float]:
    held: Mapping[str, Logistic] = {}
    if settings.SEARCH.engines[name].encoder != "shape":
        held = getattr(encoder(name), "calibration", held)
    if kind in held:
        return held[kind].strength
    if settings.SEARCH.engines[name].encoder in LARGE:
        return lambda similarity: UNMEASURED
    return lambda similarity: min(1.0, max(0.0, similarity))


def encoders_forget() -> None:
    """Let go of every encoder and of what was asked of it: the configuration or weights changed."""
    with _making:
        gone = list(_held.values())
        _held.clear()
    for asked in (space, words_space, _strength):
        asked.cache_clear()
    for of in gone:
        # Else its network stays in memory until it has been idle; one in use does.
        if hasattr(of, "unload"):
            of.unload()
