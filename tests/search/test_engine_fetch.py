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
def test_a_folder_that_holds_no_weights(weights, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CommandError, match=r"open_clip_config\.json"):
        call_command("engine_fetch", "clip", given=tmp_path / "empty")
    assert not (weights / "clip" / "open_clip_config.json").exists()


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
