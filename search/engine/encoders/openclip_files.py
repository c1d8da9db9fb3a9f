"""Finds the files of an open_clip network on this machine, and what they say of themselves.

Nothing here reaches the network or builds one: a folder that `manage.py engine_fetch` filled is
understood without torch, so that a process which never encodes can still name the space.
"""

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.engine.encoders.preprocessing import Preprocessing
from search.engine.encoders.running import not_installed
from search.engine.encoders.space import Space, weights_sha
from search.engine.encoders.weights import file_sha, json_read, json_sha
from search.engine.errors import EncoderError

CONFIG = "open_clip_config.json"
TEXTS = "text"  # the folder in a fetched one that holds the tokenizer's files
# In the order in which open_clip itself would choose.
WEIGHTS = (
    "open_clip_model.safetensors", "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin", "open_clip_pytorch_model.pt", "model.safetensors",
    "pytorch_model.bin",
)  # fmt: skip
D_MOST = 65536  # of what open_clip builds, none has more than 2048
SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")
TOKENIZER = ("tokenizer.json", "sentencepiece.bpe.model", "tokenizer.model", "vocab.txt")
# How a text is prepared before the tokenizer; told to the space.
TEXT_RECIPE = "texts simplified"


@dataclass(frozen=True)
class Source:
    """What the configuration says: a built-in network's name and a tag of its weights, or where
    a checkpoint lies; and where this installation keeps what it fetched."""

    name: str  # the engine's, for what is said to people
    fetched: Path  # the folder that engine_fetch fills for this engine
    notes: Path  # a folder for digests
    model_name: str = ""
    pretrained: str = ""
    checkpoint: Path | None = None

    @property
    def origin(self) -> dict[str, str]:
        """What a fetched folder was filled for; another origin's folder is not this engine's."""
        return {"model_name": self.model_name, "pretrained": self.pretrained}


@dataclass(frozen=True)
class Checkpoint:
    """All that building the network takes, and the name of the space that it makes."""

    weights: Path
    sha: str
    network: Mapping[str, Any]  # open_clip's model_cfg, its quick_gelu settled
    preprocessing: Preprocessing
    texts: Path | None  # a folder with the tokenizer and the text tower's config, if not built in
    space: Space


def open_clip_import() -> Any:
    """The library. Raises EncoderError("encoder_not_installed")."""
    try:
        importlib.import_module("torch")
        return importlib.import_module("open_clip")
    except ImportError as error:
        raise not_installed("open_clip") from error


def checkpoint_find(source: Source) -> Checkpoint:
    """The network's files: the configured checkpoint, else what was fetched, else the hub's cache.

    Raises EncoderError: weights_not_found, model_unknown, pretrained_unknown, weights_wrong,
    weights_missing, encoder_not_installed.
    """
    if source.checkpoint:
        if source.checkpoint.is_dir():
            return _of_folder(source.checkpoint, source)
        if source.checkpoint.is_file():
            return _of_file(source.checkpoint, source)
        raise _not_found(source, [str(source.checkpoint)])
    held = json_read(source.fetched / CONFIG)
    if held and held.get("origin") == source.origin:
        return _of_folder(source.fetched, source)
    # Both of these are mistakes of the configuration, to be told before a search for files.
    network_config(source.model_name)
    tag_config(source.model_name, source.pretrained)
    looked = [str(source.fetched)]
    for place in hub_places(source):
        if place.is_file():
            return _of_file(place, source)
        looked.append(str(place))
    raise _not_found(source, looked)


# What open_clip knows ----------------------------------------------------------------------------


def network_config(model_name: str) -> dict[str, Any]:
    """The built-in network of that name, read without importing the library."""
    try:
        spec = importlib.util.find_spec("open_clip")
    except ImportError:
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise not_installed("open_clip")
    folder = Path(spec.submodule_search_locations[0]) / "model_configs"
    found = json_read(folder / f"{Path(model_name).name}.json")
    if found is None:
        raise EncoderError(
            "model_unknown", f"open_clip knows no network called {model_name}.", model=model_name
        )
    return found


def tag_config(model_name: str, pretrained: str) -> dict[str, Any]:
    """Where the tag's weights come from, and how their pictures are prepared."""
    open_clip_import()
    tags = importlib.import_module("open_clip.pretrained")
    found = tags.get_pretrained_cfg(model_name, pretrained)
    if not found:
        known = ", ".join(tags.list_pretrained_tags_by_model(model_name)) or "none"
        raise EncoderError(
            "pretrained_unknown",
            f"There are no weights called {pretrained} for {model_name}; there are: {known}.",
            pretrained=pretrained, model=model_name, known=known,
        )  # fmt: skip
    return dict(found)


