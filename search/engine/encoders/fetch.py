"""Brings the weights of a large network here, once, when somebody asks for it.

The only module of the library that opens a connection. What is fetched is whole or absent: the
file that names a folder's contents is written last.
"""

import fcntl
import hashlib
import importlib
import os
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from search.engine.encoders.openclip_files import (
    CONFIG,
    SUFFIXES,
    TEXTS,
    TOKENIZER,
    WEIGHTS,
    Source,
    hub_cached,
    hub_files,
    network_config,
    tag_config,
    tokenizer_files,
    tokenizer_name,
)
from search.engine.encoders.resnet50 import FILES, hub_folder, named_sha
from search.engine.encoders.running import not_installed
from search.engine.encoders.weights import json_read, json_write
from search.engine.errors import EncoderError

CONNECT_S = 8  # to say that there is no connection
STALL_S = 60  # without a byte
# What a tokenizer is read from, besides its pieces.
TOKENIZER_MORE = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")


def openclip_fetch(source: Source, *, given: Path | None = None) -> Path:
    """Fill the engine's folder, an empty one; its path. `given` is a file or a folder brought by
    hand instead.

    Raises EncoderError: model_unknown, pretrained_unknown, encoder_not_installed, weights_wrong,
    weights_offline.
    """
    folder = source.fetched
    if given is not None and given.is_dir():
        return _folder_copy(given, source)
    network = network_config(source.model_name)
    tag = tag_config(source.model_name, source.pretrained)
    if tag.get("quick_gelu"):
        network["quick_gelu"] = True
    folder.mkdir(parents=True, exist_ok=True)
    if given is not None:
        _place(given, folder / _weights_name(given))
    else:
        _tag_bring(tag, folder)
    if tokenizer_name(network):
        _texts_bring(network, folder / TEXTS)
    prepare = {key: tag[key] for key in ("mean", "std", "interpolation", "resize_mode")}
    config = {"model_cfg": network, "preprocess_cfg": prepare, "origin": source.origin}
    json_write(folder / CONFIG, config)
    return folder


def resnet_fetch(pretrained: str, folder: Path, *, given: Path | None = None) -> Path:
    """The file of ResNet50's weights, brought into `folder`; its path. `given` is that file, or
    the folder in which it lies."""
    name = FILES.get(pretrained)
    if name is None:
        raise EncoderError(
            "pretrained_unknown", f"There are no weights called {pretrained} for ResNet50.",
            pretrained=pretrained, model="ResNet50", known=", ".join(FILES),
        )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    if given is not None:
        return _place(_given_checked(given, name), folder / name)
    cached = hub_folder() / name
    if cached.is_file() and _is_named(cached):
        return _place(cached, folder / name)
    try:
        models = importlib.import_module("torchvision.models")
    except ImportError as error:
        raise not_installed("torchvision") from error
    return url_download(models.ResNet50_Weights[pretrained].url, folder / name, sha=named_sha(name))


def _given_checked(given: Path, name: str) -> Path:
    """torchvision's file of that name, however it is called here."""
    file = given / name if given.is_dir() else given
    if not file.is_file():
        detail = f"there is no {name}"
        raise EncoderError("weights_wrong", f"In {given} {detail}.", detail=detail)
    if not _is_named(file, name):
        detail = f"{file.name} is not torchvision's {name}"
        raise EncoderError(
            "weights_wrong",
            f"{file} is not torchvision's {name}: its SHA-256 is another. Weights of your own are "
            "named in search.yaml, as checkpoint.",
            detail=detail,
        )
    return file


def _is_named(file: Path, name: str = "") -> bool:
    """Whether the file's digest begins as its name, or the one given, says."""
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    return digest.startswith(named_sha(name or file.name))


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """An empty folder that takes this one's place after the block, or is gone when it raises.

    What was there stays in use until then: fetching anew takes minutes, and may fail. Of two
    who fetch beside each other the second waits.
    """
    real = folder.resolve()
    made, old = (real.with_name(f".{real.name}.{of}") for of in ("new", "old"))

    def tidy() -> None:
        if old.exists() and not real.exists():  # stopped between the two renames
            old.rename(real)
        for left in (made, old):
            shutil.rmtree(left, ignore_errors=True)

    real.parent.mkdir(parents=True, exist_ok=True)
    with _locked(real.parent):
        tidy()  # after a fetch that was killed
        made.mkdir()
        try:
            yield made
            if real.exists():
                real.rename(old)
            made.rename(real)
        finally:
            tidy()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


# A tag's files ----------------------------------------------------------------------------------


def _tag_bring(tag: dict[str, Any], folder: Path) -> None:
    repository, names = hub_files(tag)
    for name in names:
        if found := hub_cached(repository, name):
            _place(found, folder / _weights_name(found))
            return
    if repository:
        found = _first_of(repository, names)
        if found is None:
            raise _offline(repository, "it has none of the files " + ", ".join(names))
        _place(found, folder / _weights_name(found))
        return
    url = str(tag["url"])
    # The digest is a step of OpenAI's addresses, and the end of the names of open_clip's.
    steps = url.split("/")
    sha = next((step for step in steps if len(step) == 64), named_sha(steps[-1]))
    url_download(url, folder / _weights_name(Path(steps[-1])), sha=sha)


