"""What the encoders of large networks share: loaded once, in batches, let go of when idle."""

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from search.engine.calibration import Logistic
from search.engine.encoders.exported import exported_running, exported_ways
from search.engine.encoders.preprocessing import Preprocessing
from search.engine.encoders.resident import Resident
from search.engine.encoders.running import (
    Float,
    Probes,
    Running,
    Timed,
    Wanted,
    device_find,
    probe_pictures,
    torch_ways,
    way_noted,
)
from search.engine.encoders.space import Space
from search.engine.encoders.weights import Weights, json_read, json_write
from search.engine.errors import EncoderError

if TYPE_CHECKING:
    from search.engine.encoders.towers import Bench, Sides


CALIBRATION = "calibration.json"
Built = TypeVar("Built")


class NetworkEncoder:
    """A network that torch builds. Safe to call from several threads.

    `folder` keeps what was measured of it and what was exported; `idle_s` of 0 keeps it loaded.
    """

    def __init__(
        self,
        *,
        space: Space,
        weights: Weights,
        preprocessing: Preprocessing,
        folder: Path,
        wanted: Wanted,
        batch: int,
        threads: int,
        idle_s: float,
    ) -> None:
        self.space = space
        self.weights = weights
        self.picture_size = preprocessing.size
        self._preprocessing = preprocessing
        self._folder = folder / space.key
        self.calibration = calibration_read(self._folder)
        self._wanted = wanted
        self._batch = batch
        self._threads = threads
        self._running: Resident[Running] = Resident(self._load, idle_s=idle_s, freed=freed)

    def with_threads(self, threads: int) -> Self:
        """The same encoder, its loaded network shared, with other threads for a call."""
        other = copy.copy(self)
        other._threads = threads
        return other

    @property
    def folder(self) -> Path:
        """Where what was measured and exported of this space is kept."""
        return self._folder

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

    def _tokens(self) -> "NDArray[np.int64] | None":
        """Texts to compare ways by, as the network takes them; None where it reads none."""
        return None

    def _ready(self) -> None:
        """What must be before it runs, in torch or not: the weights are still the same."""
        self.weights.check()

    def _load(self) -> Running:
        device = device_find(self._wanted.device)  # says so where torch is missing
        made = exported_ways(self._folder)
        way = way_noted(self._wanted, device, self._threads, self._folder, made)
        if way and way.runtime != "torch":
            self._ready()
            return exported_running(self._folder, way)
        bench = self._bench(device, probe_pictures(self.picture_size))
        if way:
            return bench.running(way)
        return bench.torch_fastest(torch_ways(self._wanted, device))[0]

    def _bench(self, device: str, pictures: NDArray[np.uint8]) -> "Bench":
        from search.engine.encoders.towers import Bench

        probes = Probes(pictures, self._tokens())
        return Bench(self._sides, self._preprocessing, probes, device, self._threads, self._folder)

    def measure(
        self, pictures: NDArray[np.uint8] | None = None, *, exports: bool = True
    ) -> list[Timed]:
        """Time every way to run the network here, and note it: `runtime: auto` then takes the best.

        `pictures` (n, size, size, 3) are to be like those it will see; `exports` makes the files
        for other runtimes than torch, on a CPU. Raises EncoderError.
        """
        device = device_find(self._wanted.device)
        shown = probe_pictures(self.picture_size) if pictures is None else pictures
        bench = self._bench(device, shown)
        timed = bench.torch_fastest(torch_ways(Wanted(), device), tries=3)[1]
        if exports and device == "cpu":
            timed += bench.export()
        self.unload()
        return timed

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
            return self._sound(run(np.zeros((1, *rows.shape[1:]), rows.dtype)))[:0]
        starts = range(0, len(rows), self._batch)
        return self._sound(
            np.concatenate([run(rows[start : start + self._batch]) for start in starts])
        )

    def _sound(self, found: Float) -> Float:
        """What the network said, if it may enter the space: weights can be those of a network of
        another width, or hold what is no number, and no loader complains."""
        detail = ""
        if found.shape[1] != self.space.d:
            detail = f"they answer with {found.shape[1]} numbers, not with {self.space.d}"
        elif not np.isfinite(found).all():
            detail = "what they answer with is not finite"
        if detail:
            raise EncoderError("weights_wrong", f"{self.weights.path}: {detail}.", detail=detail)
        return found


def calibration_read(folder: Path) -> dict[str, Logistic]:
    """What similarities in this space were measured to be worth, by kind of query; {} before."""
    try:
        held = json_read(folder / CALIBRATION) or {}
        return {kind: Logistic.from_json(of) for kind, of in held.items()}
    except (KeyError, TypeError, ValueError):
        return {}


def calibration_write(folder: Path, fitted: Mapping[str, Logistic]) -> None:
    json_write(folder / CALIBRATION, {kind: of.to_json() for kind, of in fitted.items()})


def built(build: Callable[[], Built], name: str) -> Built:
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


def freed() -> None:
    from search.engine.encoders.towers import memory_free

    memory_free()
