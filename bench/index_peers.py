"""Our index beside exact search, hnswlib and usearch: `python -m bench.index_peers --parts 10000`.

Vectors of 512 dimensions, one a part, with the spectra of real pictures (bench/index.py says how
those were measured): 300 categories, families of 8, and what is a part's own. Queries lie at the
cosine that real photos keep from their part (.57); the truth is exact search of all vectors. Our
index is the product's: a snapshot of the automatic type behind `SpaceIndex`. Everything searches
on one thread, each engine in a process of its own. The CPU milliseconds are the median query's:
another program on the machine changes them little, and the seconds of a build as little. Builds
are kept under bench/work/, as are the vectors.

    python -m bench.index_peers --build      only make what is missing
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
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from bench.index import CENTRE_SPECTRUM as CENTRE
from bench.index import LIKENESS, ONE_THREAD, SHARES, memory_mb, spectrum, timings
from bench.index import VIEW_SPECTRUM as VIEW
from search.engine.index.config import IndexConfig
from search.engine.index.snapshot import snapshot_build, snapshot_open
from search.engine.index.space_index import SpaceIndex
from search.engine.index.types import RowBatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

WORK = Path(__file__).parent / "work" / "index_peers"
D = 512
K = 10
QUERIES = 200
BATCH = 20_000
SPACE = "peers"
# Of the graphs: links a vector, and how wide a new vector looks. hnswlib's own example has these.
LINKS, WIDTH = 16, 100
# How wide a search looks: each engine is given the least of these that reaches the recall.
EFFORTS = (16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
RECALL = 0.98


class Engine(Protocol):
    """One way to find the K nearest of a query. `nbytes` are those of its files."""

    build_s: float
    nbytes: int
    effort: int

    def search(self, query: NDArray[np.float32]) -> NDArray[np.int64]: ...


def vectors_make(parts: int) -> Iterator[NDArray[np.float16]]:
    """(parts, D) in chunks: what a part shares with its category and family, and its own."""
    rng = np.random.default_rng(0)
    category, family, own, viewpoint, view = np.sqrt(np.array(SHARES["catalogue"], np.float32))

    def draw(count: int, a: float) -> NDArray[np.float32]:
        return rng.standard_normal((count, D), np.float32) * spectrum(D, a)

    categories, families = draw(300, CENTRE), draw(parts // 8 + 1, CENTRE)
    viewpoints = draw(300, VIEW)
    for start in range(0, parts, BATCH):
        count = min(BATCH, parts - start)
        of_family = rng.integers(0, len(families), count)
        of_category = of_family % 300
        made = category * categories[of_category] + family * families[of_family]
        made += own * draw(count, CENTRE) + viewpoint * viewpoints[of_category]
        made += view * draw(count, VIEW)
        yield (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float16)


def gallery(parts: int) -> NDArray[np.float16]:
    path = WORK / f"{parts}.f16"
    if not path.exists():
        WORK.mkdir(parents=True, exist_ok=True)
        with path.with_suffix(".tmp").open("wb") as file:
            for chunk in vectors_make(parts):
                file.write(chunk.data)
        path.with_suffix(".tmp").rename(path)
    return np.memmap(path, np.float16, mode="r", shape=(parts, D))


def queries(vectors: NDArray[np.float16]) -> NDArray[np.float32]:
    rng = np.random.default_rng(1)
    near = vectors[np.sort(rng.choice(len(vectors), QUERIES, replace=False))].astype(np.float32)
    noise = rng.standard_normal(near.shape, np.float32) * spectrum(D, VIEW)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    made = LIKENESS * near + np.sqrt(1 - LIKENESS**2) * noise
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def truth(vectors: NDArray[np.float16], asked: NDArray[np.float32]) -> NDArray[np.int64]:
    """(q, K) places of the nearest, kept beside the vectors."""
    path = WORK / f"{len(vectors)}.truth.npy"
    if path.exists():
        return np.load(path, allow_pickle=False)
    best = np.empty((len(asked), 0), np.float32)
    places = np.empty((len(asked), 0), np.int64)
    for start in range(0, len(vectors), BATCH):
        chunk = vectors[start : start + BATCH].astype(np.float32)
        best = np.hstack([best, asked @ chunk.T])
        here = np.broadcast_to(np.arange(start, start + len(chunk)), (len(asked), len(chunk)))
        places = np.hstack([places, here])
        order = np.argsort(-best, axis=1, kind="stable")[:, :K]
        best = np.take_along_axis(best, order, axis=1)
        places = np.take_along_axis(places, order, axis=1)
    np.save(path, places, allow_pickle=False)
    return places


class Ours:
    """The product's index. A build is `snapshot_build`, its measuring of recall included."""

    def __init__(self, parts: int) -> None:
        root, version = WORK / "ours", str(parts)
        note = WORK / f"ours-{parts}.json"
        if not note.exists():
            shutil.rmtree(root / SPACE / version, ignore_errors=True)
            vectors, start = gallery(parts), time.process_time()
            batches = (self._rows(vectors, first) for first in range(0, parts, BATCH))
            snapshot_build(
                root, batches, space_key=SPACE, d=D, config=IndexConfig(), version=version
            )
            note.write_text(json.dumps(time.process_time() - start))
        self.build_s = json.loads(note.read_text())
        snapshot = snapshot_open(root / SPACE / version, space_key=SPACE, d=D)
        self.index = SpaceIndex(D)
        self.index.snapshot_set(snapshot)
        manifest = snapshot.manifest
        self.nbytes, self.effort = manifest.nbytes, manifest.effort
        self.what = f"{manifest.factory}, its own recall@10 {manifest.recall_at_10}"

    @staticmethod
    def _rows(vectors: NDArray[np.float16], first: int) -> RowBatch:
        some = np.asarray(vectors[first : first + BATCH])
        numbers = np.arange(first + 1, first + 1 + len(some))
        return RowBatch(numbers, numbers - 1, np.arange(len(some) + 1), some)

    def search(self, query: NDArray[np.float32]) -> NDArray[np.int64]:
        return self.index.search(query[None], k=K).part_ids


