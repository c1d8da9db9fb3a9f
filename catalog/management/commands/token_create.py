"""manage.py token_create NAME --scope read --scope write: makes an API token, prints it once."""

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from catalog.errors import ServiceError
from catalog.models import ApiToken
from catalog.services import token_create


class Command(BaseCommand):
    help = "Make an API token and print its key, which is shown only now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument(
            "--scope", action="append", choices=ApiToken.Scope.values, dest="scopes",
            help="may be given several times; read when left out",
        )  # fmt: skip
        parser.add_argument("--user", help="the person it acts for")
        parser.add_argument("--days", type=int, help="how long it lasts; for ever when left out")

    def handle(self, *args: Any, **options: Any) -> None:
        user = None
        if options["user"]:
            user = get_user_model().objects.filter(username=options["user"]).first()
            if user is None:
                raise CommandError(f"There is no user called {options['user']}.")
        days = options["days"]
        try:
            _token, key = token_create(
                name=options["name"],
                scopes=options["scopes"] or ["read"],
                user=user,
                expires_at=timezone.now() + timedelta(days=days) if days else None,
            )
        except ServiceError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(key)
