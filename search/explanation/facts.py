"""An explanation in words: facts that agree or differ, and one or two sentences, in the reader's
language. Everything said here was measured; nothing is guessed.
"""

import math
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.models import Part
from catalog.templatetags.house import significant
from catalog.words import query_groups, terms_of
from search.explanation.services import Explained

# Two numbers this near, as shares, are said to agree; up to twice as far, to be near.
ALIKE = 0.05
WARM = 0.40  # the share of the warmest quarter from which a match rests on one place
OUTLINE = 0.10
OVERLAP = 0.60  # from which on two outlines are worth telling of


@dataclass(frozen=True)
class Feature:
    """One measured fact of query and hit. `agrees` is None where there is nothing to compare."""

    code: str
    label: str
    query: str
    hit: str
    agrees: bool | None = None


def features(explained: Explained) -> list[Feature]:
    """What was measured of both, the most telling first."""
    found = explained.found
    asked, part = found["query_facts"] or {}, explained.part
    listed = [*_of_meshes(asked, part), *_of_outlines(found["outline"], found["target"])]
    listed += [*_of_words(found["words"]), *_of_marks(found)]
    if named := names_found(explained):
        words = ", ".join(named)
        listed.append(Feature("named", _("Its matching words"), words, words, True))
    return listed


def sentences(explained: Explained) -> list[str]:
    """One or two plain sentences: the first two of these, in the order of what they tell."""
    found = explained.found
    asked = found["query_facts"] or {}
    first, second = asked.get("extents"), explained.part.bbox_mm
    said = [
        _relation(asked, explained.part),
        _of_warmth(found["warmth"]),
        _of_moving(found),
        _of_names(names_found(explained)),
        _of_costliest(found["words"]),
        _of_proportions(first, second) if first and second else "",
        _of_overlap(found["outline"]),
        _of_pairs(len(found["pairs"])),
    ]
    return [sentence for sentence in said if sentence][:2]


def _of_warmth(warmth: dict[str, float]) -> str:
    if not warmth:
        return ""
    share = round(100 * warmth["share"])
    if warmth["share"] < WARM:
        return _(
            "The match rests on the whole part about evenly: the warmest quarter of its picture "
            "carries %(share)s%% of the heat."
        ) % {"share": share}
    place = place_name(warmth["x"], warmth["y"])
    return _(
        "The match rests most on %(place)s: the warmest quarter of the part's picture carries "
        "%(share)s%% of the heat."
    ) % {"place": place, "share": share}


def place_name(x: float, y: float) -> str:
    """Where in the part's box a place is, by thirds."""
    names = (
        (_("its upper left"), _("its top"), _("its upper right")),
        (_("its left side"), _("its middle"), _("its right side")),
        (_("its lower left"), _("its bottom"), _("its lower right")),
    )
    # The middle of a quarter seldom reaches the border: thirds of what it can reach.
    row, column = (0 if v < 0.4 else 2 if v > 0.6 else 1 for v in (y, x))
    return names[row][column]


def _of_moving(found: dict[str, Any]) -> str:
    """What the marks changed."""
    if found["alone"] is None:
        return ""
    return _(
        "With the marked parts the similarity is %(moved)s; of what was asked alone it is "
        "%(alone)s."
    ) % {"moved": f"{found['similarity']:.2f}", "alone": f"{found['alone']:.2f}"}


def _of_names(named: list[str]) -> str:
    if not named:
        return ""
    return _("Its name, number, tags or category contain “%(words)s”.") % {
        "words": ", ".join(named)
    }


def _of_costliest(words: list[dict[str, Any]]) -> str:
    """The word whose removal costs most, where it costs anything."""
    if not words or words[0]["without"] >= words[0]["whole"]:
        return ""
    return _(
        "Of the words, “%(word)s” counts most: without it the similarity of the text is "
        "%(without)s instead of %(whole)s."
    ) % {
        "word": words[0]["word"],
        "without": f"{words[0]['without']:.2f}",
        "whole": f"{words[0]['whole']:.2f}",
    }


def _of_overlap(outline: dict[str, Any] | None) -> str:
    if not outline or outline["overlap"] < OVERLAP:
        return ""
    overlap = round(100 * outline["overlap"])
    return _("Laid over each other, the two outlines share %(overlap)s%% of their area.") % {
        "overlap": overlap
    }


def _of_pairs(count: int) -> str:
    if not count:
        return ""
    return ngettext(
        "%(count)s place of the two pictures matches.",
        "%(count)s places of the two pictures match.",
        count,
    ) % {"count": count}


def _of_proportions(first: list[float], second: tuple[float, ...]) -> str:
    one, two = proportions(first), proportions(second)
    apart = max(abs(a - b) for a, b in zip(one, two, strict=True))
    kind = {
        True: _("Their proportions agree: %(query)s and %(hit)s."),
        False: _("Their proportions differ: %(query)s and %(hit)s."),
    }[apart <= ALIKE]
    return kind % {"query": _ratio(one), "hit": _ratio(two)}


