"""The few layers of the heads that stand on a network's features or on a text's pieces.

Weights are kept as int8 with one scale a row: `name.weight` (o, i), `name.scale` (o,),
`name.offset` (o,) in one npz file. They are computed in float32.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Linear:
    """y = weight x + offset over the last axis; weight (o, i), offset (o,)."""

    weight: Float
    offset: Float

    def __call__(self, x: Float) -> Float:
        y: Float = x @ self.weight.T + self.offset
        return y

    @classmethod
    def read(cls, arrays: Mapping[str, NDArray[Any]], name: str) -> "Linear":
        """KeyError when the file lacks the layer."""
        scale = arrays[f"{name}.scale"].astype(np.float32)
        weight = arrays[f"{name}.weight"].astype(np.float32) * scale[:, None]
        return cls(np.ascontiguousarray(weight), arrays[f"{name}.offset"].astype(np.float32))

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """What `read` reads: each row rounded to 255 steps of its own size."""
        scale = np.maximum(np.abs(self.weight).max(axis=1), np.float32(1e-12)) / 127
        scale = scale.astype(np.float16).astype(np.float32)
        weight = np.rint(self.weight / np.maximum(scale, np.float32(1e-7))[:, None])
        return {
            f"{name}.weight": np.clip(weight, -127, 127).astype(np.int8),
            f"{name}.scale": scale.astype(np.float16),
            f"{name}.offset": self.offset.astype(np.float16),
        }


def gelu(x: Float) -> Float:
    """x times the normal distribution function, in its tanh form (Hendrycks and Gimpel 2016)."""
    inner = np.float32(0.7978845608) * (x + np.float32(0.044715) * x**3)
    found: Float = np.float32(0.5) * x * (1 + np.tanh(inner))
    return found


def gelu_slope(x: Float) -> Float:
    """The derivative of `gelu`."""
    inner = np.tanh(np.float32(0.7978845608) * (x + np.float32(0.044715) * x**3))
    steep = np.float32(0.7978845608) * (1 + np.float32(3 * 0.044715) * x**2)
    found: Float = np.float32(0.5) * (1 + inner + x * (1 - inner**2) * steep)
    return found


def softmax(x: Float) -> Float:
    """Over the last axis."""
    shares = np.exp(x - x.max(axis=-1, keepdims=True))
    found: Float = shares / shares.sum(axis=-1, keepdims=True)
    return found


def unit(x: Float) -> Float:
    """Rows of length 1 over the last axis."""
    lengths = np.linalg.norm(x, axis=-1, keepdims=True)
    found: Float = x / np.maximum(lengths, np.float32(1e-12))
    return found