def _texts_bring(network: dict[str, Any], folder: Path) -> None:
    """The tokenizer, and the configuration of a text tower that is built from one."""
    wanted = [(tokenizer_name(network), [*TOKENIZER, *TOKENIZER_MORE])]
    if tower := network["text_cfg"].get("hf_model_name"):
        wanted.append((str(tower), ["config.json"]))
    folder.mkdir(parents=True, exist_ok=True)
    for repository, names in wanted:
        for name in names:
            found = hub_cached(repository, name) or _hub_download(repository, name)
            if found is not None:
                _place(found, folder / name)
    if not tokenizer_files(folder):
        raise _offline(wanted[0][0], "it has no tokenizer")


def _first_of(repository: str, names: list[str]) -> Path | None:
    return next((found for name in names if (found := _hub_download(repository, name))), None)


def _hub_download(repository: str, name: str) -> Path | None:
    """A repository's file, through the hub's own cache; None where it has no such file."""
    hub = importlib.import_module("huggingface_hub")
    constants = importlib.import_module("huggingface_hub.constants")
    if constants.HF_HUB_OFFLINE:
        raise _offline(repository, "HF_HUB_OFFLINE is set")
    reachable(constants.ENDPOINT)
    try:
        return Path(hub.hf_hub_download(repository, name, etag_timeout=CONNECT_S))
    except hub.errors.EntryNotFoundError:
        return None
    except Exception as error:
        # The hub's library raises many kinds; each means that the file did not come.
        raise _offline(repository, str(error)) from error


# Moving bytes -----------------------------------------------------------------------------------


def reachable(address: str) -> None:
    """Raise EncoderError("weights_offline") unless the server answers at once.

    In a thread of its own: looking up a name knows no time limit.
    """
    found: list[str] = []

    def ask() -> None:
        try:
            request = urllib.request.Request(address, method="HEAD")
            with urllib.request.urlopen(request, timeout=CONNECT_S):
                found.append("")
        except urllib.error.HTTPError:
            found.append("")  # it answers
        except (OSError, ValueError, HTTPException) as error:
            found.append(str(error) or type(error).__name__)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(CONNECT_S + 2)
    if not found or found[0]:
        raise _offline(address, found[0] if found else "it does not answer")


def url_download(
    url: str, path: Path, *, sha: str = "", tell: Callable[[int, int], None] | None = None
) -> Path:
    """A file from an address, checked by the beginning of its SHA-256; `tell` gets bytes, of all.

    Raises EncoderError: weights_offline, weights_changed.
    """
    reachable(url)
    digest = hashlib.sha256()
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=".part-", delete=False) as file:
        made = Path(file.name)
        try:
            with urllib.request.urlopen(url, timeout=STALL_S) as answer:
                every, done = int(answer.headers.get("Content-Length") or 0), 0
                while block := answer.read(1 << 20):
                    file.write(block)
                    digest.update(block)
                    done += len(block)
                    if tell:
                        tell(done, every)
            if every and done != every:
                raise OSError(f"{done} of {every} bytes came")
            if not digest.hexdigest().startswith(sha):
                raise EncoderError(
                    "weights_changed", f"What {url} sent is not what its name says.", file=path.name
                )
            file.flush()
            made.chmod(0o644)
            return made.replace(path)
        except (OSError, ValueError, HTTPException) as error:
            raise _offline(url, str(error)) from error
        finally:
            made.unlink(missing_ok=True)


def _place(source: Path, target: Path) -> Path:
    """The file under another name: a link where the disk allows it, else a copy."""
    real = source.resolve()
    if target.exists() and target.samefile(real):
        return target
    made = target.with_name(f".part-{target.name}")
    made.unlink(missing_ok=True)
    try:
        os.link(real, made)
    except OSError:
        shutil.copyfile(real, made)
    return made.replace(target)


def _weights_name(path: Path) -> str:
    """The name by which a folder's reader finds weights of this format."""
    if path.suffix not in SUFFIXES:
        kinds = ", ".join(SUFFIXES)
        detail = f"{path.name} is none of {kinds}"
        raise EncoderError("weights_wrong", f"{path} is none of {kinds}.", detail=detail)
    return next((name for name in WEIGHTS if Path(name).suffix == path.suffix), path.name)


def _folder_copy(given: Path, source: Source) -> Path:
    config = json_read(given / CONFIG)
    if config is None:
        raise EncoderError(
            "weights_wrong", f"{given} has no {CONFIG}.", detail=f"there is no {CONFIG}"
        )
    if config.get("origin", source.origin) != source.origin:
        detail = f"{given.name} was fetched for {config['origin']}, not for {source.origin}"
        raise EncoderError("weights_wrong", f"{detail}.", detail=detail)
    source.fetched.mkdir(parents=True, exist_ok=True)
    for path in sorted(given.rglob("*")):
        inside = path.relative_to(given)
        if path.is_file() and path.name != CONFIG and not inside.parts[0].startswith("."):
            target = source.fetched / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            _place(path, target)
    # A folder that open_clip saved names no origin; here it is this engine's.
    json_write(source.fetched / CONFIG, {**config, "origin": source.origin})
    return source.fetched


def _offline(place: str, detail: str) -> EncoderError:
    said = " ".join(detail.split())[:200]
    return EncoderError(
        "weights_offline",
        f"The weights could not be fetched from {place}: {said}. On a machine that has a "
        "connection, run manage.py engine_fetch there, bring the engine's folder here, and name "
        "it: manage.py engine_fetch NAME --from FOLDER.",
        detail=said,
    )
