"""A coarse index's copy on a graphics card, where faiss was built for one and finds one.

faiss for processors lacks the names used in `gpu_clone`, or counts no card: then nothing here is
asked twice. What a card cannot hold or answer stays with the index that it was copied from.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from search.engine.index.types import Float, Ints

log = logging.getLogger(__name__)

GpuUse = Literal["auto", "off"]

# What faiss's kernels select at most; a longer list of candidates is the processor's work.
COUNT_MOST = NPROBE_MOST = 2048
_NAMES = ("StandardGpuResources", "GpuClonerOptions", "index_cpu_to_gpu")


@dataclass(frozen=True, slots=True)
class GpuConfig:
    """Whether searches of a process use a card, and whether it computes in float16."""

    use: GpuUse = "auto"
    float16: bool = True
    device: int = 0

    def __post_init__(self) -> None:
        if self.use not in get_args(GpuUse):
            raise ValueError(f"gpu must be one of {get_args(GpuUse)}, not {self.use!r}")


def gpu_count(faiss: Any) -> int:
    """The cards that this build of faiss can use; 0 for one made for processors."""
    if not all(hasattr(faiss, name) for name in _NAMES):
        return 0
    return int(faiss.get_num_gpus())


def gpu_holds(faiss: Any, index: Any) -> bool:
    """Whether a card can hold an index of this kind: inverted lists of plain or 8-bit vectors.

    Graphs and four-bit codes are made for a processor's caches and vector units.
    """
    kinds = (faiss.IndexIVFFlat, faiss.IndexIVFScalarQuantizer, faiss.IndexIVFPQ)
    return isinstance(faiss.downcast_index(index), kinds)


def gpu_clone(faiss: Any, index: Any, config: GpuConfig) -> tuple[Any, Any]:
    """The copy on the card, and the resources that must outlive it. RuntimeError without room."""
    resources = faiss.StandardGpuResources()
    options = faiss.GpuClonerOptions()
    options.useFloat16 = options.useFloat16CoarseQuantizer = config.float16
    return faiss.index_cpu_to_gpu(resources, config.device, index, options), resources


class GpuIndex:
    """A copy on a card. Its searches take turns: a card's resources serve one thread at a time."""

    def __init__(self, faiss: Any, index: Any, config: GpuConfig) -> None:
        self._faiss = faiss
        self._lock = threading.Lock()
        self._index, self._resources = gpu_clone(faiss, index, config)

    def answers(self, *, count: int, nprobe: int, filtered: bool) -> bool:
        """Whether such a search can be done here; a card knows no selectors."""
        return not filtered and count <= COUNT_MOST and nprobe <= NPROBE_MOST

    def search(self, queries: Float, *, count: int, nprobe: int) -> Ints:
        """Places (q, count) of the vectors near each query, -1 where there are no more."""
        parameters = self._faiss.SearchParametersIVF(nprobe=nprobe)
        with self._lock:
            _, found = self._index.search(queries, count, params=parameters)
        places: Ints = found
        return places


def gpu_index(faiss: Any, index: Any, config: GpuConfig) -> GpuIndex | None:
    """The index's copy on the card, or None when there is no card for it, or no room on it."""
    if config.use == "off" or not gpu_count(faiss) or not gpu_holds(faiss, index):
        return None
    if config.device >= gpu_count(faiss):
        log.warning("faiss finds no card %s: searches stay on the processor", config.device)
        return None
    try:
        return GpuIndex(faiss, index, config)
    except RuntimeError as error:
        log.warning("the index does not fit on the card, searches stay beside it: %s", error)
        return None
