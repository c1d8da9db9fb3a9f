"""manage.py engine_install NAME: makes an engine's vectors for every part, beside those in use."""

import time
from typing import Any

from django.core.management.base import CommandError, CommandParser

from search.lifecycle import installs
from search.management.commands._engine_command import EngineCommand
from search.models import EngineInstall
from workers.filling import Progress, fill

State = EngineInstall.State


class Command(EngineCommand):
    help = (
        "Install an engine: workers embed every part by it while searches go on as they were. "
        "Said again, it goes on with one that was paused, failed, or has other weights by now. "
        "engine_list tells how far it is, engine_activate puts it to use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--wait", action="store_true", help="embed here, until it is done")
        what.add_argument("--pause", action="store_true", help="let the workers rest")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        if options["pause"]:
            row = self.asked(lambda: installs.install_get(name))
            self.asked(lambda: installs.install_pause(row))
            self.stdout.write(f"{name} is paused at {row.done} of {row.total} parts.")
            return
        row = self.asked(lambda: installs.engine_install(name))
        if not options["wait"]:
            self.stdout.write(f"{name} is {row.get_state_display()}: {row.total} parts.")
            return
        self.wait(row)

    def wait(self, row: EngineInstall) -> None:
        """Beside the workers, if there are any: each takes its own parts."""
        while row.state in {State.FILLING, State.FINISHING}:
            progress = Progress(row, seconds=10)
            fill(row, progress)
            row.refresh_from_db()
            left = row.seconds_left
            self.stdout.write(
                f"{row.done} of {row.total} parts"
                + (f", {row.rate:.1f} a second, {left:.0f} s left" if left else "")
            )
            if not progress.embedded:
                time.sleep(1)  # another process finishes it
            if progress.stuck:
                raise CommandError("Some parts could not be embedded now; the workers try again.")
        if row.state != State.READY:
            raise CommandError(row.error or f"{row.engine} is {row.get_state_display()}.")
        self.stdout.write(f"{row.engine} is ready; {row.missing} parts cannot be found by it.")
