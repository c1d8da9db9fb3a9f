"""The strategies of fusion: which rankings are joined how, and by which weights.

Pictures by places, a mesh by its similarities, words by scores (decision 0008). The arithmetic is
`engine/fusion`'s; nothing here searches.
"""

from typing import TYPE_CHECKING

import numpy as np
from django.conf import settings

from search import encoders, engines
from search.query import Query, alpha_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from catalog.words import Match
    from search.candidates import Look
    from search.engine.fusion import Fused


def weight_of(weights: "Mapping[str, float]", name: str) -> float:
    """An engine's weight: by its name, else by its encoder's, else the configured default."""
    engine = settings.SEARCH.engines.get(name)
    kind = engine.encoder if engine else ""
    return weights.get(name, weights.get(kind, settings.SEARCH.search.default_weight))


def weights_of(weights: "Mapping[str, float]", looks: "list[Look]") -> dict[str, float]:
    """Each look's engine and its weight. Where those that answered have none, they count alike."""
    found = {look.engine: weight_of(weights, look.engine) for look in looks}
    return found if any(found.values()) else dict.fromkeys(found, 1.0)


def looks_fuse(query: Query, looks: "list[Look]", words: "dict[int, Match]") -> "Fused":
    """One order of all that was found. Shares go by engine, and the words'."""
    from search.engine.fusion import Fused

    if len(looks) == 1 and not words:
        # One ranking has its own score, which says more than a place in a list.
        ranking = looks[0].ranking
        whole = np.ones(len(ranking), np.float64)
        scores = ranking.similarities.astype(np.float64)
        return Fused(ranking.part_ids, scores, {looks[0].engine: whole})
    if query.kind in {"text", "hybrid"}:
        return _by_scores(query, looks, words)
    if query.kind == "mesh":
        return _by_similarities(looks)
    return _by_places(looks)


def _by_places(looks: "list[Look]") -> "Fused":
    """Several engines' answers to the same picture."""
    from search.engine.fusion import rankings_fuse

    search = settings.SEARCH.search
    places = {look.engine: look.ranking.part_ids for look in looks}
    weights = weights_of(search.fusion_weights, looks)
    return rankings_fuse(places, weights, c=search.rrf_constant)


def _by_similarities(looks: "list[Look]") -> "Fused":
    """Several engines' answers to the same mesh."""
    from search.engine.fusion import scores_fuse

    weights = settings.SEARCH.search.mesh_weights
    return scores_fuse(
        {look.engine: (look.ranking.part_ids, look.ranking.similarities) for look in looks},
        weights_of(weights, looks),
    )


def _by_scores(query: Query, looks: "list[Look]", words: "dict[int, Match]") -> "Fused":
    """Words that match, the engines' view of the words, and of a picture when there is one.

    On the scale of scores: a short name found whole is 1, and so is an engine's best beside a
    picture. Where words are all there is, an engine's best is its strength: what it hardly knows
    must not outweigh a name.
    """
    from search.engine.fusion import Fused, scores_add, similarities_scale

    columns = {
        (look.engine, look.kind): (
            look.ranking.part_ids,
            similarities_scale(look.ranking.similarities, first=look.first, last=look.last)
            * (encoders.strength(look.engine, "text", look.first) if query.kind == "text" else 1.0),
        )
        for look in looks
    }
    columns[engines.WORDS, "text"] = (
        np.array(list(words), np.int64),
        np.array([_word_score(match, query) for match in words.values()], np.float64),
    )
    fused = scores_add(columns, _score_weights(looks, alpha_of(query)))
    shares: dict[str, np.ndarray] = {}
    # What an engine sees of the picture and reads of the words is one share: the engine's.
    for (engine, _kind), share in fused.shares.items():
        shares[engine] = shares.get(engine, 0.0) + share
    return Fused(fused.part_ids, fused.scores, shares)


def _word_score(match: "Match", query: Query) -> float:
    """A match's score; of a name that holds a part of the query, its share of it once more.

    Only where words are all there is: the words that are missing may be those that tell, and an
    engine has read them all. More than its share is scored by nothing but a part number.
    """
    if query.kind == "text" and match.score <= match.share:
        return match.score * match.share
    return match.score


def _score_weights(looks: "list[Look]", alpha: float) -> dict[tuple[str, str], float]:
    """Of each look and of the words. Pictures share alpha; the heaviest reader has 1 - alpha."""
    search = settings.SEARCH.search
    seeing = {
        look.engine: weight_of(search.fusion_weights, look.engine)
        for look in looks
        if look.kind == "image"
    }
    reading = {
        look.engine: weight_of(search.text_weights, look.engine) for look in looks if _reads(look)
    }
    every = sum(seeing.values()) or 1.0
    most = max(reading.values(), default=1.0) or 1.0
    of_words = search.text_weights.get(engines.WORDS, 1.0)
    weights = {(engines.WORDS, "text"): (1 - alpha) * of_words / most}
    for look in looks:
        weight = alpha * seeing[look.engine] / every if look.kind == "image" else 0.0
        if _reads(look):
            weight += (1 - alpha) * reading[look.engine] / most
        weights[look.engine, look.kind] = weight
    return weights


def _reads(look: "Look") -> bool:
    """Whether words were asked: in an engine of one space the picture's query holds them."""
    return look.kind == "text" or encoders.is_joint(look.engine)
