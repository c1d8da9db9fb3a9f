"""Follows the Dockerfile without Docker: `python -m tests.image.build`.

Each stage's steps run in a folder of their own, from a clean copy of what is committed, with a
virtual environment in place of the base image; then the images' own commands and health checks run
against a Redis started here, and a file goes through them from upload to hit. What it cannot show
is what differs between this machine and the base images. The target with CUDA is built only with
`--gpu`, since it loads some gigabytes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
import venv
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from tests.factories import meshes
from tests.image.dockerfile import ROOT, Stage, is_sent, lineage, stages_read

if TYPE_CHECKING:
    from collections.abc import Callable

# Steps that need the machine's users; here one user does everything.
NEEDS_ROOT = "groupadd"


class Building:
    """Stages in folders: `app` for /app, `data` for /data, `tmp` for /tmp."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.context = home / "context"
        self.stages = stages_read()
        self.environment: dict[str, str] = {}
        self._context_make()

    def _context_make(self) -> None:
        archive = self.home / "context.tar"
        subprocess.run(["git", "archive", "-o", archive, "HEAD"], cwd=ROOT, check=True)
        with tarfile.open(archive) as tar:
            members = [m for m in tar.getmembers() if m.isdir() or is_sent(m.name)]
            tar.extractall(self.context, members, filter="data")

    def target(self, name: str) -> None:
        """The folder of a target, made from its stages as Docker would layer them."""
        folder = self.home / name
        self._python(folder)
        for stage in lineage(self.stages, name):
            self._stage(stage, folder)

    def _python(self, folder: Path) -> None:
        for inner in ("app", "data", "tmp"):
            (folder / inner).mkdir(parents=True)
        venv.create(folder / "python", with_pip=True)

    def _stage(self, stage: Stage, folder: Path) -> None:
        for step in stage.steps:
            sys.stdout.write(f"{stage.name}: {step.name} {step.rest[:100]}\n")
            sys.stdout.flush()
            if step.name == "ENV":
                self.environment |= dict(word.split("=", 1) for word in step.words)
            elif step.name == "COPY":
                self._copy(step.options.get("from"), step.words, folder)
            elif step.name == "RUN" and NEEDS_ROOT not in step.rest:
                command = self.here(step.rest, folder)
                subprocess.run(
                    ["bash", "-ec", command], cwd=folder / "app", env=self.env(folder), check=True
                )

    def _copy(self, origin: str | None, words: list[str], folder: Path) -> None:
        *sources, goal = words
        for source in sources:
            if origin is None:
                held = self.context / source
            else:
                if not (self.home / origin).exists():
                    (self.home / origin / "app").mkdir(parents=True)
                    self._stage(self.stages[origin], self.home / origin)
                held = self.home / origin / "app" / Path(source).relative_to("/app")
            to = folder / "app" / goal
            if held.is_dir():
                shutil.copytree(held, to, dirs_exist_ok=True)
            else:
                to = to / held.name if goal.endswith("/") else to
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(held, to)

    def here(self, text: str, folder: Path) -> str:
        """A command or a value with the image's folders replaced by ours."""
        for of in ("app", "data", "tmp"):
            text = text.replace(f"/{of}", str(folder / of))
        return text

    def env(self, folder: Path, **more: str) -> dict[str, str]:
        said = {name: self.here(value, folder) for name, value in self.environment.items()}
        # Pip's own settings say where packages come from on this machine.
        kept = {n: v for n, v in os.environ.items() if n.startswith(("PIP_", "npm_", "SSL_"))}
        path = f"{folder / 'python' / 'bin'}:{os.environ['PATH']}"
        return kept | {"HOME": str(folder / "tmp"), "PATH": path} | said | more

    def command(self, target: str, name: str) -> list[str]:
        """The CMD or HEALTHCHECK of a target."""
        steps = (stage.last(name) for stage in reversed(lineage(self.stages, target)))
        step = next(step for step in steps if step is not None)
        return [self.here(word, self.home / target) for word in step.command]


