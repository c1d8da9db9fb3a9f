"""manage.py index_compact: builds snapshots of the indices."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.errors import ServiceError
from search.indices import index_compact, spaces_to_compact
from search.models import Space


class Command(BaseCommand):
    help = (
        "Build a new snapshot of each space, where rows came or faiss: in config/search.yaml "
        "changed since the newest; searches switch to it by themselves."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "spaces", nargs="*", help="keys of spaces, as /api/indices/ lists them; all if none"
        )
        parser.add_argument(
            "--missing", action="store_true", help="only spaces whose index files are gone"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        keys = options["spaces"] or list(Space.objects.values_list("key", flat=True))
        if options["missing"]:
            keys = [key for key in spaces_to_compact(missing_only=True) if key in keys]
        for key in keys:
            try:
                snapshot = index_compact(key)
            except (ServiceError, OSError) as error:
                raise CommandError(str(error)) from error
            manifest = snapshot.manifest
            self.stdout.write(
                f"{key}: {snapshot.rows} parts, {manifest['factory']}, "
                f"recall@10 {manifest['recall_at_10']}, watermark {snapshot.watermark}"
            )
