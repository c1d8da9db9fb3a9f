"""manage.py engine_remove NAME: deletes the vectors and indices of an engine out of use."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from search.lifecycle import installs, switching
from search.management.commands._engine_command import EngineCommand


class Command(EngineCommand):
    help = "Delete an engine's vectors, a little at a time; says first what would be lost."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="?")
        parser.add_argument("--yes", action="store_true", help="do it without asking")
        parser.add_argument(
            "--orphans", action="store_true",
            help="instead of an engine: the spaces that no engine has any more",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["name"]) == options["orphans"]:
            raise CommandError("Name an engine, or give --orphans.")
        if options["orphans"]:
            self.orphans(yes=options["yes"])
            return
        row = self.asked(lambda: installs.install_get(options["name"]))
        loss = self.asked(lambda: switching.removal_loss(row))
        for key in loss.keys:
            self.stdout.write(f"Deletes the space {key}.")
        for key in loss.shared:
            self.stdout.write(f"Keeps the space {key}, which another engine has too.")
        if loss.selections:
            numbers = ", ".join(map(str, loss.selections))
            self.stdout.write(f"These selections cannot be gone back to: {numbers}.")
        self.agree(yes=options["yes"])
        row = self.asked(lambda: switching.engine_remove(options["name"]))
        switching.removal_work(row, seconds=float("inf"))
        self.stdout.write(f"{row.engine} is removed.")

    def orphans(self, *, yes: bool) -> None:
        keys = switching.keys_orphaned()
        for key in keys:
            self.stdout.write(f"Deletes the space {key}.")
        if not keys:
            self.stdout.write("Every space is an engine's.")
            return
        self.agree(yes=yes)
        switching.keys_drop(keys)

    def agree(self, *, yes: bool) -> None:
        if not yes and input("Delete? [y/N] ").strip().lower() not in {"y", "yes"}:
            raise CommandError("Nothing was deleted.")
