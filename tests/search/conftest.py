"""Engines that tests of search install, by catalogues whose vectors are written by hand."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from search import encoders
from search.models import EngineInstall
from tests.factories.engines import engine_add, engine_installed


@pytest.fixture
def other(settings: Any, tmp_path: Path) -> Iterator[str]:
    """An engine that is described and not installed."""
    yield engine_add(settings, tmp_path)
    encoders.encoders_forget()


@pytest.fixture
def installed(settings: Any, tmp_path: Path) -> Iterator[Callable[[str], EngineInstall]]:
    """Describes another engine, and installs it in a catalogue without parts."""

    def make(name: str = "other") -> EngineInstall:
        seed = sum(name.encode())
        return engine_installed(engine_add(settings, tmp_path, name, seed=seed))

    yield make
    encoders.encoders_forget()
