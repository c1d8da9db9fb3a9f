"""Searching while the engine is switched: `python -m bench.switch`.

A server and a worker as `make run` starts them, parts of the generator, and a client process that
asks 20 times a second, by picture, by words and by both in turn, whatever is going on: an engine
is installed, put to use instead of the first, switched back, put to use again beside it, retired
and removed. Each request is asked at its own time, late answers or not, so a server that stalls is
seen. Printed: requests that failed (none may), and latency in each phase.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import yaml

from bench import running

NEW = "other"
TIMEOUT_S = 30
UNSENT = "not asked: the server was too far behind when the load ended"
THREADS = 64  # of the client: as many requests as may be under way
KINDS = ("image", "text", "hybrid")
TEXTS = (
    "ring",
    "gear",
    "hex bolt",
    "齒輪",
    "戒指",
    "bearing",
    "六角螺栓",
    "vase",
    "pulley",
    "法蘭",
)


# The client, a process of its own --------------------------------------------------------------


def client(base: str, rate: float, pictures: list[bytes], report: Path, stop: Path) -> None:
    """Ask until the file `stop` is there; each request is a line of `report`."""
    from bench.search_http import multipart

    def ask(n: int, due: float) -> dict[str, Any]:
        kind = KINDS[n % len(KINDS)]
        # Bytes after a picture's end change nothing of it, and no answer comes from the cache.
        picture = pictures[n % len(pictures)] + n.to_bytes(4, "big")
        text = f"{TEXTS[n % len(TEXTS)]} {n}"
        match kind:
            case "text":
                body, content = json.dumps({"query": text}).encode(), "application/json"
            case "image":
                body, content = multipart({"k": "5"}, "image", picture)
            case _:
                body, content = multipart({"k": "5", "text": text}, "image", picture)
        request = urllib.request.Request(
            f"{base}/api/search/{kind}", body, {"Content-Type": content}
        )
        told: dict[str, Any] = {"at": due, "kind": kind, "fault": "", "engines": []}
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                found = json.load(answer)
            told["hits"] = len(found["results"])
            told["engine"] = found["engine"]
            told["engines"] = sorted({name for hit in found["results"] for name in hit["rankings"]})
        except urllib.error.HTTPError as error:
            told["fault"] = f"{error.code} {error.read()[:200]!r}"
        except (OSError, ValueError, KeyError) as error:
            told["fault"] = repr(error)
        # From when it was to be asked, not from when a thread was free to ask it.
        told["ms"] = (time.time() - due) * 1000
        return told

    start = time.time()
    with ThreadPoolExecutor(THREADS) as pool, report.open("w") as lines:
        asked = []
        while not stop.exists():
            n = len(asked)
            due = start + n / rate
            time.sleep(max(0.0, due - time.time()))
            asked.append((n, due, pool.submit(ask, n, due)))
        # What a server that fell behind left waiting is not asked any more, and told as failed:
        # the report comes whatever happens.
        for n, due, told in asked:
            unsent = {"at": due, "kind": KINDS[n % len(KINDS)], "fault": UNSENT, "engines": [],
                      "ms": (time.time() - due) * 1000}  # fmt: skip
            lines.write(json.dumps(unsent if told.cancel() else told.result()) + "\n")


@contextmanager
def load(base: str, rate: float, pictures: list[bytes], folder: Path) -> Iterator[Path]:
    """The client at work; its report when the block is over."""
    np.savez(folder / "pictures.npz", *[np.frombuffer(picture, np.uint8) for picture in pictures])
    stop, report = folder / "stop", folder / "report.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.switch", "--client", base, "--rate", str(rate),
         "--folder", str(folder)], cwd=running.ROOT,
    )  # fmt: skip
    try:
        yield report
    finally:
        stop.touch()
        process.wait(TIMEOUT_S + 30)


# The catalogue ----------------------------------------------------------------------------------


def configuration_write(folder: Path) -> Path:
    """The shipped configuration with one more engine: the shipped network in a space of its own,
    and words it has never learnt."""
    from tests.factories.encoders import words_checkpoint

    weights = words_checkpoint(folder / "weights", seed=7, turned=True)
    document = yaml.safe_load((running.ROOT / "config" / "search.yaml").read_text("utf-8"))
    document["use"] = ["mini", "shape"]
    document["engines"][NEW] = {"encoder": "mini", "weights": str(weights)}
    file = folder / "search.yaml"
    file.write_text(yaml.safe_dump(document), "utf-8")
    return file


def parts_make(count: int, seed: int = 3) -> None:
    """Queue so many parts of the generator's families for ingest."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from catalog.families.registry import FAMILIES
    from catalog.families.types import family_sample
    from catalog.services import part_upload
    from tests.factories.meshes import stl_binary

    names = sorted(FAMILIES)
    made = 0
    while made < count:
        name = names[made % len(names)]
        sample = family_sample(FAMILIES[name], seed)
        seed += 1
        file = SimpleUploadedFile(f"{name} {made}.stl", stl_binary(sample.triangles))
        made += part_upload(file=file)[1]


