"""Weights are brought once, checked and named; without a connection that is said at once."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command

from search import encoders
from search.engine.encoders import fetch
from search.engine.errors import EncoderError
from stlcatalog.config import OpenClipEngine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATA = b"weights " * 5000


class Server(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:  # noqa: N802  http.server's name
        self.send_response(200)
        self.end_headers()

    def do_GET(self) -> None:  # noqa: N802
        self.send_response(200)
        self.send_header("Content-Length", str(len(DATA)))
        self.end_headers()
        self.wfile.write(DATA[: len(DATA) // 2] if "short" in self.path else DATA)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def nowhere() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def weights(settings, tmp_path) -> Iterator[Path]:
    settings.WEIGHTS = tmp_path / "weights"
    encoders.encoders_forget()
    yield settings.WEIGHTS
    encoders.encoders_forget()


def refusal(call: Any) -> EncoderError:
    with pytest.raises(EncoderError) as caught:
        call()
    return caught.value


def test_a_file_comes_whole_or_not_at_all(address, tmp_path) -> None:
    sha = hashlib.sha256(DATA).hexdigest()
    told = []
    path = tmp_path / "a" / "weights.pth"
    fetch.url_download(f"{address}/w", path, sha=sha[:8], tell=lambda *of: told.append(of))
    assert path.read_bytes() == DATA
    assert told[-1] == (len(DATA), len(DATA))
    error = refusal(lambda: fetch.url_download(f"{address}/w", tmp_path / "b", sha="0000"))
    assert error.code == "weights_changed"
    error = refusal(lambda: fetch.url_download(f"{address}/short", tmp_path / "c"))
    assert error.code == "weights_offline"
    assert {file.name for file in tmp_path.rglob("*") if file.is_file()} == {"weights.pth"}


def test_no_connection_is_said_at_once(nowhere, tmp_path, monkeypatch) -> None:
    start = time.monotonic()
    error = refusal(lambda: fetch.url_download(f"{nowhere}/w", tmp_path / "w"))
    assert error.code == "weights_offline"
    assert "--from FOLDER" in str(error)
    # A server that takes the call and says nothing.
    monkeypatch.setattr(fetch, "CONNECT_S", 0.5)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        error = refusal(lambda: fetch.reachable(f"http://127.0.0.1:{silent.getsockname()[1]}"))
    assert error.code == "weights_offline"
    assert time.monotonic() - start < 10


def test_what_cannot_be_fetched(weights) -> None:
    with pytest.raises(CommandError, match="mini, shape"):
        call_command("engine_fetch", "clup")
    with pytest.raises(CommandError, match="no weights to fetch"):
        call_command("engine_fetch", "mini")
    with pytest.raises(CommandError, match="nothing at"):
        call_command("engine_fetch", "clip", "--from", "/no/such/file")


def test_a_fetch_that_is_stopped_leaves_nothing(address, tmp_path) -> None:
    def stop(_done: int, _of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch.url_download(f"{address}/w", tmp_path / "w", tell=stop)
    assert list(tmp_path.iterdir()) == []


def test_what_was_there_stays_until_the_new_is_whole(tmp_path) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    (folder / "old").touch()
    killed = tmp_path / ".clip.new"  # what a process that was killed left
    killed.mkdir()
    (killed / "half").touch()
    with pytest.raises(OSError, match="full"), fetch.staged(folder) as made:
        assert list(made.iterdir()) == []
        assert (folder / "old").exists()
        raise OSError("the disk is full")
    assert [path.name for path in tmp_path.rglob("*")] == ["clip", "old"]
    with fetch.staged(folder) as made:
        (made / "new").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["clip", "new"]


def test_stopped_in_the_middle_of_the_change(tmp_path) -> None:
    folder = tmp_path / "clip"
    (folder / "old").mkdir(parents=True)
    with pytest.raises(FileNotFoundError), fetch.staged(folder) as made:
        made.rmdir()
    assert [path.name for path in tmp_path.rglob("*")] == ["clip", "old"]
    folder.rename(tmp_path / ".clip.old")  # as a process that was killed leaves it
    with pytest.raises(ValueError, match="x"), fetch.staged(folder):
        raise ValueError("x")
    assert [path.name for path in tmp_path.rglob("*")] == ["clip", "old"]


def test_of_two_who_fetch_one_engine_the_second_waits(tmp_path) -> None:
    folder = tmp_path / "clip"
    came = []

    def second() -> None:
        with fetch.staged(folder) as made:
            came.append((folder / "weights").read_text())
            (made / "weights").write_text("second")

    with fetch.staged(folder) as made:
        other = threading.Thread(target=second)
        other.start()
        other.join(0.3)
        assert other.is_alive()
        (made / "weights").write_text("first")
    other.join(10)
    assert came == ["first"]
    assert (folder / "weights").read_text() == "second"


def test_a_folder_that_is_a_link_stays_one(tmp_path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "clip").symlink_to(tmp_path / "disk")
    with fetch.staged(tmp_path / "clip") as made:
        (made / "new").touch()
    assert (tmp_path / "clip").is_symlink()
    assert (tmp_path / "disk" / "new").exists()


def test_resnets_file_is_torchvisions_or_a_checkpoint(weights, tmp_path) -> None:
    name = "resnet50-0676ba61.pth"
    (weights / "resnet50").mkdir(parents=True)
    (weights / "resnet50" / name).write_bytes(b"what was there")
    (tmp_path / "own.pth").write_bytes(DATA)
    with pytest.raises(CommandError, match="as checkpoint"):
        call_command("engine_fetch", "resnet50", given=tmp_path / "own.pth")
    folder = tmp_path / "brought"
    folder.mkdir()
    with pytest.raises(CommandError, match=f"there is no {name}"):
        call_command("engine_fetch", "resnet50", given=folder)
    (folder / name).write_bytes(DATA)
    with pytest.raises(CommandError, match="SHA-256 is another"):
        call_command("engine_fetch", "resnet50", given=folder)
    assert (weights / "resnet50" / name).read_bytes() == b"what was there"


def test_a_damaged_copy_in_torchs_cache_is_not_taken(tmp_path, monkeypatch, nowhere) -> None:
    """It is downloaded anew; here, that is to say, it is tried."""
    pytest.importorskip("torchvision")
    from torchvision.models import ResNet50_Weights

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    cache = tmp_path / "torch" / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    (cache / "resnet50-0676ba61.pth").write_bytes(DATA)
    monkeypatch.setattr(ResNet50_Weights.IMAGENET1K_V1.value, "url", f"{nowhere}/w", raising=False)
    error = refusal(lambda: fetch.resnet_fetch("IMAGENET1K_V1", tmp_path / "f"))
    assert error.code == "weights_offline"


def test_from_beside_a_checkpoint(weights, settings, tmp_path) -> None:
    """It would bring weights that nothing reads."""
    ours = OpenClipEngine(encoder="openclip", checkpoint="own.pt")
    engines = {**settings.SEARCH.engines, "clip": ours}
    settings.SEARCH = settings.SEARCH.model_copy(update={"engines": engines})
    with pytest.raises(CommandError, match="checkpoint for clip"):
        call_command("engine_fetch", "clip", given=tmp_path)


def test_only_large_engines_are_calibrated() -> None:
    with pytest.raises(CommandError, match="mini, shape"):
        call_command("engine_calibrate", "clup")
    for name in ("mini", "shape"):
        with pytest.raises(CommandError, match=f"“{name}” is not one"):
            call_command("engine_calibrate", name)


# With the libraries -----------------------------------------------------------------------------


@pytest.mark.clip
def test_a_folder_brought_by_hand(weights, tmp_path, capsys) -> None:
    from tests.factories.networks import clip_folder

    call_command("engine_fetch", "clip", given=clip_folder(tmp_path / "brought"))
    said = capsys.readouterr().out
    assert encoders.space("clip").key in said
    assert "pictures of 64 pixels" in said
    assert encoders.space("clip").d == 32
    assert encoders.encoder("clip").weights.sha in said
    # It stays when what was brought goes.
    for file in (tmp_path / "brought").glob("*"):
        file.unlink()
    encoders.encoders_forget()
    assert encoders.word_encoder("clip").texts_embed(["ring"]).shape == (1, 32)


@pytest.mark.clip
def test_weights_replace_those_that_were_there(weights, tmp_path, capsys) -> None:
    """Also where their file is called otherwise, and only if they can be used."""
    from tests.factories.networks import clip_folder

    call_command("engine_fetch", "clip", given=clip_folder(tmp_path / "first"))
    first = encoders.space("clip")
    assert {file.stat().st_mode & 0o444 for file in (weights / "clip").glob("*.json")} == {0o444}
    call_command("engine_fetch", "clip", given=clip_folder(tmp_path / "b", kind="pt", seed=3))
    second = encoders.space("clip")
    assert second != first
    assert second.key in capsys.readouterr().out
    (tmp_path / "bad.pt").write_bytes(b"junk")
    (tmp_path / "bad.txt").write_bytes(b"junk")
    (tmp_path / "empty").mkdir()
    clip_folder(tmp_path / "cut")
    file = tmp_path / "cut" / "open_clip_model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    for given, said in {
        "bad.pt": r"open_clip_pytorch_model\.pt cannot be used",
        "bad.txt": "none of .safetensors",
        "empty": r"open_clip_config\.json",
        "cut": "cannot be used",
    }.items():
        with pytest.raises(CommandError, match=said):
            call_command("engine_fetch", "clip", given=tmp_path / given)
    # Fetched for the engine clip, it is not another's.
    with pytest.raises(CommandError, match="not for"):
        call_command("engine_fetch", "clip-large", given=weights / "clip")
    encoders.encoders_forget()
    assert encoders.space("clip") == second
    left = {path.name for path in weights.iterdir() if path.name not in {".notes", ".spaces"}}
    assert left == {"clip"}


@pytest.mark.clip
def test_a_disk_that_takes_nothing(weights, tmp_path) -> None:
    from tests.factories.networks import clip_folder

    weights.parent.mkdir(parents=True, exist_ok=True)
    weights.write_text("a file where the folder should be")
    with pytest.raises(CommandError, match="Not a directory|File exists"):
        call_command("engine_fetch", "clip", given=clip_folder(tmp_path / "brought"))


@pytest.mark.clip
def test_a_folder_that_holds_no_weights(weights, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CommandError, match=r"open_clip_config\.json"):
        call_command("engine_fetch", "clip", given=tmp_path / "empty")
    assert not (weights / "clip").exists()


@pytest.mark.clip
def test_from_the_hubs_cache_without_a_connection(weights, tmp_path, monkeypatch, nowhere) -> None:
    """What the hub's own tools brought is linked, and described as when it lay there."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "ENDPOINT", nowhere)
    source = encoders.source("clip")
    start = time.monotonic()
    error = refusal(lambda: fetch.openclip_fetch(source))
    assert error.code == "weights_offline"
    assert time.monotonic() - start < 15
    repository = tmp_path / "hub" / "models--timm--vit_base_patch32_clip_224.openai"
    snapshot = repository / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("a" * 40)
    (snapshot / "open_clip_model.safetensors").write_bytes(DATA)
    there = encoders.space("clip")
    assert fetch.openclip_fetch(source) == weights / "clip"
    encoders.encoders_forget()
    assert encoders.encoder("clip").weights.path.parent == weights / "clip"
    assert encoders.space("clip") == there
    assert "quick" in (weights / "clip" / "open_clip_config.json").read_text(encoding="utf-8")
    # A folder filled for other weights is not this engine's.
    other = encoders.source("clip-large")
    (weights / "clip-large").mkdir()
    for file in (weights / "clip").iterdir():
        (weights / "clip-large" / file.name).write_bytes(file.read_bytes())
    assert other.origin != source.origin
    with pytest.raises(Exception, match="clip-large"):
        encoders.space("clip-large")


@pytest.mark.clip
def test_resnet_from_torchs_cache(weights, tmp_path, monkeypatch, capsys) -> None:
    from search.engine.encoders import resnet50
    from tests.factories.networks import resnet_file

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    cache = tmp_path / "torch" / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    made = resnet_file(cache / "made.pth")
    name = f"resnet50-{hashlib.sha256(made.read_bytes()).hexdigest()[:8]}.pth"
    made.rename(cache / name)
    for of in (resnet50.FILES, fetch.FILES):
        monkeypatch.setitem(of, "IMAGENET1K_V1", name)
    call_command("engine_fetch", "resnet50")
    assert (weights / "resnet50" / name).is_file()
    assert "2048 dimensions, pictures of 224 pixels" in capsys.readouterr().out
