"""How a network runs on this machine: the ways there are, and which of them is fastest.

A way is a runtime (torch, onnx, openvino) and the numbers it counts in. Knows no particular
network; every decision is the configuration's or measured, and what was measured is noted.
"""

import importlib
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from search.engine.encoders.layers import unit
from search.engine.encoders.weights import json_read, note_write
from search.engine.errors import EncoderError

Float = NDArray[np.float32]
# How alike a way's embeddings must be to those of fp32 to stay in the same space: the least cosine
# over the probes (docs/decisions/0010).
COSINE = 0.995
PROBES = 4  # pictures by which ways are compared when nothing was measured before
AUTO = "auto"
INSTALL = "pip install -e '.[clip]'"


@dataclass(frozen=True)
class Way:
    """One way to run a network, as "torch bf16"."""

    runtime: str
    precision: str

    def __str__(self) -> str:
        return f"{self.runtime} {self.precision}"

    @classmethod
    def read(cls, text: str) -> "Way":
        runtime, _, precision = text.partition(" ")
        return cls(runtime, precision)


@dataclass(frozen=True)
class Wanted:
    """What the configuration says of running; each may be "auto"."""

    device: str = AUTO
    precision: str = AUTO
    runtime: str = AUTO


EXACT = Way("torch", "fp32")


class Running(Protocol):
    """A loaded network. Safe to call from several threads."""

    @property
    def way(self) -> Way: ...

    def pictures(self, batch: NDArray[np.uint8], *, threads: int) -> Float:
        """(b, size, size, 3) uint8 -> what its last layer says, (b, ...) float32."""
        ...

    def texts(self, tokens: NDArray[np.int64], *, threads: int) -> Float:
        """(b, length) int64 -> (b, d) float32, not normalised."""
        ...


@dataclass(frozen=True)
class Timed:
    """How fast a way was, and how far its embeddings were from those of fp32."""

    way: Way
    pictures_s: float
    cosine: float  # the least over the probes

    @property
    def is_same(self) -> bool:
        return self.cosine >= COSINE


def device_find(wanted: str) -> str:
    """The device to use: "cuda", "mps" or "cpu".

    Raises EncoderError: encoder_not_installed without torch, device_missing.
    """
    try:
        torch = importlib.import_module("torch")
    except ImportError as error:
        raise not_installed("torch") from error
    has = {
        "cuda": torch.cuda.is_available,
        "mps": lambda: bool(torch.backends.mps.is_available()),
        "cpu": lambda: True,
    }
    if wanted == AUTO:
        return next(name for name, check in has.items() if check())
    kind, _, place = wanted.partition(":")
    if kind not in has or not has[kind]() or (place and int(place) >= torch.cuda.device_count()):
        raise EncoderError(
            "device_missing",
            f"The device {wanted} is not on this machine; write device: auto, or cpu.",
            device=wanted,
        )
    return wanted


def not_installed(library: str) -> EncoderError:
    return EncoderError(
        "encoder_not_installed",
        f"This engine needs {library}, which is not installed: {INSTALL}",
        command=INSTALL,
    )


def torch_ways(wanted: Wanted, device: str) -> list[Way]:
    """The ways in torch that the configuration leaves open, the exact one first."""
    if wanted.runtime not in {AUTO, "torch"} or wanted.precision == "int8":
        return []
    if wanted.precision != AUTO:
        return [Way("torch", wanted.precision)]
    # Half floats are slower than whole ones on a CPU, and bfloat16 brings nothing on older GPUs.
    short = "bf16" if device == "cpu" else "fp16"
    return [EXACT, Way("torch", short)]


def way_noted(
    wanted: Wanted, device: str, threads: int, folder: Path, exported: Sequence[Way] = ()
) -> Way | None:
    """The way that the configuration and what was measured before lead to; None to measure now.

    `exported` are the ways whose files are there. Raises EncoderError: export_missing for a
    runtime without files, way_differs for one whose embeddings are not known to be the same.
    """
    ways = [
        way
        for way in [*torch_ways(wanted, device), *(exported if device == "cpu" else ())]
        if wanted.runtime in {AUTO, way.runtime} and wanted.precision in {AUTO, way.precision}
    ]
    if not ways:
        raise EncoderError(
            "export_missing",
            f"Nothing is exported for the runtime {wanted.runtime} and {wanted.precision} on "
            f"{device}: manage.py engine_fetch NAME --measure does that.",
            runtime=wanted.runtime,
        )
    noted = [of for of in timed_read(folder, device, threads) if of.way in ways]
    if wanted.runtime not in {AUTO, "torch"}:
        # Its speed is this machine's; that an exported file computes the same holds on any.
        best = fastest(noted) or fastest([of for of in timed_all(folder) if of.way in ways])
        if best is None:
            raise EncoderError(
                "way_differs",
                f"The runtime {wanted.runtime} was not measured, or its embeddings are not those "
                "of fp32: manage.py engine_fetch NAME --measure tells.",
                runtime=wanted.runtime,
            )
        return best
    if ways == [EXACT]:
        return EXACT
    known = {of.way for of in noted}
    # An export that was not measured here waits until it is.
    if all(way in known for way in ways if way.runtime == "torch"):
        return way_best(noted, ways)
    return None


