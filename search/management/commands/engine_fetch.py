"""manage.py engine_fetch: brings a large engine's weights into the data folder, and tries them."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand, CommandParser

from catalog.errors import ServiceError
from search.engine.errors import EngineError
from search.engines import encoder_error
from search.lifecycle import fetching


class Command(BaseCommand):
    help = (
        "Bring the weights of an engine of search.yaml into the data folder, load them once, and "
        "say what they are. The engine need not be in use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("engine", help="its name in search.yaml")
        parser.add_argument(
            "--from", dest="given", type=Path, metavar="PATH",
            help="a file of weights, or an engine's folder, brought from elsewhere",
        )  # fmt: skip
        parser.add_argument(
            "--measure", action="store_true",
            help="export it, and time every way to run it on this machine (minutes)",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["engine"]
        if name not in settings.SEARCH.engines:
            known = ", ".join(settings.SEARCH.engines)
            raise CommandError(f"There is no engine {name}; search.yaml has: {known}.")
        given = options["given"]
        if given is not None and not given.exists():
            raise CommandError(f"There is nothing at {given}.")
        if given is not None and getattr(settings.SEARCH.engines[name], "checkpoint", None):
            raise CommandError(
                f"search.yaml names a checkpoint for {name}, which is used as it lies there; "
                "--from would bring weights that nothing reads."
            )
        try:
            found = fetching.engine_fetch(name, given=given)
            self.stdout.write(
                f"{name}: {found.megabytes:.0f} MB in {found.place}\n"
                f"sha256 {found.sha}\nspace {found.space}, {found.d} dimensions, "
                f"pictures of {found.picture_size} pixels\nruns as {found.way}"
            )
            if options["measure"]:
                for of in fetching.engine_measure(name):
                    mark = "" if of.is_same else "  not used: its embeddings are others"
                    self.stdout.write(
                        f"  {of.way}: {of.pictures_s:.1f} pictures/s, cosine {of.cosine:.5f}{mark}"
                    )
        except (EngineError, ServiceError, OSError, MemoryError) as error:
            # The engine's own sentence says more than what is shown to people.
            raise CommandError(str(encoder_error(error) or error)) from error
