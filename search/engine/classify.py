"""Which category a part belongs to: what the words say, joined with what people decided nearby.

Categories are columns here, and a part is one embedding in an engine's words space. Knows no
rows, no names but the texts it is given, and no index: neighbours come from the caller.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from search.engine.calibration import Logistic, softmax

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    Float = NDArray[np.float64]
    Vectors = NDArray[np.float32]

CJK = "\u2e80"  # from here on Unicode holds the scripts of East Asia
TEMPLATES = ("{}", "a 3D model of {}")
TEMPLATES_CJK = ("{}", "{}的3D模型")


@dataclass(frozen=True)
class Tuning:
    """The classifier's numbers, fitted on a validation split and kept with the weights.

    `temperature` divides similarities; `none` is the similarity at which "none of these" stands
    among the categories. `closeness` says what one filed neighbour's vote counts by its similarity,
    and `prior` how many whole votes the words weigh.
    """

    temperature: float = 0.05
    none: float = 0.1
    prior: float = 1.0
    closeness: Logistic = field(default=Logistic(slope=40.0, offset=-34.0))

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


def prompt_texts(phrases: Iterable[str]) -> tuple[str, ...]:
    """What an encoder of words is asked for one category: its phrases in each language's templates.

    Radford et al., "Learning transferable visual models from natural language supervision",
    ICML 2021, section 3.1.4, average several templates; ours are few, for their encoder learnt
    short captions.
    """
    texts = (
        template.format(phrase.strip())
        for phrase in phrases
        for template in (TEMPLATES_CJK if max(phrase, default="") >= CJK else TEMPLATES)
        if phrase.strip()
    )
    return tuple(dict.fromkeys(texts))


def prompts_average(texts: Vectors, counts: Sequence[int]) -> Vectors:
    """(sum of counts, d) vectors of texts, in the order of their categories -> (c, d), normalised.

    Every category has at least one text.
    """
    starts = np.concatenate(([0], np.cumsum(counts)[:-1])).astype(np.int64)
    sums = np.add.reduceat(np.asarray(texts, np.float32), starts, axis=0)
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
