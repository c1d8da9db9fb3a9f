"""Grad-CAM (Selvaraju et al., ICCV 2017) for networks that pool by attention.

The map before the pooling is weighted by the mean gradient of each of its channels. The target is
the cosine with a vector of the encoder's space. For CLIP's ResNets that map is layer4's; for
transformers whose patches are pooled by attention (SigLIP), the last block's tokens. On a
transformer that pools a class token the gradient there is zero: use LeGrad.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from search.engine.explain.types import Bytes, Floats


class GradCamExplainer:
    """`visual` is an open_clip ModifiedResNet, or a TimmModel that pools by attention; `prepare`
    makes (n, s, s, 3) uint8 into its input."""

    method = "gradcam"

    def __init__(self, visual: Any, prepare: Callable[[Bytes], Any]) -> None:
        self._visual, self._prepare = visual, prepare

    def heat(self, pictures: Bytes, target: Floats) -> Floats:
        import torch

        along = torch.as_tensor(np.array(target, np.float32))
        with torch.no_grad():
            maps = _maps(self._visual, self._prepare(pictures))
        with torch.enable_grad():
            maps = maps.detach().requires_grad_()
            pooled = _pool(self._visual, maps)
            along = along.to(pooled).expand(len(pictures), -1)
            cosines = torch.nn.functional.cosine_similarity(pooled, along, dim=-1)
            (slope,) = torch.autograd.grad(cosines.sum(), maps)
        weights = slope.mean(dim=(2, 3), keepdim=True)
        heat = (weights * maps.detach()).sum(dim=1).clamp(min=0)
        return np.asarray(heat.float().cpu().numpy(), np.float32)

    def patches(self, pictures: Bytes) -> Floats:
        import torch

        with torch.no_grad():
            maps = _maps(self._visual, self._prepare(pictures))
        return np.moveaxis(maps.float().cpu().numpy(), 1, -1)


def fits(visual: Any) -> bool:
    return _is_resnet(visual) or _is_pooled(visual)


def _is_resnet(visual: Any) -> bool:
    return hasattr(visual, "layer4") and getattr(visual, "attnpool", None) is not None


def _is_pooled(visual: Any) -> bool:
    trunk = getattr(visual, "trunk", None)
    return hasattr(trunk, "blocks") and getattr(trunk, "attn_pool", None) is not None


def _maps(visual: Any, pictures: Any) -> Any:
    """(n, f, g, g): what the pooling looks at."""
    if _is_resnet(visual):
        x = visual.stem(pictures)
        for layer in (visual.layer1, visual.layer2, visual.layer3, visual.layer4):
            x = layer(x)
        return x
    tokens = visual.trunk.forward_features(pictures)
    side = round(tokens.shape[1] ** 0.5)
    return tokens.transpose(1, 2).reshape(len(tokens), -1, side, side)


def _pool(visual: Any, maps: Any) -> Any:
    if _is_resnet(visual):
        return visual.attnpool(maps)
    return visual.head(visual.trunk.forward_head(maps.flatten(2).transpose(1, 2)))