class Exact:
    """faiss IndexFlatIP over float32."""

    what, effort, nbytes = "IndexFlatIP", 0, 0

    def __init__(self, parts: int) -> None:
        import faiss

        faiss.omp_set_num_threads(1)
        vectors, start = gallery(parts), time.process_time()
        self.index: Any = faiss.IndexFlatIP(D)
        for first in range(0, parts, BATCH):
            self.index.add(vectors[first : first + BATCH].astype(np.float32))
        self.build_s = time.process_time() - start

    def search(self, query: NDArray[np.float32]) -> NDArray[np.int64]:
        return self.index.search(query[None], K)[1][0]


class Hnswlib:
    what = f"M={LINKS}, ef_construction={WIDTH}, float32"

    def __init__(self, parts: int) -> None:
        import hnswlib

        path, note = WORK / f"{parts}.hnswlib", WORK / f"hnswlib-{parts}.json"
        self.index: Any = hnswlib.Index(space="ip", dim=D)
        if not note.exists():
            vectors, start = gallery(parts), time.process_time()
            self.index.init_index(max_elements=parts, M=LINKS, ef_construction=WIDTH)
            self.index.set_num_threads(1)
            for first in range(0, parts, BATCH):
                self.index.add_items(vectors[first : first + BATCH].astype(np.float32))
            self.index.save_index(str(path))
            note.write_text(json.dumps(time.process_time() - start))
            self.index = hnswlib.Index(space="ip", dim=D)
        self.build_s = json.loads(note.read_text())
        self.index.load_index(str(path))
        self.index.set_num_threads(1)
        self.nbytes = path.stat().st_size

    def look(self, effort: int) -> None:
        self.effort = effort
        self.index.set_ef(effort)

    def search(self, query: NDArray[np.float32]) -> NDArray[np.int64]:
        return self.index.knn_query(query[None], k=K)[0][0]


