"""Says a query in other words: terms of the glossary replaced by what means the same.

Pure: texts in, texts out. Where the glossary comes from and what is done with the wordings is the
business of others; nothing here knows a database, an encoder or an index.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from search.engine.text.fold import fold
from search.engine.text.stem import stem

HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
UNIT = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|[^\W_\u3400-\u9fff\uf900-\ufaff]+")
# What may stand between two words of a term: "hex-bolt" and "hex bolt" are one.
JOINT = re.compile(r"[\s\-_./'’]*")
COMMA = re.compile(r"[,，、;；\n]+")
BETWEEN_HAN = re.compile(r"(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])")


class Unit(NamedTuple):
    """A Latin word or one Chinese character of a text, folded, and where it stood."""

    text: str
    start: int
    end: int
    han: bool


@dataclass(frozen=True)
class Glossary:
    """Groups of terms that mean the same, found by the folded units of a term."""

    groups: tuple[tuple[str, ...], ...]
    places: Mapping[tuple[str, ...], tuple[int, ...]]  # a term -> the groups it stands in
    longest: int  # in units

    def others(self, term: tuple[str, ...]) -> list[str]:
        """What stands beside the term in its groups, in their order."""
        others = (other for place in self.places[term] for other in self.groups[place])
        return list(dict.fromkeys(other for other in others if _key(other) != term))


class Match(NamedTuple):
    """A term of the glossary in a text, and the words that mean the same."""

    start: int
    end: int
    others: list[str]


def terms_split(text: str) -> list[str]:
    """The terms of a group as people write it: commas of either script or lines between them.

    Spaces are made single, and a term that folds to an earlier one is left out.
    """
    terms = (" ".join(term.split()) for term in COMMA.split(text))
    unique: dict[tuple[str, ...], str] = {}
    for term in terms:
        if key := _key(term):
            unique.setdefault(key, term)
    return list(unique.values())


def groups_read(path: Path) -> list[list[str]]:
    """The groups of a glossary file: one a line, # begins a comment."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [terms_split(line) for line in lines if line.strip() and not line.startswith("#")]


def glossary_make(groups: Iterable[Sequence[str]]) -> Glossary:
    held = tuple(tuple(group) for group in groups)
    places: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, group in enumerate(held):
        for term in group:
            if key := _key(term):
                places[key].append(place)
    return Glossary(
        groups=held,
        places={key: tuple(of) for key, of in places.items()},
        longest=max(map(len, places), default=0),
    )


def text_expand(text: str, glossary: Glossary, *, most: int) -> list[str]:
    """The text in other words, the likeliest first, at most `most`, without the text itself.

    Whole wordings in the other script and single words swapped within the script take turns. What
    replaces a term is never replaced again, so a glossary may go round in circles.
    """
    found = terms_match(text, glossary)
    if not found or most < 1:
        return []
    wordings = (
        wording
        for turn in zip_longest(_translations(text, found), _swaps(text, found))
        for wording in turn
        if wording
    )
    seen = {_key(text)}
    chosen: list[str] = []
    for wording in wordings:
        if (key := _key(wording)) in seen:
            continue
        seen.add(key)
        chosen.append(wording)
        if len(chosen) == most:
            break
    return chosen


def terms_match(text: str, glossary: Glossary) -> list[Match]:
    """The glossary's terms in the text, in order and without overlap; the longest win.

    A Latin term matches whole words, a Chinese one a run of characters anywhere; a term of one
    Chinese character only where that character stands alone.
    """
    units = list(_units(text))
    found = [
        (first, last, tuple(unit.text for unit in units[first:last]))
        for first in range(len(units))
        for last in range(first + 1, min(first + glossary.longest, len(units)) + 1)
    ]
    found = [span for span in found if span[2] in glossary.places and _whole(text, units, span)]
    found.sort(key=lambda span: (units[span[0]].start - units[span[1] - 1].end, span[0]))
    taken: set[int] = set()
    matches = []
    for first, last, term in found:
        if taken.isdisjoint(range(first, last)):
            taken.update(range(first, last))
            matches.append(Match(units[first].start, units[last - 1].end, glossary.others(term)))
    return sorted(matches)


