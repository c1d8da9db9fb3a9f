"""Processes side by side: killed, one is begun again; one that ends by itself ends them all."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.processes import lives, until

MANAGE = """
import sys
from stlcatalog.keeping import KeptManager
manager = KeptManager()
for name, command in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
    manager.add_process(name, command)
manager.loop()
sys.exit(manager.returncode)
"""
# Says its own number and that of a child, which outlives it and holds its output open.
PARENT = "sh -c 'sleep 1000 & echo $$ $! >> {}; wait'"


pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="asks Linux for them")


@pytest.fixture
def manage() -> Iterator[subprocess.Popen[bytes]]:
    started = []

    def begin(**commands: str) -> subprocess.Popen[bytes]:
        arguments = [word for pair in commands.items() for word in pair]
        started.append(subprocess.Popen([sys.executable, "-c", MANAGE, *arguments]))
        return started[-1]

    yield begin
    for process in started:
        process.kill()


def said(file: Path) -> list[list[int]]:
    lines = file.read_text().splitlines() if file.exists() else []
    return [[int(pid) for pid in line.split()] for line in lines]


def test_one_that_is_killed_is_begun_again_without_its_remains(manage, tmp_path) -> None:
    file = tmp_path / "said"
    manager = manage(worker=PARENT.format(file), web="sleep 1000")
    until(lambda: len(said(file)) == 1)
    [killed, left] = said(file)[0]
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(said(file)) == 2)
    assert not lives(left)
    assert manager.poll() is None
    manager.terminate()
    assert manager.wait(10) == 128 + signal.SIGTERM
    assert not any(map(lives, said(file)[1]))


def test_one_that_ends_by_itself_ends_the_others_with_its_code(manage, tmp_path) -> None:
    file = tmp_path / "said"
    manager = manage(web="sh -c 'sleep 1; exit 3'", worker=PARENT.format(file))
    assert manager.wait(20) == 3
    assert not any(map(lives, said(file)[0]))


def test_asked_to_stop_while_it_rests_it_begins_no_other(manage, tmp_path) -> None:
    file = tmp_path / "said"
    manager = manage(worker=PARENT.format(file))
    until(lambda: len(said(file)) == 1)
    os.kill(said(file)[0][0], signal.SIGKILL)
    until(lambda: not lives(said(file)[0][1]))
    manager.terminate()
    manager.wait(10)
    assert len(said(file)) == 1
