"""LeGrad for vision transformers (Bousselham et al., "LeGrad", ICCV 2025), on open_clip's own.

In each of the last layers: the similarity that the layer's tokens would give if they were the
last, its gradient with respect to that layer's attention, negatives cut off, averaged over heads
and over the tokens that look; what is left at each patch is its heat, and layers are averaged. The
target is a vector of the encoder's space, of a picture or a text alike.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from search.engine.explain.types import Bytes, Floats

LAYERS = 4  # Chefer's and our own cost both speak against all twelve of a ViT-B


class LeGradExplainer:
    """`visual` is an open_clip VisionTransformer of plain blocks that pools its class token or
    its patches' mean; `prepare` makes (n, s, s, 3) uint8 into its input."""

    method = "legrad"

    def __init__(
        self, visual: Any, prepare: Callable[[Bytes], Any], *, layers: int = LAYERS
    ) -> None:
        self._visual, self._prepare = visual, prepare
        self._layers = layers

    def heat(self, pictures: Bytes, target: Floats) -> Floats:
        import torch

        visual = self._visual
        blocks = list(visual.transformer.resblocks)
        along = torch.as_tensor(np.array(target, np.float32))
        along = (along / along.norm(dim=-1, keepdim=True)).expand(len(pictures), -1)
        with torch.no_grad():
            tokens = visual._embeds(self._prepare(pictures))
        along = along.to(tokens)
        total = tokens.new_zeros(tokens.shape[:2])
        for place, block in enumerate(blocks):
            explained = place >= len(blocks) - self._layers
            with torch.set_grad_enabled(explained):
                # Each layer's gradient stops at its own attention: nothing before it is kept.
                tokens, attention = _block(block, tokens.detach(), leaf=explained)
                if explained:
                    pooled = pooled_project(visual, tokens)
                    cosines = torch.nn.functional.cosine_similarity(pooled, along, dim=-1)
                    (slope,) = torch.autograd.grad(cosines.sum(), attention)
                    total = total + slope.clamp(min=0).mean(dim=(1, 2))
        patches = (total[:, 1:] / self._layers).float().cpu().numpy()
        return _square(patches)

    def patches(self, pictures: Bytes) -> Floats:
        """The last layer's tokens, the class token left out."""
        import torch

        with torch.no_grad():
            tokens = self._visual._embeds(self._prepare(pictures))
            for block in self._visual.transformer.resblocks:
                tokens, _ = _block(block, tokens, leaf=False)
        return _square(tokens[:, 1:].float().cpu().numpy())


def fits(visual: Any) -> bool:
    """Whether the method knows this network: plain blocks, and no pooling by attention."""
    blocks = getattr(getattr(visual, "transformer", None), "resblocks", None)
    plain = blocks is not None and all(
        all(hasattr(block, name) for name in ("ln_1", "attn", "ls_1", "ln_2", "mlp", "ls_2"))
        and getattr(block.attn, "in_proj_weight", None) is not None
        for block in blocks
    )
    return plain and hasattr(visual, "_embeds") and getattr(visual, "attn_pool", None) is None


def pooled_project(visual: Any, tokens: Any) -> Any:
    """(n, 1 + p, w) -> (n, d), as the network ends."""
    pooled, _ = visual._pool(tokens)
    return pooled if visual.proj is None else pooled @ visual.proj


def _block(block: Any, tokens: Any, *, leaf: bool) -> tuple[Any, Any]:
    """One block with its attention (n, heads, t, t) in the open, which `need_weights=False` and
    fused kernels hide; `leaf` begins the gradient there."""
    attn = block.attn
    n, t, width = tokens.shape
    heads = attn.num_heads
    x = block.ln_1(tokens)
    three = x @ attn.in_proj_weight.T
    if attn.in_proj_bias is not None:
        three = three + attn.in_proj_bias
    q, k, v = three.reshape(n, t, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
    attention = (q @ k.transpose(-1, -2) * (width // heads) ** -0.5).softmax(dim=-1)
    if leaf:
        attention = attention.detach().requires_grad_()
    mixed = (attention @ v).transpose(1, 2).reshape(n, t, width)
    tokens = tokens + block.ls_1(attn.out_proj(mixed))
    return tokens + block.ls_2(block.mlp(block.ln_2(tokens))), attention


def _square(patches: Floats) -> Floats:
    """(n, p, ...) -> (n, g, g, ...)."""
    side = round(patches.shape[1] ** 0.5)
    return patches.reshape(len(patches), side, side, *patches.shape[2:])
