"""Follows the Dockerfile without Docker: `python -m tests.image.build`.

Each stage's steps run in a folder of their own, from a clean copy of what is committed, with a
virtual environment in place of the base image; then the services of the compose file run, by their
own commands, environment and health checks, with a PostgreSQL and a Redis started here, and a file
goes through them from upload to hit. What it cannot show is what differs between this machine and
the base images. The target with CUDA is built only with
`--gpu`, since it loads some gigabytes.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
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
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.factories import meshes
from tests.image.compose import SECRETS, Service, services_read
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


class Running:
    """The services of the compose file as processes: their commands, their environment, their
    health checks. They share one folder of data, as the containers do a volume."""

    def __init__(self, building: Building, stack: ExitStack) -> None:
        self.building = building
        self.stack = stack
        self.port, self.redis, self.postgres = port_free(), port_free(), port_free()
        self.services = services_read(**dict.fromkeys(SECRETS, secrets.token_hex(32)))
        self.password = self.services["web"].environment["DATABASE_URL"].split(":")[2].split("@")[0]

    def command(self, service: Service) -> list[str]:
        words = service.command or self.building.command(service.target, "CMD")
        return [word.replace("0.0.0.0:8082", f"127.0.0.1:{self.port}") for word in words]

    def env(self, service: Service) -> dict[str, str]:
        """What the container would have, with the other containers at their ports here."""
        said = {
            name: value.replace("@postgres/", f"@127.0.0.1:{self.postgres}/").replace(
                "redis://redis:6379", f"redis://127.0.0.1:{self.redis}"
            )
            for name, value in service.environment.items()
        }
        data = {"STLCATALOG_DATA": str(self.building.home / "web" / "data")}
        folder = self.building.home / service.target
        return self.building.env(folder, PORT=str(self.port), **said, **data)

    def start(self, name: str) -> subprocess.Popen[bytes]:
        service = self.services[name]
        return self.process(self.command(service), self.app(service), self.env(service))

    def process(self, command: list[str], folder: Path, env: dict[str, str]) -> Any:
        process = subprocess.Popen(command, cwd=folder, env=env)
        self.stack.callback(process.wait, 60)
        self.stack.callback(process.terminate)
        return process

    def once(self, name: str, *command: str) -> str:
        """A command in the service's container; without one, its own. Returns what it says."""
        service = self.services[name]
        return subprocess.run(
            command or self.command(service), cwd=self.app(service), env=self.env(service),
            check=True, text=True, stdout=subprocess.PIPE,
        ).stdout  # fmt: skip

    def is_healthy(self, name: str) -> bool:
        service = self.services[name]
        check = service.healthcheck
        if check is None:
            check = self.building.command(service.target, "HEALTHCHECK")
        done = subprocess.run(check, cwd=self.app(service), env=self.env(service), check=False)
        return done.returncode == 0

    def app(self, service: Service) -> Path:
        return self.building.home / service.target / "app"

    def databases(self) -> None:
        """PostgreSQL and Redis, empty; PostgreSQL as a user of its own where we are root."""
        home = self.building.home / "services"
        home.mkdir()
        (home / "password").write_text(self.password, encoding="ascii")
        user: list[str] = []
        if os.geteuid() == 0:
            user = ["runuser", "-u", "postgres", "--"]
            self.building.home.chmod(0o755)
            for path in (home, home / "password"):
                shutil.chown(path, "postgres")
        made, tools = home / "postgres", sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        subprocess.run(
            [*user, tools / "initdb", "-D", made, "-U", "catalog", "-A", "scram-sha-256",
             "--pwfile", home / "password", "-E", "UTF8", "--no-sync"],
            cwd=home, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        options = f"-p {self.postgres} -k {home} -c listen_addresses=127.0.0.1 -c fsync=off"
        run = [*user, tools / "pg_ctl", "-D", made, "-w", "-l", home / "log"]
        subprocess.run([*run, "-o", options, "start"], cwd=home, check=True)
        self.stack.callback(subprocess.run, [*run, "-m", "fast", "stop"], cwd=home, check=True)
        env = {**os.environ, "PGPASSWORD": self.password}
        at = ["-h", "127.0.0.1", "-p", str(self.postgres), "-U", "catalog"]
        subprocess.run([tools / "createdb", *at, "catalog"], env=env, check=True)
        redis = ["redis-server", "--port", str(self.redis), "--bind", "127.0.0.1", "--save", ""]
        self.process(redis, home, dict(os.environ))


def journey(building: Building) -> None:
    """The compose file's services come up from nothing; a file is uploaded, becomes ready, is
    found; asked to stop, every process stops."""
    with ExitStack() as stack:
        running = Running(building, stack)
        lasting = [name for name in running.services if name != "setup"]
        running.databases()
        if any(running.is_healthy(name) for name in lasting):
            raise SystemExit("healthy before anything runs")
        if "password" not in running.once("setup"):
            raise SystemExit("the first admin's password is not shown")
        if "password" in running.once("setup"):
            raise SystemExit("a second start makes another admin")
        processes = [running.start(name) for name in lasting]
        for name in lasting:
            # The scheduler writes its file when it starts, and a check of it needs no more.
            until(partial(running.is_healthy, name), f"{name} is healthy")
        token = ("token_create", "image", "--scope", "read", "--scope", "write")
        key = running.once("web", "python", "manage.py", *token).split()[-1]
        upload_and_find(Asking(f"http://127.0.0.1:{running.port}", key))
        for process in processes:
            process.terminate()
        for name, process in zip(lasting, processes, strict=True):
            if process.wait(60) not in {0, -15}:
                raise SystemExit(f"{name} ended with {process.returncode}")
        sys.stdout.write("all stopped when asked to\n")


def upload_and_find(ask: Asking) -> None:
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
