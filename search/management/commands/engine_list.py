"""manage.py engine_list: the engines, which are in use, and how they came to be."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from search.lifecycle import switching
from search.models import Selection

SHOWN = 10


class Command(BaseCommand):
    help = "List the engines: in use, installed, possible; and the last changes of those in use."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="as /api/engines/ answers")

    def handle(self, *args: Any, **options: Any) -> None:
        facts = switching.engine_facts()
        if options["json"]:
            import json

            self.stdout.write(json.dumps(facts, indent=2))
            return
        for of in facts:
            self.stdout.write(f"{of['name']:<20} {self.standing(of)}")
            for space in filter(None, (of["space"], of["words_space"])):
                self.stdout.write(f"{'':<20} {space}")
        for row in Selection.objects.select_related("made_by")[:SHOWN]:
            when = timezone.localtime(row.made_at)
            who = row.made_by or "-"
            self.stdout.write(
                f"#{row.revision} {when:%Y-%m-%d %H:%M} {who}: {row.names} ({row.note})"
            )
        for key in switching.keys_orphaned():
            self.stdout.write(f"No engine has the space {key}; engine_remove --orphans drops it.")

    def standing(self, of: dict[str, Any]) -> str:
        words = ["in use, the default" if of["default"] else "in use"] if of["in_use"] else []
        if installed := of["installed"]:
            words.append(
                f"{installed['state']}, {installed['done']} of {installed['total']} parts"
                if installed["state"] != "ready"
                else "installed"
            )
        elif not of["in_use"]:
            words.append("not installed")
        if of["weights_error"]:
            words.append(of["weights_error"])
        return "; ".join(words)
