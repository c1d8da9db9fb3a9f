"""Checkpoints of networks, small and untrained, made by code and saved as their libraries would.

The same seed makes the same file. Needs the extra `clip`.
"""

from __future__ import annotations

import importlib
import json
import sys
from importlib.util import find_spec
from types import ModuleType
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


def xlm_folder(folder: Path, *, seed: int = 0) -> Path:
    """As CLIP with XLM-RoBERTa is fetched: a text tower and a tokenizer of transformers, small."""
    import open_clip
    import torch
    from transformers import XLMRobertaConfig

    text = folder / "text"
    XLMRobertaConfig(
        vocab_size=tokenizer_save(text), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=90, pad_token_id=1,
    ).save_pretrained(text)  # fmt: skip
    network = {
        **SMALL,
        "text_cfg": {
            "hf_model_name": "somebody/xlm-small", "hf_tokenizer_name": "somebody/xlm-small",
            "hf_pooler_type": "mean_pooler",
        },
    }  # fmt: skip
    torch.manual_seed(seed)
    own = {**network["text_cfg"], "hf_model_name": str(text), "hf_model_pretrained": False}
    made = open_clip.CustomTextCLIP(**{**network, "text_cfg": own})
    config = {"model_cfg": network, "preprocess_cfg": PREPARE}
    (folder / "open_clip_config.json").write_text(json.dumps(config), encoding="utf-8")
    weights_save(made.state_dict(), folder / "open_clip_model.safetensors")
    return folder


def tokenizer_save(text: Path) -> int:
    """A tokenizer of transformers that reads letters; how many it knows."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    text.mkdir(parents=True)
    letters = ["<s>", "<pad>", "</s>", "<unk>", *"abcdefghijklmnopqrstuvwxyz 银色戒指齿轮"]
    pieces = Tokenizer(models.WordLevel({c: i for i, c in enumerate(letters)}, unk_token="<unk>"))
    pieces.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    pieces.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=pieces, bos_token="<s>", eos_token="</s>", pad_token="<pad>",
        unk_token="<unk>", cls_token="<s>", sep_token="</s>",
    ).save_pretrained(text)  # fmt: skip
    return len(letters)


def siglip_folder(folder: Path, *, seed: int = 0) -> Path:
    """As SigLIP 2 is fetched, small: a tower of timm, texts with a tokenizer of transformers, read
    without capitals and punctuation, and a bias."""
    import open_clip
    import torch

    network = {
        "embed_dim": 64, "init_logit_bias": -10, "custom_text": True,
        "vision_cfg": {
            "image_size": 160, "timm_model_name": "test_vit", "timm_model_pretrained": False,
            "timm_pool": "map", "timm_proj": "none",
        },
        "text_cfg": {
            "context_length": 64, "vocab_size": tokenizer_save(folder / "text"),
            "hf_tokenizer_name": "somebody/siglip-small",
            "tokenizer_kwargs": {"clean": "canonicalize"},
            "width": 64, "heads": 2, "layers": 2, "no_causal_mask": True, "proj_bias": True,
            "pool_type": "last", "norm_kwargs": {"eps": 1e-6},
            "act_kwargs": {"approximate": "tanh"},
        },
    }  # fmt: skip
    torch.manual_seed(seed)
    made = open_clip.CustomTextCLIP(**{k: v for k, v in network.items() if k != "custom_text"})
    config = {"model_cfg": network, "preprocess_cfg": PREPARE}
    (folder / "open_clip_config.json").write_text(json.dumps(config), encoding="utf-8")
    weights_save(made.state_dict(), folder / "open_clip_model.safetensors")
    return folder


def openai_clip() -> Any:
    """OpenAI's own code, the package `clip` of clip-anytorch: an implementation beside open_clip's.

    It asks for pkg_resources, which setuptools has dropped, and takes only `packaging` from it.
    """
    if "pkg_resources" not in sys.modules and find_spec("pkg_resources") is None:
        stands_in = ModuleType("pkg_resources")
        stands_in.packaging = importlib.import_module("packaging")
        importlib.import_module("packaging.version")
        sys.modules["pkg_resources"] = stands_in
    return importlib.import_module("clip")


def openai_archive(model: Any, path: Path) -> Path:
    """The network of a CLIP as OpenAI's own files hold one: a traced program; its path."""
    import torch

    class Both(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.visual, self.transformer = model.visual, model.transformer
            self.token_embedding, self.ln_final = model.token_embedding, model.ln_final
            for name in ("positional_embedding", "text_projection", "logit_scale"):
                setattr(self, name, getattr(model, name))

        def forward(self, x: Any) -> Any:
            return self.visual(x)

    with torch.no_grad():
        traced = torch.jit.trace(Both(), torch.zeros(1, 3, 224, 224), strict=False)
    traced.save(str(path))
    return path