def hub_files(config: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The hub's repository of a tag and the names its weights may have there; "" without."""
    if not config.get("hf_hub"):
        return "", []
    repository, _, name = config["hf_hub"].rpartition("/")
    return repository, [name] if name else [WEIGHTS[0], WEIGHTS[2]]


def hub_places(source: Source) -> list[Path]:
    """Where the tag's weights lie when the hub's own tools have brought them here before."""
    config = tag_config(source.model_name, source.pretrained)
    places = []
    repository, names = hub_files(config)
    for name in names:
        found = hub_cached(repository, name)
        places.append(found or hub_cache() / f"models--{repository.replace('/', '--')}" / name)
    if url := config.get("url"):
        places.append(Path.home() / ".cache" / "clip" / str(url).rsplit("/", 1)[-1])
    return places


def hub_cache() -> Path:
    return Path(importlib.import_module("huggingface_hub.constants").HF_HUB_CACHE)


def hub_cached(repository: str, name: str) -> Path | None:
    """A repository's file in the hub's cache on this machine; never a request."""
    try:
        hub = importlib.import_module("huggingface_hub")
    except ImportError:
        return None
    try:
        found = hub.try_to_load_from_cache(repository, name)
    except ValueError:  # what a folder's configuration calls a repository may be anything
        return None
    return Path(found) if isinstance(found, str) else None


# What lies on disk -------------------------------------------------------------------------------


def _of_folder(folder: Path, source: Source) -> Checkpoint:
    """As open_clip saves for the hub: its configuration, the weights, the tokenizer's files."""
    config = json_read(folder / CONFIG)
    prepare = (config or {}).get("preprocess_cfg") or {}
    if config is None or not isinstance(config.get("model_cfg"), dict):
        raise _wrong(f"{folder / CONFIG} cannot be read or names no model_cfg")
    if not isinstance(prepare, dict):
        raise _wrong(f"the preprocess_cfg of {folder / CONFIG} is no object")
    files = [folder / name for name in WEIGHTS if (folder / name).is_file()]
    files += sorted(path for path in folder.glob("*") if path.suffix in SUFFIXES)
    if not files:
        raise _not_found(source, [str(folder / WEIGHTS[0])])
    network = config["model_cfg"]
    texts = None
    if tokenizer_name(network):
        places = [folder / TEXTS, folder]
        texts = next((place for place in places if tokenizer_files(place)), None)
        texts = texts or _texts_cached(network, source)
    return _made(files[0], network, prepare, texts, source)


def _of_file(path: Path, source: Source) -> Checkpoint:
    """Weights alone: the network is the built-in one, and the tag tells how they were trained."""
    network = network_config(source.model_name)
    tag = tag_config(source.model_name, source.pretrained) if source.pretrained else {}
    # The weights of one activation run in the other without a complaint, and find little.
    if tag.get("quick_gelu"):
        network["quick_gelu"] = True
    texts = _texts_cached(network, source) if tokenizer_name(network) else None
    return _made(path, network, tag, texts, source)


def _made(
    weights: Path,
    network: dict[str, Any],
    prepare: Mapping[str, Any],
    texts: Path | None,
    source: Source,
) -> Checkpoint:
    try:
        size = network["vision_cfg"].get("image_size", 224)
        d = int(network["embed_dim"])
        network["text_cfg"].get("width")  # a network of pictures alone is not one of these
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise _wrong(f"its configuration is wrong at {error}") from error
    if not 1 <= d <= D_MOST:
        raise _wrong(f"its configuration says no dimensions, or more than {D_MOST}")
    preprocessing = Preprocessing.read(prepare, size=size)
    sha = file_sha(weights, notes=source.notes)
    checksums = {"weights": sha, "network": json_sha(network)}
    if texts is not None:
        checksums |= {
            path.name: file_sha(path, notes=source.notes) for path in tokenizer_files(texts)
        }
    name = f"{preprocessing.name}; {TEXT_RECIPE}"
    space = Space("openclip", weights_sha(checksums), name, d)
    return Checkpoint(weights, sha, network, preprocessing, texts, space)


def tokenizer_name(network: Mapping[str, Any]) -> str:
    """The hub's name of the tokenizer; "" where open_clip's own, which is built in, is used."""
    text = network.get("text_cfg")
    return str(text.get("hf_tokenizer_name") or "") if isinstance(text, dict) else ""


def tokenizer_files(folder: Path) -> list[Path]:
    """The first of the files that hold a tokenizer's pieces; none in a folder without one."""
    return [folder / name for name in TOKENIZER if (folder / name).is_file()][:1]


def _texts_cached(network: Mapping[str, Any], source: Source) -> Path:
    """The tokenizer's folder in the hub's cache."""
    repository = tokenizer_name(network)
    for name in TOKENIZER:
        if found := hub_cached(repository, name):
            return found.parent
    raise _not_found(source, [f"the tokenizer {repository} in the hub's cache"])


def _not_found(source: Source, looked: list[str]) -> EncoderError:
    places = "; ".join(looked)
    return EncoderError(
        "weights_not_found",
        f"The weights of {source.name} ({source.model_name or 'a checkpoint'} "
        f"{source.pretrained}) are not on this machine. Looked at: {places}. "
        f"Where there is a connection: manage.py engine_fetch {source.name}. Elsewhere: run that "
        f"on another machine and copy its folder to {source.fetched}, or name a file as "
        "checkpoint.",
        engine=source.name,
    )


def _wrong(detail: str) -> EncoderError:
    return EncoderError("weights_wrong", f"These weights cannot be used: {detail}.", detail=detail)
