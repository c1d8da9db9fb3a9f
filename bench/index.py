"""What the index costs and finds at several sizes: `python -m bench.index --parts 1000,10000`.

Synthetic embeddings of 12 views a part, cached under bench/work/index/. Every size runs in a
process of its own, on one thread, so that memory is its own. Queries are views moved by noise to
the distance that real photos keep from their parts. Times are wall milliseconds but for "cpu".
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from search.engine.index.config import IndexConfig
from search.engine.index.exact import rows_score
from search.engine.index.snapshot import Snapshot, snapshot_build, snapshot_open
from search.engine.index.space_index import SpaceIndex
from search.engine.index.types import RowBatch
from search.engine.metrics import percentiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

WORK = Path(__file__).parent / "work" / "index"
VIEWS = 12
SPACE = "bench"
# Variance i**-a along the i-th axis. Measured on 577 real parts of the mini engine's space: the
# parts' centres fill about 34 dimensions, the views around them about 139.
CENTRE_SPECTRUM, VIEW_SPECTRUM = 0.9, 0.55
# Shares of the variance of an embedding: category, family, part, viewpoint in the category, view.
# Real: half of it is the part's centre, and a photo lies at cosine .57 to its nearest view.
SHARES = {
    "catalogue": (0.15, 0.20, 0.15, 0.15, 0.35),
    # No family, no category: nothing for lists to follow but the spectrum.
    "loose": (0.00, 0.00, 0.50, 0.00, 0.50),
}
LIKENESS = 0.57
BATCH = 2000
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def spectrum(d: int, a: float) -> NDArray[np.float32]:
    """Standard deviations (d,) of a vector of expected length 1."""
    found = np.arange(1, d + 1, dtype=np.float32) ** (-a / 2)
    return found / np.linalg.norm(found)


def parts_make(parts: int, d: int, kind: str) -> Iterator[NDArray[np.float16]]:
    """Embeddings (parts, VIEWS, d) in chunks; 300 categories, 8 parts a family."""
    rng = np.random.default_rng(0)

    def draw(*shape: int, a: float = CENTRE_SPECTRUM) -> NDArray[np.float32]:
        return rng.standard_normal((*shape, d), np.float32) * spectrum(d, a)

    categories, families = draw(300), draw(parts // 8 + 1)
    viewpoints = draw(300, VIEWS, a=VIEW_SPECTRUM)
    weights = np.sqrt(np.array(SHARES[kind], np.float32))
    for start in range(0, parts, BATCH):
        count = min(BATCH, parts - start)
        family = rng.integers(0, len(families), count)
        category = family % 300
        centre = weights[0] * categories[category] + weights[1] * families[family]
        centre += weights[2] * draw(count)
        made = (
            centre[:, None]
            + weights[3] * viewpoints[category]
            + weights[4] * draw(count, VIEWS, a=VIEW_SPECTRUM)
        )
        yield (made / np.linalg.norm(made, axis=2, keepdims=True)).astype(np.float16)


def gallery_map(parts: int, d: int, kind: str) -> NDArray[np.float16]:
    """The cached embeddings (parts, VIEWS, d), made when missing."""
    path = WORK / f"{kind}-{parts}x{VIEWS}x{d}.f16"
    if not path.exists():
        WORK.mkdir(parents=True, exist_ok=True)
        with path.with_suffix(".tmp").open("wb") as file:
            for chunk in parts_make(parts, d, kind):
                file.write(chunk.data)
        path.with_suffix(".tmp").rename(path)
    return np.memmap(path, np.float16, mode="r", shape=(parts, VIEWS, d))


def rows(vectors: NDArray[np.float16], first: int) -> RowBatch:
    """Embeddings (r, VIEWS, d) as rows whose seqs and part ids count from `first`."""
    numbers = np.arange(first, first + len(vectors))
    flat = np.ascontiguousarray(vectors).reshape(-1, vectors.shape[2])
    return RowBatch(numbers, numbers, np.arange(len(vectors) + 1) * VIEWS, flat)


def queries_make(gallery: NDArray[np.float16], count: int, variants: int) -> NDArray[np.float32]:
    """(count, variants, d): views of one random part each, at cosine LIKENESS to it."""
    rng = np.random.default_rng(1)
    d = gallery.shape[2]
    made = np.empty((count, variants, d), np.float32)
    for place, part in enumerate(rng.integers(0, len(gallery), count)):
        views = gallery[part][rng.integers(0, VIEWS, variants)].astype(np.float32)
        noise = rng.standard_normal((variants, d), np.float32) * spectrum(d, VIEW_SPECTRUM)
        noise /= np.linalg.norm(noise, axis=1, keepdims=True)
        made[place] = LIKENESS * views + np.sqrt(1 - LIKENESS**2) * noise
    return made / np.linalg.norm(made, axis=2, keepdims=True)


def timings(call: Callable[[Any], object], items: Any) -> dict[str, float]:
    """Percentiles of the milliseconds of one call for each item, the first untimed."""
    call(items[0])
    wall, cpu = [], []
    for item in items:
        before = time.perf_counter(), time.process_time()
        call(item)
        wall.append((time.perf_counter() - before[0]) * 1e3)
        cpu.append((time.process_time() - before[1]) * 1e3)
    return percentiles(wall, (50, 95)) | {"cpu": percentiles(cpu, (50,))["p50"]}


def memory_mb() -> float:
    """This process's own resident megabytes, mapped files left out (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon"))


