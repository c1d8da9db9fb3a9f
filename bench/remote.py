"""What queries encoded by a worker cost, and what batches gain: `python -m bench.remote`.

Encodings of one photo query (four pictures) or one text by threads of this
process: here, as a web process would by itself, and by a worker over the chosen broker with batches
and without (`batch: 1`). In one run, by turns, so that whatever else the machine does strikes all
alike. Medians of the rounds; the first round warms and is not counted.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np
import yaml

ROOT = Path(__file__).resolve().parents[1]
CLIENTS = (1, 4, 16)


@contextmanager
def worker(batch: int) -> Iterator[None]:
    """A worker of the queue `encode` with batches of so many pictures."""
    from catalog.queue import answers

    config = yaml.safe_load((ROOT / "config/search.yaml").read_text(encoding="utf-8"))
    config["remote"]["batch"] = batch
    if batch == 1:
        config["remote"]["gather_ms"] = 0
    file = Path(os.environ["STLCATALOG_DATA"]) / f"search-{batch}.yaml"
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    answers().beat("encode", seconds=0)
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "stlcatalog", "--quiet", "worker", "--queues",
         "encode", "--pool", "threads", "--concurrency", "16", "--loglevel", "ERROR",
         "--without-gossip", "--without-mingle"],
        cwd=ROOT, env={**os.environ, "STLCATALOG_CONFIG": str(file)},
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while not answers().lives("encode"):
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(30)


def measure(
    call: Callable[[int], object], *, clients: int, each: int
) -> tuple[float, float, float]:
    """(p50 ms, p95 ms, calls a second) of `clients` threads that call one after another."""
    took: list[float] = []

    def one(client: int) -> None:
        for n in range(each):
            start = time.perf_counter()
            call(client * each + n)
            took.append(1000 * (time.perf_counter() - start))

    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(one, range(clients)))
    return (
        median(took),
        float(np.percentile(took, 95)),
        clients * each / (time.perf_counter() - start),
    )


def calls(engine: str) -> dict[str, Callable[[int], object]]:
    from search import encoders

    rng = np.random.default_rng(0)
    blots = rng.integers(0, 256, (64, 28, 28, 3), np.uint8).repeat(4, 1).repeat(4, 2)
    photos = np.full((64, 224, 224, 3), 255, np.uint8)
    photos[:, 56:168, 56:168] = blots  # a cut-out on white

    def picture(n: int) -> object:
        return encoders.encoder(engine, query=True).pictures_embed(
            np.stack([np.rot90(photos[n % 64], turn) for turn in range(4)])
        )

    def text(n: int) -> object:
        return encoders.word_encoder(engine, query=True).texts_embed([f"a ring with {n} stones"])

    return {"picture": picture, "text": text}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="mini")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--each", type=int, default=20, help="calls of each client in a round")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-remote-") as data:
        os.environ["STLCATALOG_DATA"] = data
        os.environ["SEARCH_ENCODERS"] = "remote"
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stlcatalog.settings")
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command

        call_command("migrate", interactive=False, verbosity=0)
        broker = settings.CELERY_BROKER_URL.partition(":")[0]
        print(f"engine {asked.engine}, broker {broker}, {os.cpu_count()} cores")
        print(f"{'query':8} {'who':22} {'clients':>7} {'p50 ms':>8} {'p95 ms':>8} {'a second':>9}")
        rows: dict[tuple[str, str, int], list[tuple[float, float, float]]] = {}
        for turn in range(asked.rounds + 1):
            for who, batch in (("here", 0), ("worker, batches", 16), ("worker, one by one", 1)):
                found = ways(asked.engine, who, batch, asked.each)
                for key, figures in found.items():
                    if turn:
                        rows.setdefault(key, []).append(figures)
        for (kind, who, clients), figures in sorted(rows.items()):
            p50, p95, rate = (median(column) for column in zip(*figures, strict=True))
            print(f"{kind:8} {who:22} {clients:7} {p50:8.1f} {p95:8.1f} {rate:9.1f}")


def ways(
    engine: str, who: str, batch: int, each: int
) -> dict[tuple[str, str, int], tuple[float, float, float]]:
    from django.conf import settings

    from search import encoders

    def all_clients() -> dict[tuple[str, str, int], tuple[float, float, float]]:
        return {
            (kind, who, clients): measure(call, clients=clients, each=each)
            for kind, call in calls(engine).items()
            for clients in CLIENTS
        }

    # An encoder here is the one that a web process would have by itself.
    settings.SEARCH_ENCODERS = "remote" if batch else "local"
    encoders.encoders_forget()
    if not batch:
        return all_clients()
    with worker(batch):
        return all_clients()


if __name__ == "__main__":
    main()
