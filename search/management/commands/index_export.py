"""manage.py index_export DIR: the vectors as plain faiss files, with JSON that names their rows."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.errors import ServiceError
from search.exports import index_export


class Command(BaseCommand):
    help = (
        "Write <engine>.index (faiss IndexFlatIP, one vector a view), <engine>_labels.json and "
        "metadata.json into a folder."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "folder", type=Path, help="new, empty, or of an earlier export, which it replaces"
        )
        parser.add_argument(
            "--engine", action="append", default=[], help="an engine's name; those in use if none"
        )
        kind = parser.add_mutually_exclusive_group()
        kind.add_argument(
            "--pooled", action="store_true", help="one vector a part, the mean of its views"
        )
        kind.add_argument(
            "--snapshot", action="store_true",
            help="the snapshot's own approximate index, where there is one",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            metadata = index_export(
                options["folder"].absolute(), names=options["engine"], pooled=options["pooled"],
                snapshot=options["snapshot"],
            )  # fmt: skip
        except (ServiceError, OSError) as error:
            raise CommandError(str(error)) from error
        for facts in metadata["indexes"].values():
            self.stdout.write(
                f"{facts['file']}: {facts['vectors']} vectors of {facts['parts']} parts, "
                f"{facts['d']} dimensions, {facts['type']}"
            )
