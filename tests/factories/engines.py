"""Engines beside those of the configuration, made by code."""

from pathlib import Path
from typing import Any

from search import encoders
from search.lifecycle import installs
from search.models import EngineInstall
from stlcatalog.config import MiniEngine
from tests.factories.encoders import words_checkpoint


def engine_add(settings: Any, folder: Path, name: str = "other", *, seed: int = 7) -> str:
    """Describe another engine, with spaces of its own, that nobody uses yet."""
    engine_set(settings, name, words_checkpoint(folder / f"{name}{seed}", seed=seed, turned=True))
    return name


def engine_set(settings: Any, name: str, weights: Path) -> None:
    """Describe the engine by these weights."""
    held = settings.SEARCH
    named = {**held.engines, name: MiniEngine(encoder="mini", weights=str(weights))}
    use = list(held.use or held.engines)
    settings.SEARCH = held.model_copy(update={"engines": named, "use": use})
    encoders.encoders_forget()


def engine_installed(name: str) -> EngineInstall:
    """Install it where there is no part to embed."""
    row = installs.engine_install(name)
    installs.install_finish(row)
    row.refresh_from_db()
    assert row.state == "ready"
    return row
