"""Checkpoints of networks, small and untrained, made by code and saved as their libraries would.

The same seed makes the same file. Needs the extra `clip`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

SMALL: dict[str, Any] = {
    "embed_dim": 32,
    "vision_cfg": {
        "image_size": 64, "layers": 2, "width": 64, "head_width": 32, "patch_size": 16,
    },
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2},
}  # fmt: skip
# Not those of OpenAI: a wrapper that overlooked them would show.
PREPARE: dict[str, Any] = {
    "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4],
    "interpolation": "bilinear", "resize_mode": "squash",
}  # fmt: skip


def clip_folder(
    folder: Path,
    *,
    seed: int = 0,
    network: dict[str, Any] | None = None,
    prepare: dict[str, Any] | None = None,
    kind: str = "safetensors",
) -> Path:
    """A folder as open_clip saves for the hub: configuration and weights."""
    import open_clip
    import torch

    network = network or SMALL
    torch.manual_seed(seed)
    made = open_clip.CLIP(**network)
    folder.mkdir(parents=True, exist_ok=True)
    config = {"model_cfg": network, "preprocess_cfg": PREPARE if prepare is None else prepare}
    (folder / "open_clip_config.json").write_text(json.dumps(config), encoding="utf-8")
    weights_save(made.state_dict(), folder / f"open_clip_model.{kind}")
    return folder


def weights_save(state: dict[str, Any], path: Path) -> Path:
    """In the format that the file's suffix names."""
    import torch
    from safetensors.torch import save_file

    if path.suffix == ".safetensors":
        save_file({key: value.contiguous().clone() for key, value in state.items()}, path)
    else:
        torch.save(state, path)
    return path


def resnet_file(path: Path, *, seed: int = 0) -> Path:
    """Untrained weights of the whole ResNet50, its classifier too, as torchvision saves them."""
    import torch
    from torchvision.models import resnet50

    torch.manual_seed(seed)
    network = resnet50(weights=None)
    # Statistics of the normalising layers as a trained network has them: not all zero and one.
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return weights_save(network.state_dict(), path)
