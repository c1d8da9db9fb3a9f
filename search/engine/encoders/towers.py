"""A network in torch, running: its two sides, taking pictures and tokens as they are.

The only module that imports torch at its top: import it where a network is loaded, nowhere else.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from search.engine.encoders.exported import (
    export_quantise,
    export_write,
    exported_file,
    exported_running,
    exported_ways,
)
from search.engine.encoders.preprocessing import Preprocessing
from search.engine.encoders.running import (
    EXACT,
    Float,
    Probes,
    Running,
    Timed,
    Way,
    timed_write,
    way_best,
    way_time,
)

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


class Sides(torch.nn.Module):
    """What looks and what reads, as one module: `pictures` (b, 3, size, size) normalised -> (b, ..)
    features, `texts` (b, length) -> (b, d), or None where the network knows no words."""

    def __init__(self, network: Any, pictures: Any, texts: Any = None) -> None:
        super().__init__()
        self.network = network
        self.pictures, self.texts = pictures, texts


class PictureTower(torch.nn.Module):
    """(b, size, size, 3) uint8 -> float32 features. Scaling the channels is its first layer, in
    float32: bfloat16 holds a picture, but not what is left when a mean is taken from it."""

    def __init__(self, sides: Sides, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.sides = sides
        for name, values in (("mean", preprocessing.mean), ("std", preprocessing.std)):
            column = torch.tensor(values, dtype=torch.float32).view(1, 3, 1, 1) * 255
            self.register_buffer(name, column, persistent=False)

    def forward(self, pictures: Any) -> Any:
        x = pictures.permute(0, 3, 1, 2).to(torch.float32)
        x = (x - self.mean) / self.std
        # The numbers the network counts in are those of its weights.
        x = x.to(next(self.sides.parameters()).dtype)
        return self.sides.pictures(x).to(torch.float32)


class TorchRunning:
    """A network on a device, in one kind of numbers."""

    def __init__(self, sides: Sides, preprocessing: Preprocessing, way: Way, device: str) -> None:
        self.way, self.device = way, torch.device(device)
        with _memory_said():
            self.sides = sides.eval().requires_grad_(False).to(self.device, DTYPES[way.precision])
        if self.device.type == "cpu":
            # Pictures arrive channel by channel in memory order: convolutions keep that order.
            self.sides = self.sides.to(memory_format=torch.channels_last)
        self._look = PictureTower(self.sides, preprocessing).to(self.device)

    def pictures(self, batch: NDArray[np.uint8], *, threads: int) -> Float:
        return self._run(self._look, np.ascontiguousarray(batch), threads)

    def texts(self, tokens: NDArray[np.int64], *, threads: int) -> Float:
        return self._run(lambda x: self.sides.texts(x).to(torch.float32), tokens, threads)

    def _run(self, what: Callable[[Any], Any], rows: NDArray[Any], threads: int) -> Float:
        # Torch counts threads for the thread that asks, so each call says how many it may have.
        torch.set_num_threads(threads)
        with torch.inference_mode(), _memory_said():
            found: Float = what(torch.from_numpy(rows).to(self.device)).cpu().numpy()
        return found


@contextmanager
def _memory_said() -> Iterator[None]:
    """Inside, a graphics card without memory left is as a machine without: for the moment."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise MemoryError(str(error)[:200]) from error


class TextTower(torch.nn.Module):
    """(b, length) int64 -> (b, d) float32."""

    def __init__(self, sides: Sides) -> None:
        super().__init__()
        self.sides = sides

    def forward(self, tokens: Any) -> Any:
        return self.sides.texts(tokens).to(torch.float32)


@dataclass(frozen=True)
class Bench:
    """A network, and where and by what its ways are measured. `build` makes it anew from its
    weights, in fp32 on the CPU; `folder` keeps what was found and what was exported."""

    build: Callable[[], Sides]
    preprocessing: Preprocessing
    probes: Probes
    device: str
    threads: int
    folder: Path

    def running(self, way: Way) -> TorchRunning:
        return TorchRunning(self.build(), self.preprocessing, way, self.device)

    def torch_fastest(self, ways: Sequence[Way], *, tries: int = 2) -> tuple[Running, list[Timed]]:
        """Time the exact way in torch and these; the one of these to use, loaded, and all times.

        Raises EncoderError("way_differs").
        """
        running = self.running(EXACT)
        first, exact = way_time(running, self.probes, threads=self.threads, exact=None, tries=tries)
        timed = [first]
        for way in ways:
            if way != EXACT:
                running = TorchRunning(running.sides, self.preprocessing, way, self.device)
                timed.append(self.time(running, exact, tries))
        timed_write(self.folder, self.device, self.threads, timed)
        best = way_best(timed, ways)
        # Numbers that were rounded cannot be unrounded.
        return running if best == running.way else self.running(best), timed

    def time(self, running: Running, exact: list[Float], tries: int) -> Timed:
        return way_time(running, self.probes, threads=self.threads, exact=exact, tries=tries)[0]

    def export(self, *, tries: int = 3) -> list[Timed]:
        """Write the network as ONNX, whole and in 8 bits, and time every runtime there is.

        Takes a minute or more. Raises EncoderError: export_failed, encoder_not_installed.
        """
        held = TorchRunning(self.build(), self.preprocessing, EXACT, "cpu")
        probes = self.probes
        towers: dict[str, tuple[Any, NDArray[Any]]] = {
            "pictures": (PictureTower(held.sides, self.preprocessing), probes.pictures)
        }
        if probes.tokens is not None:
            towers["texts"] = (TextTower(held.sides), probes.tokens)
        for side, (tower, rows) in towers.items():
            whole = exported_file(self.folder, side, "fp32")
            export_write(tower.eval(), rows[:2], whole)
            batches = [rows[start : start + 2] for start in range(0, len(rows), 2)]
            export_quantise(whole, exported_file(self.folder, side, "int8"), batches)
        _time, exact = way_time(held, probes, threads=self.threads, exact=None, tries=1)
        timed = [
            self.time(exported_running(self.folder, way), exact, tries)
            for way in exported_ways(self.folder)
        ]
        timed_write(self.folder, "cpu", self.threads, timed)
        return timed


def memory_free() -> None:
    """Give back what the device holds for later."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()
