"""A catalogue of its own for a benchmark: a data folder, a worker or a web server, and an end.

Everything runs as users run it, in processes of their own, and leaves nothing behind.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def django_ready() -> None:
    """Django as the product sets it up, for a benchmark that needs no data of its own."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stlcatalog.settings")
    import django

    django.setup()


@contextmanager
def data_folder() -> Iterator[Path]:
    """A new data folder, named to Django for this process and its children."""
    folder = Path(tempfile.mkdtemp(prefix="stlcatalog-bench-"))
    os.environ["STLCATALOG_DATA"] = str(folder)
    os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / "var" / "cache" / "numba"))
    os.environ["STLCATALOG_LOG_LEVEL"] = "WARNING"
    try:
        from django.core.management import call_command

        django_ready()
        call_command("migrate", verbosity=0)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def process(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    running = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT)
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.wait(20)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


@contextmanager
def worker(processes: int) -> Iterator[subprocess.Popen[bytes]]:
    with process(
        "celery", "-A", "stlcatalog", "worker", "--queues", "ingest,index",
        "--concurrency", str(processes), "--loglevel", "WARNING",
        "--without-gossip", "--without-mingle",
    ) as running:  # fmt: skip
        yield running


@contextmanager
def web(workers: int) -> Iterator[str]:
    """A gunicorn as `make run` starts it; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"127.0.0.1:{port}"
    with process(
        "gunicorn", "stlcatalog.wsgi", "--bind", address, "--workers", str(workers),
        "--worker-class", "gthread", "--threads", "4", "--log-level", "warning",
    ):  # fmt: skip
        until = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://{address}/healthz", timeout=1)
                break
            except (urllib.error.URLError, OSError):
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
        yield f"http://{address}"


def children(pid: int) -> list[int]:
    """The process and all below it (Linux)."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += children(int(child))
    return found


def peak_mb(pid: int) -> float:
    """The most memory the process has held at once (resident, Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def table(headers: list[str], rows: list[list[object]]) -> str:
    """Rows as Markdown."""
    lines = ["| " + " | ".join(headers) + " |", "|" + "---|" * len(headers)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)
