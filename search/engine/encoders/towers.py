"""A network in torch, running: its two sides, taking pictures and tokens as they are.

The only module that imports torch at its top: import it where a network is loaded, nowhere else.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from search.engine.encoders.preprocessing import Preprocessing
from search.engine.encoders.running import (
    Float,
    Wanted,
    Way,
    fastest,
    probe_pictures,
    timed_read,
    timed_write,
    torch_ways,
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
        with torch.inference_mode():
            found: Float = what(torch.from_numpy(rows).to(self.device)).cpu().numpy()
        return found


def torch_running(
    build: Callable[[], Sides],
    preprocessing: Preprocessing,
    wanted: Wanted,
    *,
    device: str,
    threads: int,
    folder: Path,
) -> TorchRunning:
    """The network in the numbers that are fastest here, of those the configuration leaves open.

    `build` makes it anew from its weights, in fp32 on the CPU. `folder` keeps what was measured.
    """
    ways = torch_ways(wanted, device)
    if len(ways) > 1:
        held = [of for of in timed_read(folder, device, threads) if of.way in ways]
        if held:
            ways = [fastest(held)]
    running = TorchRunning(build(), preprocessing, ways[0], device)
    if len(ways) == 1:
        return running
    probes = probe_pictures(preprocessing.size)
    exact, answer = way_time(running, probes, threads=threads, exact=None)
    timed = [exact]
    for way in ways[1:]:
        running = TorchRunning(running.sides, preprocessing, way, device)
        timed.append(way_time(running, probes, threads=threads, exact=answer)[0])
    timed_write(folder, device, threads, timed)
    best = fastest(timed)
    # Numbers that were rounded cannot be unrounded.
    return running if best == running.way else TorchRunning(build(), preprocessing, best, device)


def memory_free() -> None:
    """Give back what the device holds for later."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
