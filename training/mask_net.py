"""Learns to tell a part from its table, on the scenes of training.photographs.

A small U-net (Ronneberger, Fischer, Brox 2015) that reads what `search.engine.photo.mask` reads:
the picture, and how unlike the ground of its border each pixel is. So it need not learn grounds by
heart: what it adds is knowing a shadow, a mirrored table and a vein from a part.

    python -m training.mask_net            # writes search/engine/photo/mask.onnx
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from search.engine.photo.mask import (
    CLUES,
    FIRST_LOOK,
    NETWORK,
    SECOND_LOOK,
    clues_resize,
    clues_see,
    window_around,
)
from training.halves import weights_halve
from training.photographs import Photograph, photographs_load

WIDTHS = (16, 32, 48, 64)
BATCH = 16
OPSET = 17
CHECKED = 0.08  # share of the parts kept to check on

Half = NDArray[np.float16]
Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Seen:
    """clues (..., h, w, 8) and how much of each pixel the part covers (..., h, w)."""

    clues: Half
    cover: Bytes

    @classmethod
    def stack(cls, each: "Sequence[Seen]") -> "Seen":
        return cls(np.stack([s.clues for s in each]), np.stack([s.cover for s in each]))

    def only(self, which: NDArray[np.bool_]) -> "Seen":
        return Seen(self.clues[which], self.cover[which])


class MaskNet(nn.Module):
    """(n, 8, h, w) clues -> (n, 1, h, w) logits; h and w are multiples of 16."""

    def __init__(self) -> None:
        super().__init__()
        downs, ups = [block(CLUES * 4, WIDTHS[0])], []
        for narrow, wide in zip(WIDTHS, WIDTHS[1:], strict=False):
            downs.append(block(narrow, wide))
            ups.append(block(narrow + wide, narrow))
        self.downs, self.ups = nn.ModuleList(downs), nn.ModuleList(ups[::-1])
        self.last = nn.Conv2d(WIDTHS[0], 4, 1)

    def forward(self, clues: Tensor) -> Tensor:
        seen = functional.pixel_unshuffle(clues, 2)
        passed = []
        for depth, down in enumerate(self.downs):
            seen = down(functional.max_pool2d(seen, 2) if depth else seen)
            passed.append(seen)
        passed.pop()
        for up in self.ups:
            wide = functional.interpolate(seen, scale_factor=2.0, mode="nearest")
            seen = up(torch.cat([passed.pop(), wide], dim=1))
        return functional.pixel_shuffle(self.last(seen), 2)


def block(narrow: int, wide: int) -> nn.Sequential:
    """Two convolutions of 3 x 3, each normalised and rectified."""
    layers: list[nn.Module] = []
    for inward in (narrow, wide):
        layers += [nn.Conv2d(inward, wide, 3, padding=1, bias=False), nn.BatchNorm2d(wide)]
        layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def windows_of(photograph: Photograph, rng: np.random.Generator) -> tuple[Seen, Seen, Seen]:
    """What the network is shown of a scene: at its first look, the second as coarse, the second."""
    scene = photograph.scene
    clues = clues_see(scene.picture)
    cover = cv2.resize(scene.mask, clues.shape[1::-1], interpolation=cv2.INTER_AREA)
    if clues.shape[0] > clues.shape[1]:
        clues, cover = np.ascontiguousarray(clues.transpose(1, 0, 2)), cover.T.copy()
    height, width = cover.shape
    near = window_around(cover, pad=rng.uniform(0.05, 0.45), shift=rng.uniform(-0.08, 0.08, 2))
    return (
        _window(clues, cover, (0, 0, width, height), FIRST_LOOK),
        _window(clues, cover, near, FIRST_LOOK),
        _window(clues, cover, near, SECOND_LOOK),
    )


def _window(clues: Floats, cover: Bytes, box: tuple[int, int, int, int], long_side: int) -> Seen:
    left, top, right, bottom = box
    size = (long_side, long_side * 3 // 4)
    how = cv2.INTER_AREA if right - left > long_side else cv2.INTER_LINEAR
    return Seen(
        clues_resize(clues[top:bottom, left:right], size).astype(np.float16),
        cv2.resize(cover[top:bottom, left:right], size, interpolation=how),
    )


def train(
    net: MaskNet, looks: Sequence[Seen], *, steps: int, rate: float, seed: int, settled: bool
) -> MaskNet:
    """`looks` are stacks of windows, in turn a batch of each.

    Cross-entropy and soft Dice; AdamW, a short warm-up, a cosine to nothing. `settled`: the
    normalisations stay as they are.
    """
    rng = np.random.default_rng(seed)
    net = net.train(not settled).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=1e-3)
    for step in range(steps):
        for group in optimiser.param_groups:
            cosine = 0.5 * (1 + np.cos(np.pi * step / steps))
            group["lr"] = rate * min(1, (step + 1) / 100) * cosine
        look = looks[step % len(looks)]
        pick = rng.integers(len(look.clues), size=BATCH)
        seen, truth = _augmented(look.clues[pick], look.cover[pick], rng)
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(seen)
        logits = logits.float()
        chance = torch.sigmoid(logits)
        common = (chance * truth).sum((1, 2, 3))
        dice = 1 - (2 * common + 1) / ((chance + truth).sum((1, 2, 3)) + 1)
        loss = functional.binary_cross_entropy_with_logits(logits, truth) + 0.5 * dice.mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if (step + 1) % 200 == 0:
            print(f"{step + 1} of {steps} steps, loss {loss.item():.3f}", flush=True)
    return net.eval().to(memory_format=torch.contiguous_format)


def _augmented(clues: Half, covers: Bytes, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Flipped, and in other colours: the table's and the part's move together."""
    seen = clues.astype(np.float32)
    colour = seen[..., :3]
    colour = colour * rng.uniform(0.75, 1.25, (len(seen), 1, 1, 3)).astype(np.float32)
    seen[..., :3] = colour + rng.normal(0, 0.08, (len(seen), 1, 1, 3)).astype(np.float32)
    seen[..., 3:] *= rng.uniform(0.8, 1.25, (len(seen), 1, 1, 1)).astype(np.float32)
    flips = np.s_[:, :: rng.choice([-1, 1]), :: rng.choice([-1, 1])]
    seen, truth = np.ascontiguousarray(seen[flips]), covers[flips].astype(np.float32) / 255
    return (
        torch.from_numpy(seen.transpose(0, 3, 1, 2)).contiguous(memory_format=torch.channels_last),
        torch.from_numpy(np.ascontiguousarray(truth[:, None])),
    )


