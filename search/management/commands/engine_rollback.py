"""manage.py engine_rollback: uses the engines again that were in use before."""

from typing import Any

from django.core.management.base import CommandParser

from search.lifecycle import switching
from search.management.commands._engine_command import EngineCommand


class Command(EngineCommand):
    help = "Go back to the selection of engines before the newest; engine_list shows them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", type=int, metavar="NUMBER", help="of an older selection")
        parser.add_argument("--force", action="store_true", help="even if parts lack vectors")

    def handle(self, *args: Any, **options: Any) -> None:
        self.say(
            self.asked(lambda: switching.engine_rollback(to=options["to"], force=options["force"]))
        )
