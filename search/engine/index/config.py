"""How a snapshot is built: frozen numbers, validated once, written into its manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

# The least nprobe or efSearch that a build tries; `candidate_k` is meant for it.
EFFORT_LEAST = 16

IndexType = Literal["auto", "Flat", "IVFPQ", "IVFFlat", "HNSW"]


@dataclass(frozen=True, slots=True)
class IndexConfig:
    """What to build. The last stage is always exact, so the type never changes a similarity.

    `index_type` "auto" is Flat below `exact_below` vectors and from there on IVFPQ, or IVFFlat
    when the builder counts on a graphics card (`gpu`), which cannot hold the former. `nlist` and
    `nprobe` of None are chosen by the build: the list count from the gallery's size, the probes
    as the fewest that reach `recall_target` (recall@10 of parts against exact search, on a
    sample). `candidate_k` is how many vectors the coarse index hands to exact scoring for one
    query vector at the least effort; it grows with the effort's fourth root. `threads` is
    faiss's OpenMP width, in builds and in searches.
    """

    index_type: IndexType = "auto"
    exact_below: int = 50_000
    nlist: int | None = None
    nprobe: int | None = None
    candidate_k: int = 1000
    hnsw_links: int = 32
    recall_target: float = 0.985
    threads: int = 1
    gpu: bool = False

    def __post_init__(self) -> None:
        if self.index_type not in get_args(IndexType):
            raise ValueError(f"index_type must be one of {get_args(IndexType)}")
        for name in ("exact_below", "nlist", "nprobe", "candidate_k", "hnsw_links", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        if not 0 < self.recall_target <= 1:
            raise ValueError(f"recall_target must be in (0, 1], not {self.recall_target}")

    def type_for(self, vectors: int) -> IndexType:
        """The concrete type for a gallery of so many vectors."""
        # A quantiser cannot be trained on a handful of vectors, and exact search of them is free.
        if vectors < 64:
            return "Flat"
        if self.index_type == "auto":
            if vectors < self.exact_below:
                return "Flat"
            return "IVFFlat" if self.gpu else "IVFPQ"
        return self.index_type
