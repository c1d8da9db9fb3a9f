"""Encoders of queries that live in a worker: the web process asks, and has no network of its own.

`RemoteEncoder` is an encoder like any other to who calls it. Its spaces and its calibration come
from the engine's description, for which no network is loaded; its vectors from a worker of the
queue `encode` (`remote_answer.py`).
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from catalog.errors import ServiceError
from catalog.queue import NoAnswer, answers, ask
from search.remote import wire

if TYPE_CHECKING:
    from search.engine.calibration import Logistic
    from search.engine.encoders.base import PictureEncoder
    from search.engine.encoders.space import Space

QUEUE = "encode"
TASK = "workers.query_encode"

Float = NDArray[np.float32]


class _Here:
    """Whether this process is a worker, which has encoders of its own."""

    answers = False


def answers_here() -> None:
    """From now on this process asks nobody."""
    _Here.answers = True


def is_remote() -> bool:
    """Whether queries are encoded by a worker."""
    return settings.SEARCH_ENCODERS == "remote" and not _Here.answers


def is_answered() -> bool:
    """Whether a worker of the queue lives; False too where nobody can tell."""
    try:
        return answers().lives(QUEUE)
    except OSError:
        return False


class RemoteEncoder:
    """`described` is the same engine's encoder in this process: asked what it is, never to embed.

    Every call raises `ServiceError` (503) when no worker answers in time, and `EncoderError` where
    the worker's own encoder does.
    """

    def __init__(self, engine: str, described: "PictureEncoder") -> None:
        self._engine = engine
        self._described = described

    @property
    def space(self) -> "Space":
        return self._described.space

    @property
    def words_space(self) -> "Space | None":
        return getattr(self._described, "words_space", None)

    @property
    def picture_size(self) -> int:
        return self._described.picture_size

    @property
    def calibration(self) -> "Mapping[str, Logistic]":
        return getattr(self._described, "calibration", {})

    def pictures_embed(self, pictures: NDArray[np.uint8]) -> Float:
        return self._ask("pictures_embed", 1, arrays=[pictures])[0]

    def pictures_embed_both(self, pictures: NDArray[np.uint8]) -> tuple[Float, Float]:
        looks, words = self._ask("pictures_embed_both", 2, arrays=[pictures])
        return looks, words

    def texts_embed(self, texts: Sequence[str]) -> Float:
        return self._ask("texts_embed", 1, texts=list(texts))[0]

    def _ask(
        self, call: str, columns: int, *, arrays: Sequence[NDArray[Any]] = (), **more: Any
    ) -> list[Float]:
        remote = settings.SEARCH.remote
        said = {"engine": self._engine, "space": self._space(call).key, "call": call, **more}
        try:
            data = ask(
                TASK, wire.pack(said, arrays), queue=QUEUE,
                seconds=remote.deadline_s, waiting_most=remote.waiting,
            )  # fmt: skip
        except NoAnswer as error:
            code = f"encoders_{error.why}"
            raise ServiceError(code, status=503) from error
        try:
            answer, found = wire.unpack(data)
        except ValueError as error:
            raise ServiceError("encoders_differ", status=503) from error
        if "error" in answer:
            _raise(answer["error"], answer.get("params", {}))
        if len(found) != columns:
            raise ServiceError("encoders_differ", status=503)
        return [np.asarray(rows, np.float32) for rows in found]

    def _space(self, call: str) -> "Space":
        return (self.words_space if call == "texts_embed" else None) or self.space


def _raise(code: str, params: dict[str, Any]) -> None:
    from search.engine.errors import EncoderError

    if code in {"encoders_differ", "encoders_failed"}:
        raise ServiceError(code, status=503)
    raise EncoderError(code, f"The worker's encoder refused: {code}.", **params)