class Usearch:
    what = f"connectivity={LINKS}, expansion_add={WIDTH}, float16, mapped"

    def __init__(self, parts: int) -> None:
        from usearch.index import Index

        path, note = WORK / f"{parts}.usearch", WORK / f"usearch-{parts}.json"

        def empty() -> Any:
            return Index(ndim=D, metric="ip", dtype="f16", connectivity=LINKS, expansion_add=WIDTH)

        if not note.exists():
            vectors, start = gallery(parts), time.process_time()
            index = empty()
            for first in range(0, parts, BATCH):
                some = np.asarray(vectors[first : first + BATCH])
                index.add(np.arange(first, first + len(some)), some, threads=1)
            index.save(str(path))
            note.write_text(json.dumps(time.process_time() - start))
        self.build_s = json.loads(note.read_text())
        self.index = empty()
        self.index.view(str(path))
        self.nbytes = path.stat().st_size

    def look(self, effort: int) -> None:
        self.effort = effort
        self.index.expansion_search = effort

    def search(self, query: NDArray[np.float32]) -> NDArray[np.int64]:
        return self.index.search(query, K, threads=1).keys.astype(np.int64)


ENGINES = {"ours": Ours, "faiss exact": Exact, "hnswlib": Hnswlib, "usearch": Usearch}


def recall(engine: Engine, asked: NDArray[np.float32], wanted: NDArray[np.int64]) -> float:
    found = (
        len(np.intersect1d(engine.search(query), best))
        for query, best in zip(asked, wanted, strict=True)
    )
    return float(np.mean(list(found))) / K


def measure(name: str, parts: int) -> dict[str, Any]:
    """One engine at one size, in a process that has done nothing else."""
    vectors = gallery(parts)
    asked = queries(vectors)
    wanted = truth(vectors, asked)
    before = memory_mb()
    engine = ENGINES[name](parts)
    if hasattr(engine, "look"):
        for effort in EFFORTS:
            engine.look(effort)
            if recall(engine, asked, wanted) >= RECALL:
                break
    found = recall(engine, asked, wanted)
    times = timings(engine.search, asked)
    return {
        "what": engine.what,
        "effort": engine.effort,
        "recall": found,
        "p50": times["p50"],
        "p95": times["p95"],
        "cpu": times["cpu"],
        "build_s": engine.build_s,
        "own_mb": memory_mb() - before,
        "files_mb": engine.nbytes / 1e6,
    }


def show(parts: int, found: dict[str, dict[str, Any]]) -> None:
    print(f"\n{parts:,} parts x {D}\n")
    print(
        "| engine | recall@10 | CPU ms | p50 ms | p95 ms | effort | build, CPU s | own MB "
        "| file MB |"
    )
    print("|---" * 9 + "|")
    for name, facts in found.items():
        print(
            f"| {name} | {facts['recall']:.4f} | {facts['cpu']:.2f} | "
            f"{facts['p50']:.2f} | {facts['p95']:.2f} | "
            f"{facts['effort'] or '-'} | {facts['build_s']:.1f} | {facts['own_mb']:.0f} | "
            f"{facts['files_mb']:.0f} |"
        )
    for name, facts in found.items():
        print(f"\n{name}: {facts['what']}")


def in_a_process(*own: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bench.index_peers", *own],
        check=True,
        stdout=subprocess.PIPE,
        env=os.environ | ONE_THREAD,
    )
    return done.stdout.decode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", default="10000,100000,1000000")
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--build", action="store_true", help="only make what is missing")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    sizes = [int(size) for size in options.parts.split(",")]
    names = options.engines.split(",")
    if options.one:
        print(json.dumps(measure(options.one, sizes[0])))
        return
    for size in sizes:
        vectors = gallery(size)
        truth(vectors, queries(vectors))
        if options.build:
            for name in names:
                print(f"{name}, {size:,}: {ENGINES[name](size).build_s:.1f} CPU s", flush=True)
            continue
        found = {
            name: json.loads(in_a_process("--one", name, "--parts", str(size))) for name in names
        }
        show(size, found)


if __name__ == "__main__":
    main()