def proportions(extents: Any) -> tuple[float, ...]:
    """The sides over the longest one, the longest first."""
    sides = sorted((float(side) for side in extents), reverse=True)
    return tuple(side / max(sides[0], 1e-12) for side in sides)


def _ratio(sides: tuple[float, ...]) -> str:
    return " : ".join(f"{side:.2f}".rstrip("0").rstrip(".") for side in sides)


def _relation(asked: dict[str, Any], part: Part) -> str:
    from search.engine.shape.invariants import Invariants
    from search.engine.shape.relation import relation_decide

    if not asked.get("invariants") or not part.invariants:
        return ""
    relation = relation_decide(
        Invariants.from_json(asked["invariants"]), Invariants.from_json(part.invariants)
    )
    factor = {"factor": significant(relation.factor)}
    match relation.kind:
        case "same":
            return _("It is the same shape at the same size.")
        case "scaled":
            return _("It is the same shape, %(factor)s times as large.") % factor
        case "mirrored":
            return _("It is the mirror image, %(factor)s times as large.") % factor
        case _:
            return ""


def _of_meshes(asked: dict[str, Any], part: Part) -> list[Feature]:
    """Proportions, fill and pieces of a mesh that was asked with and of the part."""
    listed = []
    if said := _relation(asked, part):
        listed.append(Feature("relation", _("Relation"), "", said, True))
    if asked.get("extents") and part.bbox_mm:
        one, two = proportions(asked["extents"]), proportions(part.bbox_mm)
        apart = max(abs(a - b) for a, b in zip(one, two, strict=True))
        listed.append(
            Feature("proportions", _("Proportions"), _ratio(one), _ratio(two), apart <= ALIKE)
        )
        fills = _fill(asked["extents"], asked), _fill(part.bbox_mm, {
            "volume": part.volume_mm3, "watertight": part.watertight,
        })  # fmt: skip
        if fills[0] is not None and fills[1] is not None:
            listed.append(
                Feature(
                    "fill",
                    _("How much of its bounding box is solid"),
                    _percent(fills[0]),
                    _percent(fills[1]),
                    abs(fills[0] - fills[1]) <= ALIKE,
                )  # fmt: skip
            )
    if asked.get("components") and part.components:
        pieces = asked["components"], part.components
        listed.append(
            Feature("components", _("Components"), *map(str, pieces), pieces[0] == pieces[1])
        )
    return listed


def _fill(extents: Any, facts: dict[str, Any]) -> float | None:
    """Volume over the box's; None where a volume is only an estimate."""
    box = math.prod(float(side) for side in extents)
    if not facts.get("watertight") or not facts.get("volume") or box <= 0:
        return None
    return min(1.0, abs(float(facts["volume"])) / box)


def _of_outlines(outline: dict[str, Any] | None, target: str) -> list[Feature]:
    """What the silhouettes of the two pictures say; the query's as it was turned to match."""
    if not outline:
        return []
    one, two = outline["query"], outline["hit"]
    aspects = one["aspect"], two["aspect"]
    near = abs(math.log(max(aspects[0], 1e-6) / max(aspects[1], 1e-6))) <= OUTLINE
    return [
        Feature(
            "outline_aspect", _("Outline, height to width"),
            *(f"{aspect:.2f}" for aspect in aspects), near,
        ),
        Feature(
            "outline_fill", _("How much of its bounding rectangle the outline fills"),
            _percent(one["fill"]), _percent(two["fill"]), abs(one["fill"] - two["fill"]) <= OUTLINE,
        ),
        Feature(
            "outline_holes", _("Holes one can look through"),
            str(one["holes"]), str(two["holes"]), one["holes"] == two["holes"],
        ),
    ]  # fmt: skip


def _of_words(words: list[dict[str, Any]]) -> list[Feature]:
    return [
        Feature(
            "word",
            _("Without “%(word)s”") % {"word": one["word"]},
            f"{one['whole']:.2f}",
            f"{one['without']:.2f}",
            one["without"] < one["whole"],
        )
        for one in words
    ]


def _of_marks(found: dict[str, Any]) -> list[Feature]:
    """The similarity without the marked parts and with them."""
    if found["alone"] is None:
        return []
    alone, moved = found["alone"], found["similarity"]
    texts = f"{alone:.2f}", f"{moved:.2f}"
    return [Feature("marks", _("Similarity and the marked parts"), *texts, moved > alone)]


def names_found(explained: Explained) -> list[str]:
    """The query's words that the part's name, number, tags or category hold, as they were typed."""
    from search.expand import words_split
    from search.glossary import glossary_current

    query = explained.query
    if query.kind not in ("text", "hybrid") or explained.like is not None:
        return []
    text, terms = query.text.strip(), terms_of(explained.part)
    found: dict[str, str] = {}
    for start, end in words_split(text, glossary_current()):
        groups = query_groups(text[start:end])
        if groups and all(any(term in terms for term in group.terms) for group in groups):
            found.setdefault(text[start:end].casefold(), text[start:end])
    return list(found.values())


def _percent(share: float) -> str:
    return f"{round(100 * share)}%"
