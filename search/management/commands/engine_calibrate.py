"""manage.py engine_calibrate: measures what a large engine's similarities are worth here."""

from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand, CommandParser

from catalog.errors import ServiceError
from search.calibrate import engine_calibrate
from search.engine.errors import EngineError
from search.engines import encoder_error


class Command(BaseCommand):
    help = (
        "Ask for parts that have this engine's vectors by their own views and names, and keep how "
        "often the first hit was right at each similarity: what the bar of a hit shows."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("engine", help="its name in search.yaml")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["engine"]
        if name not in settings.SEARCH.engines:
            known = ", ".join(settings.SEARCH.engines)
            raise CommandError(f"There is no engine {name}; search.yaml has: {known}.")
        try:
            fitted = engine_calibrate(name)
        except (EngineError, ServiceError, OSError, MemoryError) as error:
            raise CommandError(str(encoder_error(error) or error)) from error
        for kind, curve in fitted.items():
            half = -curve.offset / curve.slope if curve.slope else 0.0
            self.stdout.write(f"{kind}: half of the first hits are right at {half:.3f}")