# What was measured -------------------------------------------------------------------------------


def fastest(timed: Sequence[Timed]) -> Way | None:
    """Of the ways whose embeddings are the same, the one that is through first."""
    same = [of for of in timed if of.is_same]
    return max(same, key=lambda of: of.pictures_s).way if same else None


def way_best(timed: Sequence[Timed], ways: Sequence[Way]) -> Way:
    """The fastest of these ways that is the same; the exact one, where it is among them, else.

    Raises EncoderError("way_differs").
    """
    best = fastest([of for of in timed if of.way in ways])
    if best is None and EXACT not in ways:
        raise EncoderError(
            "way_differs",
            f"Run as {ways[0]}, this network's embeddings are not those of fp32; write precision: "
            "auto.",
            runtime=str(ways[0]),
        )
    return best or EXACT


@dataclass(frozen=True)
class Probes:
    """What ways are compared by: pictures, and texts as tokens where the network reads."""

    pictures: NDArray[np.uint8]
    tokens: NDArray[np.int64] | None = None


def way_time(
    running: Running, probes: Probes, *, threads: int, exact: list[Float] | None, tries: int = 2
) -> tuple[Timed, list[Float]]:
    """Time a loaded network on the probes, and compare both its sides with the exact answers."""
    found = [running.pictures(probes.pictures, threads=threads)]
    if probes.tokens is not None:
        found.append(running.texts(probes.tokens, threads=threads))
    took = []
    for _ in range(tries):
        start = time.perf_counter()
        running.pictures(probes.pictures, threads=threads)
        took.append(time.perf_counter() - start)
    cosines = [cosine_least(*pair) for pair in zip(found, exact or found, strict=True)]
    return Timed(running.way, len(probes.pictures) / min(took), min(cosines)), found


def cosine_least(some: Float, others: Float) -> float:
    """The least cosine between rows at the same place."""
    flat = [unit(of.reshape(len(of), -1)) for of in (some, others)]
    return float(np.sum(flat[0] * flat[1], axis=1).min())


def timed_read(folder: Path, device: str, threads: int) -> list[Timed]:
    """What was measured on such a machine before; empty when nothing was."""
    return _timed((json_read(folder / NOTE) or {}).get(_machine(device, threads)))


def timed_all(folder: Path) -> list[Timed]:
    """What was measured on any machine."""
    return [of for held in (json_read(folder / NOTE) or {}).values() for of in _timed(held)]


def _timed(held: object) -> list[Timed]:
    if not isinstance(held, dict):
        return []
    try:
        return [
            Timed(Way.read(way), float(of["pictures_s"]), float(of["cosine"]))
            for way, of in held.items()
        ]
    except (KeyError, TypeError, ValueError):
        return []


def timed_write(folder: Path, device: str, threads: int, timed: Sequence[Timed]) -> None:
    """Note what was measured, beside what was on other machines."""
    held = json_read(folder / NOTE) or {}
    before = held.get(_machine(device, threads))
    mine = (before if isinstance(before, dict) else {}) | {
        str(of.way): {"pictures_s": round(of.pictures_s, 2), "cosine": round(of.cosine, 6)}
        for of in timed
    }
    note_write(folder / NOTE, {**held, _machine(device, threads): mine})


NOTE = "speed.json"


def _machine(device: str, threads: int) -> str:
    """Measured here, a speed says nothing of a machine of another kind."""
    kind = device if device.partition(":")[0] != "cpu" else f"{device} {_cpu()}"
    return f"{kind} x{threads}"


@cache
def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
        named = dict(line.split(":", 1) for line in lines if ":" in line)
        held: Mapping[str, str] = {key.strip(): value.strip() for key, value in named.items()}
        flags = [f for f in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if f in held["flags"]]
        return " ".join((held["model name"], *flags))
    except (OSError, KeyError):
        return platform.processor() or platform.machine()


def probe_pictures(size: int, n: int = PROBES) -> NDArray[np.uint8]:
    """(n, size, size, 3): shaded solids on white, much as views look; always the same ones.

    Ellipsoids lit by Lambert's law: enough to tell how fast a network is, and whether another way
    of running it agrees. What is promised of an installed engine is measured on views of parts.
    """
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    pictures = np.full((n, size, size, 3), 255, np.uint8)
    for picture in pictures:
        turn, (a, b) = rng.uniform(0, np.pi), rng.uniform(0.3, 0.85, 2)
        u = (np.cos(turn) * x + np.sin(turn) * y) / a
        v = (np.cos(turn) * y - np.sin(turn) * x) / b
        height = 1 - u**2 - v**2
        inside = height > 0
        light = unit(rng.normal(0, 1, 3).astype(np.float32))
        facing = np.stack([u, v, np.sqrt(np.maximum(height, 0))], -1) @ np.abs(light)
        tone = 60 + 170 * np.clip(facing, 0, 1)[..., None] * rng.uniform(0.7, 1, 3)
        picture[inside] = np.clip(tone, 0, 255)[inside].astype(np.uint8)
    return pictures
