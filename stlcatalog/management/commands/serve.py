"""manage.py serve: the whole product on one machine, until Ctrl-C.

Brings the database, the static files and the first admin up to date, then keeps the web server
and the worker running side by side.
"""

import os
import secrets
import shutil
import sys
from itertools import combinations
from typing import Any

import numpy as np
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.checks import Tags
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.models import Part
from stlcatalog.keeping import KeptManager

ENCODE_THREADS = 16  # they wait for the network, which is one


class Command(BaseCommand):
    help = "Run the web server and a worker on this machine; Ctrl-C stops both."

    def add_arguments(self, parser: CommandParser) -> None:
        cores = os.cpu_count() or 1
        parser.add_argument("--web-workers", type=int, default=2)
        parser.add_argument("--workers", type=int, default=max(1, cores), help="worker processes")
        parser.add_argument("--prepare-only", action="store_true", help="do not start anything")

    def handle(self, *args: Any, **options: Any) -> None:
        port = os.environ.get("PORT") or "8082"
        if not port.isdigit() or not 0 < int(port) < 65536:
            raise CommandError(f"PORT={port} is not a port.")
        self.prepare()
        if options["prepare_only"]:
            return
        host = f"[{settings.HOST}]" if ":" in settings.HOST else settings.HOST
        manager = KeptManager()
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        manager.add_process(
            "web", self.web(f"{host}:{port}", options["web_workers"]), env=environment
        )
        manager.add_process("worker", self.worker(options["workers"]), env=environment)
        if settings.SEARCH_ENCODERS == "remote":
            manager.add_process("encode", self.encode_worker(), env=environment)
        self.stdout.write(self.style.SUCCESS(f"STL Catalog is at http://{host}:{port}"))
        self.stdout.write("Ctrl-C stops it.")
        manager.loop()
        # Honcho gives the code of whichever process ended first; asked to stop is no failure.
        sys.exit(0 if manager.returncode in {0, -2, -15, 130, 143} else manager.returncode)

    def prepare(self) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        # An engine in use whose weights were exchanged is said now, not by each search.
        self.check(tags=[Tags.database], databases=["default"])
        self.static_collect()
        self.admin_create()
        self.engine_warm()
        if os.environ.get("DEMO", "1") != "0" and not Part.objects.exists():
            call_command("demo_catalog", stdout=self.stdout)
        call_command("index_compact", missing=True, stdout=self.stdout)

    def static_collect(self) -> None:
        """Copy the static files, only when one of them is newer than the last copy.

        In an image they were copied when it was made, to a folder of its own.
        """
        if not settings.STATIC_ROOT.is_relative_to(settings.DATA):
            return
        stamp = settings.DATA / "static-collected"
        newest = max(
            (file.stat().st_mtime for folder in settings.STATICFILES_DIRS
             for file in folder.rglob("*") if file.is_file()),
            default=0.0,
        )  # fmt: skip
        mark = f"{settings.VERSION} {newest}"
        if stamp.exists() and stamp.read_text(encoding="ascii") == mark:
            return
        call_command("collectstatic", interactive=False, verbosity=0, clear=True)
        stamp.write_text(mark, encoding="ascii")

    def engine_warm(self) -> None:
        """Compile the numeric code once, before several workers would each do it at a time."""
        stamp = settings.DATA / "cache" / "compiled"
        if stamp.exists() and stamp.read_text(encoding="ascii") == settings.VERSION:
            return
        from search import engines
        from search.encode import mesh_vectors
        from search.engine.mesh.normalise import mesh_normalise
        from search.engine.render.thumbnail import thumbnail_render
        from search.inspection.preparing import inspections_warm, kernels_compile

        # Numba notices that a function changed, but not that a constant it used did.
        shutil.rmtree(os.environ["NUMBA_CACHE_DIR"], ignore_errors=True)
        self.stdout.write("Compiling the renderer, once ...")
        tetrahedron = np.array(
            [[a, b, c] for a, b, c in combinations(np.eye(4, 3, dtype=np.float32), 3)]
        )
        mesh = mesh_normalise(tetrahedron, format="stl-binary")
        mesh_vectors(mesh, engines.in_use())
        thumbnail_render(mesh.triangles)
        inspections_warm(mesh.triangles)
        kernels_compile()
        stamp.write_text(settings.VERSION, encoding="ascii")

    def admin_create(self) -> None:
        """The first user, with a password that only this line of the terminal ever shows."""
        users = get_user_model().objects
        if users.filter(is_superuser=True).exists():
            return
        password = secrets.token_urlsafe(12)
        users.create_superuser("admin", password=password)
        self.stdout.write(self.style.WARNING(f"Made the user admin with the password {password}"))
        self.stdout.write("It is not shown again; manage.py changepassword admin sets another.")

    def web(self, address: str, workers: int) -> str:
        return (
            f"{sys.executable} -m gunicorn stlcatalog.wsgi --bind {address} --workers {workers} "
            "--worker-class gthread --threads 4 --timeout 180 --graceful-timeout 10 "
            f"--worker-tmp-dir {settings.DATA / 'tmp'} --max-requests 20000 "
            "--max-requests-jitter 2000 --log-level warning"
        )

    def worker(self, processes: int) -> str:
        return (
            f"{sys.executable} -m celery -A stlcatalog --quiet worker --beat "
            f"--queues ingest,index,inspect --concurrency {processes} --loglevel WARNING "
            "--without-gossip --without-mingle"
        )

    def encode_worker(self) -> str:
        """Threads, so that the queries of many people meet in one batch."""
        return (
            f"{sys.executable} -m celery -A stlcatalog --quiet worker --queues encode "
            f"--pool threads --concurrency {ENCODE_THREADS} --hostname encode@%h "
            "--loglevel WARNING --without-gossip --without-mingle --without-heartbeat"
        )
