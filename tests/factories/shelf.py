"""A catalogue whose looks are known: parts and words that point along the axes of a small space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from catalog.models import Part, PipelineStep
from search import classify, encoders
from search.embeddings import embeddings_write
from search.engine.calibration import Logistic
from search.engine.classify import Tuning
from search.engine.encoders.space import Space

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest
    from numpy.typing import NDArray

TUNING = Tuning(temperature=0.1, none=0.3, prior=1.0, closeness=Logistic(40.0, -34.0))
AXES = ("ring", "box", "gear", "bolt")
OTHER = len(AXES)  # the axis of whatever has no word


class AxisEncoder:
    """Knows four words, each an axis; a text points along the axes of the words in it."""

    calibration: dict[str, Any] = {}
    picture_size = 224
    space = Space("axes", "0" * 64, "none", OTHER + 3)
    words_space = Space("axes_words", "0" * 64, "none", OTHER + 3)
    asked = 0  # how often texts were embedded

    def texts_embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        type(self).asked += 1
        return np.stack([self._one(text.lower()) for text in texts])

    def _one(self, text: str) -> NDArray[np.float32]:
        vector = np.array([*(word in text for word in AXES), 0, 0, 0], np.float32)
        vector[-1] = not vector.any()  # a word nobody knows looks like no part
        return vector / np.linalg.norm(vector)


def looks(*along: float, grain: int = 0) -> NDArray[np.float32]:
    """(d,) a unit vector along the axes of the words, the rest along two axes of no word.

    `grain` turns the rest, so that parts of one kind need not be one another's copies.
    """
    vector = np.zeros(OTHER + 3, np.float32)
    vector[: len(along)] = along
    short = max(0.0, 1 - float(vector @ vector)) ** 0.5
    vector[OTHER:] = short * np.array([np.cos(grain), np.sin(grain), 0])
    return vector / np.linalg.norm(vector)


def axes_in_place(monkeypatch: pytest.MonkeyPatch) -> AxisEncoder:
    """Every engine is the one that knows four words, for the length of a test."""
    encoder = AxisEncoder()
    monkeypatch.setattr(encoders, "encoder", lambda name, query=False: encoder)
    monkeypatch.setattr(encoders, "word_encoder", lambda name, query=False: encoder)
    monkeypatch.setattr(encoders, "space", lambda name: encoder.space)
    monkeypatch.setattr(encoders, "words_space", lambda name: encoder.words_space)
    monkeypatch.setattr(classify, "tuning", lambda engine: TUNING)
    return encoder


_made = iter(range(10**9))


def part_on_shelf(vector: NDArray[np.float32], **fields: Any) -> Part:
    """A ready part, every step done, that looks like this in the words' space."""
    n = next(_made)
    part = Part.objects.create(
        **{"name": f"part {n}", "file": f"meshes/{n}.stl", "file_name": f"{n}.stl", "file_size": 84,
           "sha256": f"{n:064x}", "status": Part.Status.READY, **fields}
    )  # fmt: skip
    PipelineStep.objects.bulk_create(
        PipelineStep(part=part, step=step, state="done", attempts=1) for step in PipelineStep.Step
    )
    embeddings_write(part_id=part.pk, space=AxisEncoder.words_space, vectors=vector[None])
    return part