def recall(
    index: SpaceIndex, snapshot: Snapshot, asked: NDArray[np.float32], pooling: str
) -> float:
    """recall@10 of the index against scoring every row."""
    starts, stops = snapshot.offsets[:-1], snapshot.offsets[1:]
    shares = []
    for query in asked:
        pooled, _ = rows_score(snapshot.vectors, starts, stops, query, pooling="max")
        scores = pooled.max(axis=1) if pooling == "max" else pooled.mean(axis=1)
        best = snapshot.part_ids[np.argsort(-scores)[:10]]
        found = index.search(query, k=10, query_pooling=pooling).part_ids  # type: ignore[arg-type]
        shares.append(len(np.intersect1d(best, found)) / 10)
    return float(np.mean(shares))


def measure(parts: int, d: int, kind: str, config: IndexConfig) -> dict[str, Any]:
    """All figures of one size."""
    gallery = gallery_map(parts, d, kind)
    root = WORK / "snapshots"
    shutil.rmtree(root, ignore_errors=True)
    batches = (rows(gallery[s : s + BATCH], s + 1) for s in range(0, parts, BATCH))
    manifest = snapshot_build(
        root, batches, space_key=SPACE, d=d, config=config, version=f"v{parts}"
    )
    own = memory_mb()
    before = time.perf_counter()
    snapshot = snapshot_open(root / SPACE / f"v{parts}", space_key=SPACE, d=d)
    opened = time.perf_counter() - before
    index = SpaceIndex(d)
    index.snapshot_set(snapshot)
    facts: dict[str, Any] = {
        "factory": manifest.factory,
        "effort": manifest.effort,
        "build s": manifest.build_s,
        "disk MB": manifest.nbytes / 1e6,
        "open + verify s": opened,
        "recall@10 (manifest)": manifest.recall_at_10,
    }
    for variants, pooling in ((1, "max"), (4, "max"), (12, "mean")):
        asked = queries_make(gallery, 100, variants)
        name = f"{variants} x {pooling}"

        def search(query: NDArray[np.float32], pooling: str = pooling) -> None:
            index.search(query, k=10, query_pooling=pooling)  # type: ignore[arg-type]

        facts[f"search {name}"] = timings(search, asked)
        facts[f"recall@10 {name}"] = recall(index, snapshot, asked[:40], pooling)
    facts["own MB (opened, searched)"] = memory_mb() - own
    asked = queries_make(gallery, 50, 1)
    rng = np.random.default_rng(2)
    for share in (0.01, 0.1, 0.5):
        allowed = rng.permutation(parts)[: int(parts * share)] + 1
        facts[f"search {share:.0%} allowed"] = timings(
            lambda query, allowed=allowed: index.search(query, k=10, allowed=allowed), asked
        )
    facts |= tail_measure(index, gallery, asked, parts)
    shutil.rmtree(root)
    return facts


def tail_measure(
    index: SpaceIndex, gallery: NDArray[np.float16], asked: NDArray[np.float32], parts: int
) -> dict[str, Any]:
    """Appending one part at a time, then searching over a growing tail."""
    fresh = gallery[np.arange(5000) % parts]
    facts: dict[str, Any] = {}
    single = [rows(fresh[i : i + 1], parts + 1 + i) for i in range(1000)]
    facts["append one part"] = timings(index.rows_append, single)
    facts["search, tail 1000"] = timings(lambda query: index.search(query, k=10), asked)
    index.rows_append(rows(fresh[1000:], parts + 1001))
    facts["search, tail 5000"] = timings(lambda query: index.search(query, k=10), asked)
    return facts


def show(sizes: list[int], found: list[dict[str, Any]]) -> None:
    """A Markdown table: one column a size."""
    print("| | " + " | ".join(f"{size:,} parts" for size in sizes) + " |")
    print("|---" * (len(sizes) + 1) + "|")
    for name in found[0]:
        cells = []
        for facts in found:
            value = facts[name]
            if isinstance(value, dict):
                value = f"{value['p50']:.3g} / {value['p95']:.3g} ms (cpu {value['cpu']:.3g})"
            elif isinstance(value, float):
                value = f"{value:.3f}" if value < 10 else f"{value:.0f}"
            cells.append(str(value))
        print(f"| {name} | " + " | ".join(cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", default="1000,10000,100000")
    parser.add_argument("--d", type=int, default=384)
    parser.add_argument("--data", choices=SHARES, default="catalogue")
    parser.add_argument("--type", default="auto", help="index_type of the config")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    sizes = [int(size) for size in options.parts.split(",")]
    if options.one:
        config = IndexConfig(index_type=options.type)
        print(json.dumps(measure(sizes[0], options.d, options.data, config)))
        return
    found = []
    for size in sizes:
        own = [*sys.argv[1:], "--one", "--parts", str(size)]
        done = subprocess.run(
            [sys.executable, "-m", "bench.index", *own],
            check=True,
            stdout=subprocess.PIPE,
            env=os.environ | ONE_THREAD,
        )
        found.append(json.loads(done.stdout))
    print(f"p50 / p95, one thread, {VIEWS} views a part, d = {options.d}, {options.data} data")
    show(sizes, found)


if __name__ == "__main__":
    main()
