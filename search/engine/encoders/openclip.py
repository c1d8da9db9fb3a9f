"""Any network that open_clip can build: pictures and words meet in one space.

Its weights come from a tag of the hub, fetched beforehand, or from a local checkpoint. Nothing is
downloaded here. Radford et al., "Learning transferable visual models from natural language
supervision", 2021; Cherti et al., "Reproducible scaling laws for contrastive language-image
learning", 2023.
"""

import copy
import importlib
import zipfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from search.engine.encoders.layers import unit
from search.engine.encoders.network import NetworkEncoder, built, freed
from search.engine.encoders.openclip_files import (
    Checkpoint,
    Source,
    checkpoint_find,
    open_clip_import,
    tokenizer_name,
)
from search.engine.encoders.resident import Resident
from search.engine.encoders.running import Float, Wanted
from search.engine.encoders.weights import Weights, json_read
from search.engine.errors import EncoderError
from search.engine.text.fold import simplify

if TYPE_CHECKING:
    from search.engine.encoders.towers import Sides

# Texts by which ways of running are compared.
PROBES = ("a ring", "gear with 24 teeth", "六角螺栓", "a long bracket with four holes and a rib")
Tokenize = Callable[[list[str]], NDArray[np.int64]]
Visual = tuple[Any, Callable[[NDArray[np.uint8]], Any]]


class OpenClipEncoder(NetworkEncoder):
    """Describes itself at once from the files; loads at the first picture or text.

    Raises EncoderError: those of `checkpoint_find` at once; encoder_not_installed, weights_wrong,
    weights_changed, device_missing when it loads.
    """

    def __init__(
        self,
        source: Source,
        *,
        folder: Path,
        wanted: Wanted | None = None,
        batch: int = 32,
        threads: int = 1,
        idle_s: float = 0,
    ) -> None:
        held = checkpoint_find(source)
        self._checkpoint = held
        super().__init__(
            space=held.space,
            weights=Weights(held.weights, held.sha, source.notes),
            preprocessing=held.preprocessing,
            folder=folder,
            wanted=wanted or Wanted(),
            batch=batch,
            threads=threads,
            idle_s=idle_s,
        )
        self.words_space = self.space
        self._tokenizer: list[Tokenize] = []  # filled when the network is loaded
        self._visual: Resident[Visual] = Resident(self._visual_load, idle_s=idle_s, freed=freed)

    def pictures_embed(self, pictures: NDArray[np.uint8]) -> Float:
        """(n, size, size, 3) uint8 RGB on a white ground -> (n, d) float32, L2-normalised."""
        return unit(self._look(pictures))

    def pictures_embed_both(self, pictures: NDArray[np.uint8]) -> tuple[Float, Float]:
        """As pictures_embed, twice: the words' space is the pictures' own."""
        found = self.pictures_embed(pictures)
        return found, found

    def texts_embed(self, texts: Sequence[str]) -> Float:
        """Texts -> (n, d) float32, L2-normalised. What is longer than the network reads is cut."""
        with self._running.use() as running:
            tokenize = self._tokenizer[0]
            tokens = tokenize([simplify(text) for text in texts] or [""])
            found = self._batches(tokens, lambda rows: running.texts(rows, threads=self._threads))
        return unit(found[: len(texts)])

    def _tokens(self) -> NDArray[np.int64]:
        self._ready()
        return self._tokenizer[0](list(PROBES))

    def _ready(self) -> None:
        super()._ready()
        if not self._tokenizer:
            held, library = self._checkpoint, open_clip_import()
            made = built(lambda: _tokenize_with(library, held), f"The tokenizer of {held.weights}")
            self._tokenizer.append(made)

    def unload(self) -> bool:
        return all([self._visual.unload(), super().unload()])

    def visual_use(self) -> AbstractContextManager[Visual]:
        """What looks, in fp32 on the CPU and open to gradients, and what makes (n, size, size, 3)
        uint8 into its input: for explanations. A copy of the network of its own, in memory while
        the block lasts and until it is idle."""
        return self._visual.use()

    def _visual_load(self) -> Visual:
        sides = self._sides()
        torch = importlib.import_module("torch")
        mean, std = (
            torch.tensor(of, dtype=torch.float32).view(1, 3, 1, 1) * 255
            for of in (self._preprocessing.mean, self._preprocessing.std)
        )

        def prepare(pictures: NDArray[np.uint8]) -> Any:
            return (torch.as_tensor(pictures).permute(0, 3, 1, 2).float() - mean) / std

        return sides.network.visual.eval().requires_grad_(False), prepare

    def _sides(self) -> "Sides":
        self._ready()
        held = self._checkpoint
        return built(lambda: _network(open_clip_import(), held), str(held.weights))


def _network(open_clip: Any, held: Checkpoint) -> "Sides":
    """open_clip's classes and its loader, without its search for names and downloads."""
    from search.engine.encoders.towers import Sides

    if is_torchscript(held.weights):
        # OpenAI's own archives hold a traced program; only its weights are taken.
        network = open_clip.load_openai_model(str(held.weights), precision="fp32", device="cpu")
        return Sides(network, network.encode_image, network.encode_text)
    config = copy.deepcopy(dict(held.network))
    vision, text = config["vision_cfg"], config["text_cfg"]
    if timm := vision.get("timm_model_name"):
        vision["timm_model_pretrained"] = False
        if ":" in str(timm):
            raise ValueError(f"timm would look for {timm} elsewhere")
    custom = config.pop("custom_text", False)
    if text.get("hf_model_name"):
        custom = True
        _code_refuse(held.texts)
        text |= {"hf_model_pretrained": False, "hf_model_name": str(held.texts)}
    if "multimodal_cfg" in config:
        network = open_clip.CoCa(**config)
    else:
        network = (open_clip.CustomTextCLIP if custom else open_clip.CLIP)(**config)
    open_clip.load_checkpoint(network, str(held.weights), strict=True)
    return Sides(network, network.encode_image, network.encode_text)


def _code_refuse(texts: Path | None) -> None:
    """Weights are data: transformers would ask at the terminal whether to run a folder's code."""
    for name in ("config.json", "tokenizer_config.json") if texts else ():
        if texts and "auto_map" in (json_read(texts / name) or {}):
            raise ValueError(f"{name} wants code of its own to be run")


def is_torchscript(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any("/code/" in name for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def _tokenize_with(open_clip: Any, held: Checkpoint) -> Tokenize:
    """The tokenizer that the network was trained with."""
    text = held.network["text_cfg"]
    options = {
        "context_length": text.get("context_length", 77),
        **(text.get("tokenizer_kwargs") or {}),
    }
    if tokenizer_name(held.network):
        try:
            importlib.import_module("transformers")
        except ImportError as error:
            raise EncoderError(
                "encoder_not_installed", "This engine's tokenizer needs the package transformers.",
                command="pip install transformers",
            ) from error  # fmt: skip
        _code_refuse(held.texts)
        options |= {
            "tokenizer_mode": text.get("tokenizer_mode"),
            "local_files_only": True, "trust_remote_code": False,
        }  # fmt: skip
        tokenizer = open_clip.tokenizer.HFTokenizer(str(held.texts), **options)
    else:
        tokenizer = open_clip.tokenizer.SimpleTokenizer(**options)

    def tokenize(texts: list[str]) -> NDArray[np.int64]:
        found: NDArray[np.int64] = tokenizer(texts).numpy().astype(np.int64, copy=False)
        return found

    return tokenize
