"""python -m stlcatalog.alive web|worker|beat: whether this container's process does its work.

For HEALTHCHECK: ends with 0 or, after a sentence, with 1. The web's answer needs nothing but the
standard library, since it is asked four times a minute.
"""

import os
import socket
import sys
import time
import urllib.request
from pathlib import Path

BEAT_STALE_S = 600  # the scheduler writes its file every three minutes


def web() -> str:
    """The fault, or nothing."""
    port = os.environ.get("PORT") or "8082"
    hosts = os.environ.get("STLCATALOG_ALLOWED_HOSTS", "").replace(",", " ").split()
    host = hosts[0].lstrip(".") if hosts and hosts[0] != "*" else "localhost"
    request = urllib.request.Request(f"http://127.0.0.1:{port}/readyz", headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=4):
            return ""
    except OSError as error:
        return f"/readyz: {error}"


def worker() -> str:
    from stlcatalog.celery import app

    name = f"{os.environ.get('WORKER_NAME') or 'celery'}@{socket.gethostname()}"
    try:
        answered = app.control.inspect(destination=[name], timeout=10).ping()
    except Exception as error:
        return f"the broker: {error}"
    return "" if answered else f"{name} does not answer."


def beat() -> str:
    data = Path(os.environ.get("STLCATALOG_DATA") or "var")
    # Some libraries behind Python's dbm add an ending to the name, or make two files.
    written = [file.stat().st_mtime for file in data.glob("beat-schedule*")]
    if not written:
        return f"{data / 'beat-schedule'} is not there."
    age = time.time() - max(written)
    return "" if age < BEAT_STALE_S else f"The scheduler's file was last written {age:.0f} s ago."


PROCESSES = {"web": web, "worker": worker, "beat": beat}


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in PROCESSES:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    if fault := PROCESSES[arguments[0]]():
        sys.stderr.write(f"{fault}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
