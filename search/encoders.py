"""The engines' encoders made ready: one warm encoder of each engine per process.

The bridge between the configuration and the engine library; nobody else builds encoders.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, cast

from django.conf import settings

from search import remote

if TYPE_CHECKING:
    from search.engine.calibration import Logistic
    from search.engine.encoders.base import PictureEncoder, WordEncoder
    from search.engine.encoders.space import Space


@cache
def encoder(name: str, *, query: bool = False) -> "PictureEncoder":
    """The picture encoder of an engine, warm for the life of the process.

    `query`: the one that answers somebody who waits, with as many threads as that is worth; with
    `SEARCH_ENCODERS=remote`, a worker's.
    """
    from search.engine.encoders.choose import encoder_make

    if query and remote.is_remote():
        return remote.RemoteEncoder(name, encoder(name))
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


def word_encoder(name: str, *, query: bool = False) -> "WordEncoder":
    """The encoder of an engine that has a words' space."""
    return cast("WordEncoder", encoder(name, query=query))


def is_joint(name: str) -> bool:
    """Whether the engine's pictures and words live in one space."""
    return words_space(name) == space(name)


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


def encoders_forget() -> None:
    """Let go of every encoder and of what was asked of it: the configuration has changed."""
    for held in (encoder, space, words_space, _strength):
        held.cache_clear()
