"""What the encoders of large networks share: loaded once, in batches, let go of when idle."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from search.engine.encoders.preprocessing import Preprocessing
from search.engine.encoders.resident import Resident
from search.engine.encoders.running import Float, Running, Wanted, device_find
from search.engine.encoders.space import Space
from search.engine.errors import EncoderError

if TYPE_CHECKING:
    from search.engine.encoders.towers import Sides


class NetworkEncoder:
    """A network that torch builds. Safe to call from several threads.

    `folder` keeps what was measured of it and what was exported; `idle_s` of 0 keeps it loaded.
    """

    def __init__(
        self,
        *,
        space: Space,
        preprocessing: Preprocessing,
        folder: Path,
        wanted: Wanted,
        batch: int,
        threads: int,
        idle_s: float,
    ) -> None:
        self.space = space
        self.picture_size = preprocessing.size
        self._preprocessing = preprocessing
        self._folder = folder / space.key
        self._wanted = wanted
        self._batch = batch
        self._threads = threads
        self._running: Resident[Running] = Resident(self._load, idle_s=idle_s, freed=_freed)

    def with_threads(self, threads: int) -> Self:
        """The same encoder, its loaded network shared, with other threads for a call."""
        other = copy.copy(self)
        other._threads = threads
        return other

    @property
    def is_loaded(self) -> bool:
        return self._running.is_loaded

    def unload(self) -> bool:
        """Let go of the network now. False while somebody uses it."""
        return self._running.unload()

    def way(self) -> str:
        """How it runs, as "torch bf16"; loads it."""
        with self._running.use() as running:
            return str(running.way)

    def _sides(self) -> "Sides":
        """The network from its weights, in fp32 on the CPU. Raises EncoderError."""
        raise NotImplementedError

    def _load(self) -> Running:
        device = device_find(self._wanted.device)  # says so where torch is missing
        from search.engine.encoders.towers import torch_running

        return torch_running(
            self._sides,
            self._preprocessing,
            self._wanted,
            device=device,
            threads=self._threads,
            folder=self._folder,
        )

    def _look(self, pictures: NDArray[np.uint8]) -> Float:
        """(n, size, size, 3) -> what the network's last layer says, (n, ...) float32."""
        size = self.picture_size
        if pictures.dtype != np.uint8 or pictures.shape[1:] != (size, size, 3):
            raise ValueError(f"pictures are {pictures.dtype} {pictures.shape}, not of {size}")
        with self._running.use() as running:
            return self._batches(
                pictures, lambda rows: running.pictures(rows, threads=self._threads)
            )

    def _batches(self, rows: NDArray[np.generic], run: Callable[..., Float]) -> Float:
        # An empty stack still runs once, so that the answer's shape is the network's own.
        if not len(rows):
            return run(np.zeros((1, *rows.shape[1:]), rows.dtype))[:0]
        starts = range(0, len(rows), self._batch)
        return np.concatenate([run(rows[start : start + self._batch]) for start in starts])


def built(build: Callable[[], "Sides"], name: str) -> "Sides":
    """What `build` builds; its troubles as EncoderError("weights_wrong").

    Every format of checkpoints has errors of its own, and a file may be anything.
    """
    try:
        return build()
    except (EncoderError, MemoryError):
        raise
    except Exception as error:
        if "allocate memory" in str(error):
            raise MemoryError(str(error)[:200]) from error
        detail = " ".join(str(error).split())[:200] or type(error).__name__
        raise EncoderError(
            "weights_wrong", f"{name} cannot be used: {detail}", detail=detail
        ) from error


def _freed() -> None:
    from search.engine.encoders.towers import memory_free

    memory_free()
