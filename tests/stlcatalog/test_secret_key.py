"""The key of sessions: made once, whole for everyone who starts at the same moment."""

import multiprocessing
import stat
from pathlib import Path

from stlcatalog.environment import secret_key


def test_it_is_made_once_for_its_owner_alone(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("STLCATALOG_SECRET_KEY", raising=False)
    path = tmp_path / "secret_key"
    first = secret_key(path)
    assert len(first) >= 50
    assert secret_key(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secret_key"]


def test_the_environments_comes_first(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("STLCATALOG_SECRET_KEY", "of the environment")
    assert secret_key(tmp_path / "secret_key") == "of the environment"
    assert not list(tmp_path.iterdir())


def test_processes_that_start_at_once_have_the_same(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("STLCATALOG_SECRET_KEY", raising=False)
    with multiprocessing.get_context("fork").Pool(4) as pool:
        for turn in range(20):
            keys = pool.map(secret_key, [tmp_path / str(turn)] * 8, chunksize=1)
            assert len(set(keys)) == 1
            assert len(keys[0]) >= 50
