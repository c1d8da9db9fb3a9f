"""Which category a part belongs to: what the words say, joined with what people decided nearby.

Categories are columns here, and a part is one embedding in an engine's words space. Knows no
rows, no names and no index: embeddings of prompts and neighbours come from the caller.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from search.engine.calibration import Logistic, softmax

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Tuning:
    """The classifier's numbers, fitted on a validation split and kept with the weights.

    `temperature` divides similarities; `none` is the similarity at which "none of these" stands
    among the categories. `closeness` says what one filed neighbour's vote counts by its similarity,
    and `prior` how many whole votes the words weigh.
    """

    temperature: float = 0.048
    none: float = 0.32
    prior: float = 0.5
    closeness: Logistic = field(default=Logistic(slope=25.0, offset=-20.0))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Tuning:
        """What `data` says, the rest as it is by default. KeyError for a number it has not."""
        if unknown := data.keys() - {"temperature", "none", "prior", "closeness"}:
            raise KeyError(f"not a number of the classifier: {sorted(unknown)}")
        held = cls()
        return cls(
            temperature=float(data.get("temperature", held.temperature)),
            none=float(data.get("none", held.none)),
            prior=float(data.get("prior", held.prior)),
            closeness=Logistic.from_json(data.get("closeness", held.closeness.to_json())),
        )


def prompts_average(texts: Vectors, columns: Sequence[int], scripts: Sequence[str]) -> Vectors:
    """What stands for each category among words: the mean of its prompts in each script, joined.

    texts (t, d) embeddings of prompts, each of the category `columns[i]`, from 0 without gaps, and
    written in `scripts[i]`. Returns (c, d), L2-normalised. A script's prompts count the same
    together, however few: many English ones would drown the Chinese name. (Averaged prompts:
    Radford et al., "Learning transferable visual models from natural language supervision", 2021.)
    """
    pairs = list(zip(columns, scripts, strict=True))
    groups = {pair: place for place, pair in enumerate(dict.fromkeys(pairs))}
    by_script = _directions(texts, [groups[pair] for pair in pairs])
    return _directions(by_script, [column for column, _script in groups])


def _directions(vectors: Vectors, groups: Sequence[int]) -> Vectors:
    """(n, d) vectors -> (g, d) their groups' means, L2-normalised."""
    sums = np.zeros((max(groups) + 1, vectors.shape[1]), np.float32)
    np.add.at(sums, np.asarray(groups), vectors)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(sums / np.maximum(lengths, 1e-12), np.float32)


def zero_shot(parts: Vectors, prompts: Vectors, tuning: Tuning) -> Float:
    """(n, d) parts and (c, d) prompt vectors -> (n, c) shares; what lacks to 1 is none of these."""
    similarities = np.asarray(parts, np.float64) @ np.asarray(prompts, np.float64).T
    none = np.full((len(similarities), 1), tuning.none)
    return softmax(np.hstack([similarities, none]) / tuning.temperature)[:, :-1]


def votes_mix(
    words: Float, columns: NDArray[np.int64], similarities: NDArray[np.floating], tuning: Tuning
) -> Float:
    """The words' shares (c,) joined with the votes of m filed neighbours -> confidences (c,).

    columns (m,): the category of each neighbour; similarities (m,) to it. A vote counts what the
    neighbour's closeness is worth, and the words count `prior` votes: the mean of a Dirichlet
    posterior. So far from all that is filed the words decide, and among many close parts of one
    category people do. (Interpolation by how near the neighbours are: Khandelwal et al., ICLR
    2020; He, Neubig and Berg-Kirkpatrick, EMNLP 2021.)
    """
    counts = tuning.closeness.strength(np.asarray(similarities, np.float64))
    votes = np.bincount(columns, weights=counts, minlength=len(words))
    return np.asarray((tuning.prior * words + votes) / (tuning.prior + counts.sum()), np.float64)


def branches_lift(confidences: Float, parents: Sequence[int], threshold: float) -> Float:
    """Where no category of a branch is sure enough, the branch's parent stands for all of it.

    confidences (c,); parents[i] is the column of i's parent, -1 without one. A parent whose
    descendants all stay below the threshold takes over their confidences, from the lowest branch
    up, so that the sum stays; one with a descendant that is sure keeps only its own. (The more
    general answer when the special one is unsure: Deng et al., "Hedging your bets", CVPR 2012.)
    """
    lifted = np.array(confidences, np.float64)
    children: dict[int, list[int]] = {}
    for column, parent in enumerate(parents):
        children.setdefault(parent, []).append(column)

    def visit(column: int) -> bool:
        """Whether the branch below and with this column holds one that is sure."""
        branch = children.get(column, [])
        sure = [visit(child) for child in branch]
        if branch and not any(sure):
            lifted[column] += lifted[branch].sum()
            lifted[branch] = 0.0
        return any(sure) or bool(lifted[column] >= threshold)

    for root in children.get(-1, []):
        visit(root)
    return lifted
