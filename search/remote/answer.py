"""The worker's side of `remote.py`: takes a question, encodes it with whatever else waits, answers.

Runs in a worker of the queue `encode` with a pool of threads, so that their pictures meet in one
batch.
"""

import logging
import threading
import time
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from catalog.box import BoxError
from catalog.queue import answers
from search import encoders, engines
from search.batches import Batches, TooLate
from search.remote import wire
from search.remote.client import QUEUE

log = logging.getLogger(__name__)

CALLS = ("pictures_embed", "pictures_embed_both", "texts_embed")
BEAT_S, ALIVE_S = 1.0, 5.0  # how often a worker says that it lives, and for how long that counts


def question_answer(question: str) -> bool:
    """Answer it; False when nobody waits for the answer any more."""
    box = answers()
    taken = box.take(question)
    if taken is None:
        return False
    data, seconds = taken
    try:
        answer = _answer(data, seconds)
    except TooLate:
        return False
    box.answer(question, answer, seconds=seconds + BEAT_S)
    return True


def _answer(data: bytes, seconds: float) -> bytes:
    from search.engine.errors import EngineError

    try:
        said, arrays = wire.unpack(data)
        name, call = said["engine"], said["call"]
        if call not in CALLS or name not in settings.SEARCH.engines:
            return wire.pack({"error": "encoders_differ"})
        # Another version of the weights would answer with vectors of another space.
        space = encoders.words_space(name) if call == "texts_embed" else encoders.space(name)
        if space is None or space.key != said["space"]:
            return wire.pack({"error": "encoders_differ"})
        rows = said["texts"] if call == "texts_embed" else arrays[0]
        if not len(rows):
            return wire.pack({}, _run(name, call, rows))
        found = _batches(name, call).ask(rows, seconds=seconds)
        return wire.pack({}, [np.stack(column) for column in zip(*found, strict=True)])
    except EngineError as error:
        return wire.pack({"error": error.code, "params": error.params})
    except TooLate:
        raise
    except Exception:
        log.exception("a question was not answered")
        return wire.pack({"error": "encoders_failed"})


@cache
def _batches(name: str, call: str) -> "Batches[Any, tuple[NDArray[np.float32], ...]]":
    def run(rows: list[Any]) -> list[tuple[NDArray[np.float32], ...]]:
        asked = rows if call == "texts_embed" else np.stack(rows)
        return list(zip(*_run(name, call, asked), strict=True))

    remote = settings.SEARCH.remote
    return Batches(run, most=remote.batch, gather_s=remote.gather_ms / 1000)


def _run(name: str, call: str, rows: Sequence[Any]) -> tuple[NDArray[np.float32], ...]:
    found = getattr(encoders.encoder(name, query=True), call)(rows)
    return found if isinstance(found, tuple) else (found,)


# The worker's life ------------------------------------------------------------------------------


def live() -> None:
    """Make the encoders ready, then say that this worker lives, until the process ends."""
    threading.Thread(target=_live, name="encode-lives", daemon=True).start()


def _live() -> None:
    try:
        warm()
    except Exception:
        # A database that is away now may be back before the first question.
        log.exception("the encoders were not made ready")
    while True:
        try:
            answers().beat(QUEUE, seconds=ALIVE_S)
        except BoxError as error:
            log.warning("the box of questions cannot be reached: %s", error)
        time.sleep(BEAT_S)


def warm() -> None:
    """One blank picture and one text through every engine in use, so that no query waits for it."""
    from catalog.errors import ServiceError
    from search.engine.errors import EngineError

    for name in engines.engine_names("image"):
        try:
            encoder = encoders.encoder(name, query=True)
            size = encoder.picture_size
            encoder.pictures_embed(np.full((1, size, size, 3), 255, np.uint8))
            if encoders.words_space(name) is not None:
                encoders.word_encoder(name, query=True).texts_embed(["a"])
        except (EngineError, ServiceError) as error:
            # It may be mended while the others answer.
            log.error("the engine %s cannot be used: %s", name, error)