def words_split(text: str, glossary: Glossary) -> list[tuple[int, int]]:
    """Where the words of a text begin and end, in order: terms of the glossary whole, other Latin
    words one by one, other runs of Chinese as they stand."""
    found = [(match.start, match.end) for match in terms_match(text, glossary)]
    rest = [
        unit
        for unit in _units(text)
        if not any(start < unit.end and unit.start < end for start, end in found)
    ]
    runs: list[tuple[int, int]] = []
    for unit, before in zip(rest, [None, *rest], strict=False):
        if before and unit.han and before.han and before.end == unit.start and runs:
            runs[-1] = (runs[-1][0], unit.end)
        else:
            runs.append((unit.start, unit.end))
    return sorted(found + runs)


def prompts(text: str, templates: Mapping[str, Sequence[str]]) -> list[str]:
    """The text in its script's templates ("en" or "zh"), each with {} where the text goes."""
    return [template.replace("{}", text) for template in templates[script_of(text)]] or [text]


def script_of(text: str) -> str:
    """ "zh" when any of it is Chinese, else "en"."""
    return "zh" if HAN.search(text) else "en"


def _units(text: str) -> Iterator[Unit]:
    """The text's units. Folded character by character, so that each knows where it stood."""
    folded: list[str] = []
    origins: list[int] = []
    for place, character in enumerate(text):
        spelled = fold(character)
        folded.append(spelled)
        origins += [place] * len(spelled)
    for match in UNIT.finditer("".join(folded)):
        unit, han = match.group(), bool(HAN.match(match.group()))
        start, end = origins[match.start()], origins[match.end() - 1] + 1
        yield Unit(unit if han else stem(unit), start, end, han)


def _key(term: str) -> tuple[str, ...]:
    return tuple(unit.text for unit in _units(term))


def _whole(text: str, units: list[Unit], span: tuple[int, int, tuple[str, ...]]) -> bool:
    first, last, _term = span
    inside = units[first:last]
    for one, next_one in zip(inside, inside[1:], strict=False):
        between = text[one.end : next_one.start]
        if not JOINT.fullmatch(between) or (one.han and next_one.han and between):
            return False
    if len(inside) > 1 or not inside[0].han:
        return True
    beside = [*units[max(first - 1, 0) : first], *units[last : last + 1]]
    return not any(
        unit.han and (unit.end == inside[0].start or unit.start == inside[0].end) for unit in beside
    )


def _translations(text: str, found: list[Match]) -> Iterator[str]:
    """The whole text with every term in the script that it is not in; then the next choices."""
    script = {"en": "zh", "zh": "en"}[script_of(text)]
    choices = [[o for o in match.others if script_of(o) == script] for match in found]
    for turn in range(max(map(len, choices))):
        put = [
            (match, of[min(turn, len(of) - 1)])
            for match, of in zip(found, choices, strict=True)
            if of
        ]
        yield _replaced(text, put)


def _swaps(text: str, found: list[Match]) -> Iterator[str]:
    """The text with one term said otherwise in its own script; every term's first choice first."""
    of_script = [
        [
            (match, other)
            for other in match.others
            if script_of(other) == script_of(text[match.start : match.end])
        ]
        for match in found
    ]
    for turn in zip_longest(*of_script):
        yield from (_replaced(text, [put]) for put in turn if put)


def _replaced(text: str, put: list[tuple[Match, str]]) -> str:
    """The text with other words in the places of the matches, spaced as its script asks."""
    made, end = "", 0
    for match, other in put:
        made = _joined(_joined(made, text[end : match.start]), other)
        end = match.end
    return BETWEEN_HAN.sub("", _joined(made, text[end:])).strip()


def _joined(left: str, right: str) -> str:
    """Two pieces of a text; words that would run together get a space."""
    runs_on = left and right and left[-1].isalnum() and right[0].isalnum()
    both_han = runs_on and HAN.match(left[-1]) and HAN.match(right[0])
    return f"{left} {right}" if runs_on and not both_han else left + right