def port_free() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def until(reached: Callable[[], bool], what: str, *, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > end:
            raise SystemExit(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.5)
    sys.stdout.write(f"{what}: yes\n")


def journey(building: Building) -> None:
    """The images' commands run; a file is uploaded, becomes ready and is found."""
    web, worker = building.home / "web", building.home / "worker"
    port, redis_port = port_free(), port_free()
    shared = {
        "PORT": str(port), "HOST": "127.0.0.1", "STLCATALOG_DATA": str(web / "data"), "DEMO": "0",
        "CELERY_BROKER_URL": f"redis://127.0.0.1:{redis_port}/0",
        "CACHE_URL": f"redis://127.0.0.1:{redis_port}/1",
        "STLCATALOG_ALLOWED_HOSTS": "localhost", "STLCATALOG_OPEN_READING": "0",
    }  # fmt: skip
    with ExitStack() as running:

        def start(command: list[str], folder: Path) -> None:
            env = building.env(folder, **shared)
            process = subprocess.Popen(command, cwd=folder / "app", env=env)
            running.callback(process.wait, 60)
            running.callback(process.terminate)

        def healthy(target: str) -> bool:
            folder = building.home / target
            command = building.command(target, "HEALTHCHECK")
            env = building.env(folder, **shared)
            done = subprocess.run(command, cwd=folder / "app", env=env, check=False)
            return done.returncode == 0

        def manage(*arguments: str) -> str:
            done = subprocess.run(
                ["python", "manage.py", *arguments], cwd=web / "app", check=True, text=True,
                env=building.env(web, **shared), stdout=subprocess.PIPE,
            )  # fmt: skip
            return done.stdout

        start(["redis-server", "--port", str(redis_port), "--bind", "127.0.0.1", "--save", ""], web)
        time.sleep(1)
        if healthy("web") or healthy("worker"):
            raise SystemExit("healthy before anything runs")
        manage("serve", "--prepare-only")
        start(
            [
                w.replace("0.0.0.0:8082", f"127.0.0.1:{port}")
                for w in building.command("web", "CMD")
            ],
            web,
        )
        start([*building.command("worker", "CMD"), "--concurrency", "1"], worker)
        until(lambda: healthy("web"), "web is healthy")
        until(lambda: healthy("worker"), "worker is healthy")
        key = manage("token_create", "image", "--scope", "read", "--scope", "write").split()[-1]
        ask = Asking(f"http://127.0.0.1:{port}", key)
        part = ask("/api/parts/", file=meshes.stl_binary(meshes.torus(10, 3)))["id"]
        until(lambda: ask(f"/api/parts/{part}/")["status"] == "ready", "the part is ready")
        hits = ask("/api/search/mesh", file=meshes.stl_binary(meshes.torus(20, 6)))["results"]
        if hits[0]["part_id"] != part:
            raise SystemExit("the part is not found")
        page = ask.raw("/login")
        static = page.partition(b'href="/static/dist/site')[2].partition(b'"')[0]
        if len(ask.raw(f"/static/dist/site{static.decode()}")) < 1000:
            raise SystemExit("the page has no style")
        sys.stdout.write("the part is found, the page has its style\n")


class Asking:
    """The API, with a token."""

    def __init__(self, home: str, key: str) -> None:
        self.home = home
        self.headers = {"Authorization": f"Token {key}", "Host": "localhost"}

    def __call__(self, path: str, *, file: bytes | None = None) -> dict:
        return json.loads(self.raw(path, file=file))

    def raw(self, path: str, *, file: bytes | None = None) -> bytes:
        headers, body = dict(self.headers), None
        if file is not None:
            headers["Content-Type"] = "multipart/form-data; boundary=edge"
            head = '--edge\r\nContent-Disposition: form-data; name="file"; filename="a.stl"\r\n\r\n'
            body = head.encode() + file + b"\r\n--edge--\r\n"
        request = urllib.request.Request(self.home + path, body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gpu", action="store_true", help="the target with CUDA too")
    gpu = parser.parse_args().gpu
    with tempfile.TemporaryDirectory(prefix="image-") as home:
        building = Building(Path(home))
        building.target("web")
        # The worker's image has the same layers under another command.
        shutil.copytree(Path(home) / "web", Path(home) / "worker", symlinks=True)
        if gpu:
            building.target("worker-gpu")
        journey(building)


if __name__ == "__main__":
    main()
