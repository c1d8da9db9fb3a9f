"""What is done to a picture before a network sees it: read from the weights' own configuration."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from search.engine.errors import EncoderError

OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)
OPENAI_STD = (0.26862954, 0.26130258, 0.27577711)
SIZE_MOST = 4096  # pixels each way; the largest networks take 1024


@dataclass(frozen=True)
class Preprocessing:
    """A network wants squares of `size` pixels whose channels have this mean and deviation.

    Pictures are drawn at that size, so neither `interpolation` nor `resize_mode` ever acts; they
    are part of what the weights were made for, and so of the space's name.
    """

    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str = "bicubic"
    resize_mode: str = "shortest"

    @classmethod
    def read(cls, data: Mapping[str, Any], *, size: Any) -> "Preprocessing":
        """From open_clip's keys; what is left out is as open_clip leaves it. `size` is one number
        or (height, width). Raises EncoderError("weights_wrong")."""
        sides = list(size) if isinstance(size, list | tuple) else [size, size]
        try:
            if len(sides) != 2 or sides[0] != sides[1]:
                raise ValueError(f"pictures of {size} pixels are not square")
            mean, std = (
                _three(data.get(key) or default)
                for key, default in (("mean", OPENAI_MEAN), ("std", OPENAI_STD))
            )
            if not all(map(math.isfinite, (*mean, *std))) or min(std) <= 0:
                raise ValueError(f"a mean of {mean} and a deviation of {std}")
            if not 1 <= int(sides[0]) <= SIZE_MOST:
                raise ValueError(f"pictures of {size} pixels")
            return cls(
                size=int(sides[0]),
                mean=mean,
                std=std,
                interpolation=str(data.get("interpolation") or "bicubic"),
                resize_mode=str(data.get("resize_mode") or "shortest"),
            )
        except (TypeError, ValueError, OverflowError) as error:
            raise EncoderError(
                "weights_wrong", f"Its preprocessing cannot be read: {error}.", detail=str(error)
            ) from error

    @property
    def name(self) -> str:
        """As a space is told it."""
        mean, std = (",".join(f"{value:.8g}" for value in of) for of in (self.mean, self.std))
        return f"{self.size} {self.resize_mode} {self.interpolation} mean {mean} std {std}"


def _three(value: Any) -> tuple[float, float, float]:
    red, green, blue = (value,) * 3 if isinstance(value, int | float) else value
    return float(red), float(green), float(blue)
