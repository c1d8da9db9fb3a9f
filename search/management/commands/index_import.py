"""manage.py index_import DIR: takes back what index_export wrote, for the parts that are here."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.errors import ServiceError
from search.imports import index_import


class Command(BaseCommand):
    help = (
        "Read the vectors of a folder that index_export wrote, for the parts that are here. They "
        "must be of a space of an engine that is in use or installed here, and of every view. One "
        "that is being filled need not make what it gets so."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="with its metadata.json")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = index_import(options["folder"].absolute())
        except (ServiceError, OSError) as error:
            raise CommandError(str(error)) from error
        for one in found:
            self.stdout.write(
                f"{one.name}: {one.written} parts written, {one.same} the same, "
                f"{one.unknown} not in this catalogue"
            )
