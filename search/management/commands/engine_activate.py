"""manage.py engine_activate NAME: answers queries by an installed engine from now on."""

from typing import Any

from django.core.management.base import CommandParser

from search.lifecycle import installs, switching
from search.management.commands._engine_command import EngineCommand


class Command(EngineCommand):
    help = "Put an installed engine to use; every process switches with its next request."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--beside", action="store_true", help="those in use (the default)")
        where.add_argument("--instead-of", metavar="OLD", default="", help="one of those in use")
        parser.add_argument("--first", action="store_true", help="make it the default engine")
        parser.add_argument("--force", action="store_true", help="even if parts lack its vectors")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        row = self.asked(lambda: installs.install_get(name))
        if missing := installs.install_count(row):
            self.stdout.write(f"{missing} of {row.total} parts cannot be found by {name}.")
        used = self.asked(
            lambda: switching.engine_activate(
                name, instead_of=options["instead_of"], first=options["first"],
                force=options["force"],
            )
        )  # fmt: skip
        self.say(used)
