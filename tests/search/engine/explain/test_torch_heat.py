"""LeGrad and Grad-CAM on small open_clip networks with random weights: their paths, not their use.

What can be held without trained weights: our open attention gives the network's own embedding, heat
follows the picture and the target, and gradients agree with differences.
"""

import numpy as np
import pytest

from search.engine.explain import gradcam, legrad

pytestmark = pytest.mark.clip

SIZE = 64


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3), np.uint8)


def prepare(pictures: np.ndarray):
    import torch

    return torch.as_tensor(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1


@pytest.fixture(scope="module")
def transformer():
    import torch
    from open_clip.transformer import VisionTransformer

    torch.manual_seed(0)
    made = VisionTransformer(
        image_size=SIZE, patch_size=16, width=32, layers=5, heads=4, mlp_ratio=2, output_dim=24
    )
    return made.eval()


@pytest.fixture(scope="module")
def resnet():
    import torch
    from open_clip.modified_resnet import ModifiedResNet

    torch.manual_seed(0)
    made = ModifiedResNet(layers=[1, 1, 1, 1], output_dim=24, heads=4, image_size=SIZE, width=16)
    return made.eval()


def targets(visual, pictures: np.ndarray) -> np.ndarray:
    import torch

    with torch.no_grad():
        found = visual(prepare(pictures)).numpy()
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_open_attention_is_the_networks_own(transformer, pictures) -> None:
    import torch

    with torch.no_grad():
        tokens = transformer._embeds(prepare(pictures))
        for block in transformer.transformer.resblocks:
            tokens, attention = legrad._block(block, tokens, leaf=False)
            assert torch.allclose(attention.sum(-1), torch.ones(attention.shape[:-1]), atol=1e-5)
        ours = legrad.pooled_project(transformer, tokens)
        theirs = transformer(prepare(pictures))
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=2e-5)


@pytest.mark.parametrize("pool", ["tok", "avg"])
def test_legrad_heats_each_patch(transformer, pictures, pool, monkeypatch) -> None:
    monkeypatch.setattr(transformer, "pool_type", pool)
    assert legrad.fits(transformer)
    explainer = legrad.LeGradExplainer(transformer, prepare)
    own = explainer.heat(pictures, targets(transformer, pictures))
    assert own.shape == (2, 4, 4)
    assert (own >= 0).all() and (own.max(axis=(1, 2)) > 0).all()
    other = explainer.heat(pictures, targets(transformer, pictures)[::-1])
    assert not np.allclose(own, other)  # heat follows the target
    one_by_one = np.concatenate(
        [explainer.heat(pictures[i : i + 1], targets(transformer, pictures)[i]) for i in range(2)]
    )
    np.testing.assert_allclose(own, one_by_one, rtol=1e-3, atol=1e-9)
    assert explainer.patches(pictures).shape == (2, 4, 4, 32)


def test_legrads_slope_is_that_of_the_cosine(transformer, pictures) -> None:
    """Against differences: attention of the last layer nudged towards one patch."""
    import torch

    target = torch.as_tensor(targets(transformer, pictures)[1])
    blocks = list(transformer.transformer.resblocks)
    with torch.no_grad():
        tokens = transformer._embeds(prepare(pictures[:1]))
        for block in blocks[:-1]:
            tokens, _ = legrad._block(block, tokens, leaf=False)
    after, attention = legrad._block(blocks[-1], tokens, leaf=True)
    cosine = torch.nn.functional.cosine_similarity(
        legrad.pooled_project(transformer, after), target[None]
    )
    (slope,) = torch.autograd.grad(cosine.sum(), attention)
    explained = legrad.LeGradExplainer(transformer, prepare, layers=1).heat(
        pictures[:1], target.numpy()
    )
    expected = slope.clamp(min=0).mean(dim=(1, 2))[:, 1:].reshape(1, 4, 4)
    np.testing.assert_allclose(explained, expected.numpy(), rtol=1e-4, atol=1e-10)


def test_gradcam_heats_the_last_map(resnet, pictures) -> None:
    assert gradcam.fits(resnet)
    assert not legrad.fits(resnet)
    explainer = gradcam.GradCamExplainer(resnet, prepare)
    own = explainer.heat(pictures, targets(resnet, pictures))
    assert own.shape == (2, 2, 2)
    assert np.isfinite(own).all() and (own >= 0).all()
    assert explainer.patches(pictures).shape == (2, 2, 2, 512)


def test_gradcam_weighs_channels_by_the_cosines_slope(resnet, pictures) -> None:
    """Against differences: each channel of layer4's map raised everywhere by a little."""
    import torch

    target = torch.as_tensor(targets(resnet, pictures)[1])
    with torch.no_grad():
        maps = gradcam._maps(resnet, prepare(pictures[:1])).double()
        pool = resnet.attnpool.double()

        def cosine(of):
            return torch.nn.functional.cosine_similarity(pool(of), target[None].double()).item()

        weights = []
        for channel in range(maps.shape[1]):
            step = torch.zeros_like(maps)
            step[:, channel] = 1e-4
            weights.append((cosine(maps + step) - cosine(maps - step)) / 2e-4)
        resnet.attnpool.float()
    cells = maps.shape[2] * maps.shape[3]
    weighed = torch.tensor(weights).view(1, -1, 1, 1) / cells
    expected = (weighed * maps).sum(1).clamp(min=0)
    found = gradcam.GradCamExplainer(resnet, prepare).heat(pictures[:1], target.numpy())
    np.testing.assert_allclose(found, expected.numpy(), rtol=2e-2, atol=1e-6)