def overlaps(net: MaskNet, look: Seen) -> NDArray[np.float64]:
    """(n,) intersection over union."""
    found = []
    with torch.no_grad():
        for start in range(0, len(look.clues), 32):
            seen = torch.from_numpy(look.clues[start : start + 32].astype(np.float32))
            found.append((net(seen.permute(0, 3, 1, 2))[:, 0] > 0).numpy())
    cut, truth = np.concatenate(found), look.cover > 127
    return (cut & truth).sum((1, 2)) / np.maximum((cut | truth).sum((1, 2)), 1)


def export(net: MaskNet, target: Path) -> None:
    """Any height and width."""
    example = torch.zeros(1, CLUES, FIRST_LOOK * 3 // 4, FIRST_LOOK)
    axes = {name: {0: "n", 2: "height", 3: "width"} for name in ("clues", "logits")}
    torch.onnx.export(
        net, (example,), str(target), input_names=["clues"], output_names=["logits"],
        dynamic_axes=axes, opset_version=OPSET, dynamo=False,
    )  # fmt: skip
    weights_halve(target)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--fine-steps", type=int, default=1200)
    parser.add_argument("--out", type=Path, default=NETWORK)
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    rng = np.random.default_rng(1)
    photographs = photographs_load()
    pairs = [windows_of(photograph, rng) for photograph in photographs]
    who = np.array([photograph.sitter for photograph in photographs])
    check = np.isin(who, rng.permutation(np.unique(who))[: int(CHECKED * len(np.unique(who)))])
    print(f"{len(who)} scenes, {check.sum()} of them to check on", flush=True)
    looks = [Seen.stack(column) for column in zip(*pairs, strict=True)]
    first, coarse, second = (look.only(~check) for look in looks)
    torch.manual_seed(0)
    # Coarse windows cost half as much; what they teach holds for the fine ones.
    net = train(MaskNet(), [first, coarse], steps=chosen.steps, rate=4e-3, seed=0, settled=False)
    fine = [first, second, second]
    net = train(net, fine, steps=chosen.fine_steps, rate=1e-3, seed=1, settled=True)
    for name, look in zip(("first", "coarse", "second"), looks, strict=True):
        found = overlaps(net, look.only(check))
        print(f"{name} look: IoU median {np.median(found):.3f}, p10 {np.quantile(found, 0.1):.3f}")
    export(net, chosen.out)
    print(f"{chosen.out.name}: {chosen.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
