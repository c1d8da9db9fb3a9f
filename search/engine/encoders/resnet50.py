"""ResNet50 of torchvision: the looks of a picture in 2048 numbers, and no words.

He et al., "Deep residual learning for image recognition", 2016. The embedding is the last
convolution's map averaged over its 7 x 7 cells: what each cell adds to a similarity can be told
exactly.
"""

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from search.engine.encoders.layers import unit
from search.engine.encoders.network import NetworkEncoder, built
from search.engine.encoders.preprocessing import Preprocessing
from search.engine.encoders.running import Float, Wanted, not_installed
from search.engine.encoders.space import Space, weights_sha
from search.engine.encoders.weights import Weights, file_sha
from search.engine.errors import EncoderError

if TYPE_CHECKING:
    from search.engine.encoders.towers import Sides

D = 2048
# torchvision's two sets of weights: the file each is kept in, and where it comes from. The first
# is the default: weights trained with smoothed labels and mixed pictures, as the second's were,
# classify better and transfer worse (Kornblith et al., "Why do better loss functions lead to less
# transferable features?", 2021).
FILES = {"IMAGENET1K_V1": "resnet50-0676ba61.pth", "IMAGENET1K_V2": "resnet50-11ad3fa6.pth"}
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
PREPROCESSING = Preprocessing.read(IMAGENET | {"interpolation": "bilinear"}, size=224)
NAME = f"{PREPROCESSING.name}; mean of 7x7"


class ResNet50Encoder(NetworkEncoder):
    """Describes itself at once from its file; loads at the first picture.

    `pretrained` names one of torchvision's sets of weights, in `fetched` or in torch's own cache;
    `checkpoint` is a file instead. Raises EncoderError: pretrained_unknown, weights_not_found,
    weights_changed at once; encoder_not_installed, weights_wrong when it loads.
    """

    def __init__(
        self,
        name: str,
        *,
        fetched: Path,
        notes: Path,
        folder: Path,
        pretrained: str = "IMAGENET1K_V1",
        checkpoint: Path | None = None,
        wanted: Wanted | None = None,
        batch: int = 32,
        threads: int = 1,
        idle_s: float = 0,
    ) -> None:
        path = resnet_weights(name, fetched, pretrained, checkpoint)
        sha = file_sha(path, notes=notes)
        if not checkpoint and not sha.startswith(named_sha(path.name)):
            raise EncoderError(
                "weights_changed",
                f"{path} is damaged: its digest is not the one in its name.",
                file=path.name,
            )
        super().__init__(
            space=Space("resnet50", weights_sha({"weights": sha}), NAME, D),
            weights=Weights(path, sha, notes),
            preprocessing=PREPROCESSING,
            folder=folder,
            wanted=wanted or Wanted(),
            batch=batch,
            threads=threads,
            idle_s=idle_s,
        )

    def pictures_embed(self, pictures: NDArray[np.uint8]) -> Float:
        """(n, 224, 224, 3) uint8 RGB on a white ground -> (n, 2048) float32, L2-normalised."""
        return self.maps_embed(pictures)[0]

    def maps_embed(self, pictures: NDArray[np.uint8]) -> tuple[Float, Float]:
        """The embeddings (n, 2048) and the maps (n, 7, 7, 2048) they are the mean of: a map's mean
        over its cells is the embedding before it is normalised."""
        maps = np.moveaxis(self._look(pictures), 1, -1)
        return unit(maps.mean(axis=(1, 2))), maps

    def _sides(self) -> "Sides":
        try:
            models = importlib.import_module("torchvision.models")
        except ImportError as error:
            raise not_installed("torchvision") from error
        self._ready()
        return built(lambda: _network(models, self.weights.path), str(self.weights.path))


def resnet_weights(name: str, fetched: Path, pretrained: str, checkpoint: Path | None) -> Path:
    """The file of weights. Raises EncoderError: pretrained_unknown, weights_not_found."""
    if not checkpoint and pretrained not in FILES:
        known = ", ".join(FILES)
        raise EncoderError(
            "pretrained_unknown",
            f"There are no weights called {pretrained} for ResNet50; there are: {known}.",
            pretrained=pretrained, model="ResNet50", known=known,
        )  # fmt: skip
    file = FILES.get(pretrained, "")
    looked = [checkpoint] if checkpoint else [fetched / file, hub_folder() / file]
    for path in looked:
        if path.is_file():
            return path
    places = "; ".join(str(path) for path in looked)
    raise EncoderError(
        "weights_not_found",
        f"The weights of {name} (ResNet50 {pretrained}) are not on this machine. Looked at: "
        f"{places}. Where there is a connection: manage.py engine_fetch {name}. Elsewhere: run "
        f"that on another machine and copy its folder to {fetched}, or name a file as checkpoint.",
        engine=name,
    )


def hub_folder() -> Path:
    """Where torch.hub keeps what it downloads, found as torch finds it, without torch."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("TORCH_HOME") or f"{cache}/torch"
    return Path(home).expanduser() / "hub" / "checkpoints"


def named_sha(name: str) -> str:
    """The digits of a digest that torchvision puts into a file's name."""
    return Path(name).stem.rpartition("-")[2]


def _network(models: Any, path: Path) -> "Sides":
    import torch

    from search.engine.encoders.towers import Sides

    if path.suffix == ".safetensors":
        state = importlib.import_module("safetensors.torch").load_file(path)
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)
    state = state.get("state_dict", state)
    network = models.resnet50(weights=None)
    # What classified is not kept, whatever it classified.
    network.fc = torch.nn.Identity()
    kept = {key.removeprefix("module."): value for key, value in state.items()}
    kept = {key: value for key, value in kept.items() if not key.startswith("fc.")}
    network.load_state_dict(kept, strict=True)
    body = torch.nn.Sequential(
        network.conv1, network.bn1, network.relu, network.maxpool,
        network.layer1, network.layer2, network.layer3, network.layer4,
    )  # fmt: skip
    return Sides(body, body)
