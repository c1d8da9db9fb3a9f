"""What the commands that change engines share."""

from collections.abc import Callable
from typing import TypeVar

from django.core.management.base import BaseCommand, CommandError

from catalog.errors import ServiceError
from search.lifecycle.selection import InUse

Answer = TypeVar("Answer")


class EngineCommand(BaseCommand):
    def asked(self, ask: Callable[[], Answer]) -> Answer:
        """What `ask` answers; its refusal as the command's."""
        try:
            return ask()
        except ServiceError as error:
            raise CommandError(str(error)) from error

    def say(self, used: InUse) -> None:
        names = ", ".join(used.names)
        self.stdout.write(f"Now in use: {names} (selection {used.revision}).")
