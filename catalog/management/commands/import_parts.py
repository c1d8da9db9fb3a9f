"""manage.py import_parts PATH: brings in a folder or a zip of mesh files."""

import time
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from catalog import importing
from catalog.errors import ServiceError
from catalog.selectors import catalogue_counts


class Command(BaseCommand):
    help = "Import every mesh file under a folder or in a zip; may be run again after a break."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument(
            "--category-from-folder", action="store_true",
            help="file each part under a category named as the folder it lies in",
        )  # fmt: skip
        parser.add_argument("--jobs", type=int, default=2, help="files taken at a time")
        parser.add_argument("--report", type=Path, help="write a result for each file (CSV)")
        parser.add_argument("--wait", action="store_true", help="until the workers are done")

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["path"]
        if not path.exists():
            raise CommandError(f"There is nothing at {path}.")
        try:
            with importing.source_open(path) as source:
                results = self.run(source, options)
        except ServiceError as error:
            raise CommandError(str(error)) from error
        if options["report"]:
            importing.report_write(options["report"], results)
        states = Counter(result.state for result in results)
        for result in results:
            if result.state == "failed":
                self.stderr.write(f"{result.file}: {result.reason}")
        self.stdout.write(
            f"{len(results)} files: {states['new']} new, {states['here already']} here already, "
            f"{states['failed']} failed."
        )
        if options["wait"]:
            self.wait()

    def run(self, source: importing.Source, options: dict[str, Any]) -> list[importing.Result]:
        found = importing.parts_import(
            source, category_from_folder=options["category_from_folder"], jobs=options["jobs"]
        )
        bar = tqdm(found, total=len(source.names), unit="file", disable=None, file=self.stderr)
        return list(bar)

    def wait(self) -> None:
        """Show how many parts the workers still have before them, until there are none."""
        left = catalogue_counts().working
        with tqdm(total=left, unit="part", disable=None, file=self.stderr) as bar:
            while left:
                time.sleep(0.5)
                now = catalogue_counts().working
                bar.update(left - now)
                left = now
