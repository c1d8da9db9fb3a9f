"""manage.py engine_retire NAME: answers no more queries by an engine, and keeps its vectors."""

from typing import Any

from django.core.management.base import CommandParser

from search.lifecycle import switching
from search.management.commands._engine_command import EngineCommand


class Command(EngineCommand):
    help = "Take an engine out of use. Its vectors are kept whole, to be switched back to."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        self.say(self.asked(lambda: switching.engine_retire(options["name"])))