def until_ready() -> None:
    from catalog.selectors import catalogue_counts

    while catalogue_counts().working:
        time.sleep(0.2)


# The journey ------------------------------------------------------------------------------------


class Journey:
    """What is done to the engines, and when."""

    def __init__(self) -> None:
        self.phases: list[tuple[str, float]] = []

    def phase(self, name: str) -> None:
        self.phases.append((name, time.time()))
        print(f"... {name}", flush=True)

    def run(self, rest: float) -> float:
        """Parts a second of the filling."""
        from search.lifecycle import installs, switching
        from search.models import EngineInstall

        self.phase("before")
        time.sleep(rest)
        self.phase("being filled")
        start = time.time()
        row = installs.engine_install(NEW)
        while row.state not in {"ready", "failed"}:
            time.sleep(0.2)
            row.refresh_from_db()
        if row.state == "failed":
            raise SystemExit(row.error)
        filled = row.done / (time.time() - start)
        for name, change in (
            (
                "activated instead of mini",
                lambda: switching.engine_activate(NEW, instead_of="mini"),
            ),
            ("rolled back", switching.engine_rollback),
            ("activated beside, first", lambda: switching.engine_activate(NEW, first=True)),
            ("retired", lambda: switching.engine_retire(NEW)),
        ):
            self.phase(name)
            change()
            time.sleep(rest)
        self.phase("being removed")
        switching.engine_remove(NEW)
        while EngineInstall.objects.filter(engine=NEW).exists():
            time.sleep(0.2)
        self.phase("after")
        time.sleep(rest)
        return filled


def figures(report: Path, phases: list[tuple[str, float]]) -> tuple[list[list[object]], list[str]]:
    told = [json.loads(line) for line in report.read_text().splitlines()]
    rows: list[list[object]] = []
    for (name, start), (_next, end) in zip(phases, [*phases[1:], ("", float("inf"))], strict=True):
        mine = [of for of in told if start <= of["at"] < end]
        row: list[object] = [name, len(mine), sum(bool(of["fault"]) for of in mine)]
        for kind in KINDS:
            ms = [of["ms"] for of in mine if of["kind"] == kind] or [float("nan")]
            row.append("{:.0f} / {:.0f} / {:.0f}".format(*np.percentile(ms, (50, 95)), max(ms)))
        answered = Counter(of.get("engine", "-") for of in mine if of["kind"] == "image")
        row.append(", ".join(f"{engine} {n}" for engine, n in answered.most_common()))
        rows.append(row)
    return rows, [f"{of['kind']}: {of['fault']}" for of in told if of["fault"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", type=int, default=300)
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--rest", type=float, default=15.0, help="seconds of each phase")
    parser.add_argument("--workers", type=int, default=1, help="worker processes")
    parser.add_argument("--client", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        with np.load(options.folder / "pictures.npz") as held:
            pictures = [held[name].tobytes() for name in held.files]
        client(options.client, options.rate, pictures, options.folder / "report.jsonl",
               options.folder / "stop")  # fmt: skip
        return
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ["STLCATALOG_CONFIG"] = str(configuration_write(folder))
        with running.data_folder(), running.worker(options.workers), running.web(2) as base:
            from bench.search_http import photos

            parts_make(options.parts)
            pictures = photos(30, np.random.default_rng(1))
            until_ready()
            journey = Journey()
            with load(base, options.rate, pictures, folder) as report:
                time.sleep(10)  # both web processes load what they need
                filled = journey.run(options.rest)
            rows, faults = figures(report, journey.phases)
    print(
        running.table(
            ["phase", "requests", "failed", *(f"{kind}: p50 / p95 / most ms" for kind in KINDS),
             "pictures answered by"], rows,
        )
    )  # fmt: skip
    print(f"\n{options.parts} parts, {options.rate:g} requests a second; filled at {filled:.1f} "
          f"parts a second by {options.workers} worker process beside them.")  # fmt: skip
    for fault in faults[:20]:
        print(fault)
    if faults:
        raise SystemExit(f"{len(faults)} requests failed.")


if __name__ == "__main__":
    main()
