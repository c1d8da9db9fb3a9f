"""Finds parts by their words: numbers, names, tags, categories, descriptions, in both languages.

An inverted index in plain rows (`PartTerm`), so that it is as true as the database, the same on
SQLite and PostgreSQL, and current the moment a part is saved. Terms are looked up only by equality:

- `#r8107490`  a part number, whole
- `^r81`       each prefix of it
- `~r817490`   each of its spellings with one character left out: two numbers one typo apart
               (a character wrong, missing, doubled or swapped) share such a spelling
               (symmetric deletes, Garbe 2012)
- `bracket`    a Latin word, its plural removed
- `戒指`, `戒`  pairs of Chinese characters, and single ones, in simplified form: no word
               boundaries are needed, and both scripts find each other

A query reads a bounded number of postings however large the catalogue is: the heaviest
`POSTINGS` of its rarest terms give the candidates, and the other terms only score those.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from heapq import nlargest
from pathlib import Path
from typing import NamedTuple

from django.db import connection

from catalog.models import Part, PartTerm
from search.engine.text.fold import fold
from search.engine.text.stem import stem

# How much a term says, by where it stands. A number names one part; a description, many.
NUMBER, NAME, CATEGORY, TAG, FILE_NAME, DESCRIPTION = 8.0, 3.0, 2.0, 2.0, 1.5, 1.0
PREFIX_SHARE, TYPO_SHARE, SINGLE_CHARACTER_SHARE = 0.6, 0.4, 0.3
# Shorter numbers than this are not searched with typos: too many differ by one character.
TYPO_LENGTH = 5
TERM_LENGTH = 60
POSTINGS = 1000  # read of one term
CANDIDATES = 1000  # parts gathered, rarest terms first; the other terms only score the best of them
SCORED = 300  # that the other terms score: several times what is ever shown
QUERY_GROUPS = 32
TERMS_AT_ONCE = 500  # counted by one statement: databases bound its columns
# Words that say nothing of a part; a query of nothing else keeps them.
STOP_WORDS = {
    "a", "an", "and", "at", "by", "for", "from", "in", "is", "of", "on", "or", "that", "the", "to",
    "which", "with",
}  # fmt: skip
STOP_HAN = re.compile("的")

TOKEN = re.compile(r"[a-z0-9]+(?:[-_./][a-z0-9]+)*|[\u3400-\u9fff\uf900-\ufaff]+|[^\W\d_]+")
SEPARATOR = re.compile(r"[-_./]")
HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
NUMBER_LIKE = re.compile(r"(?=.*\d)[a-z0-9]{3,}$")


class Token(NamedTuple):
    kind: str  # "number", "word" or "han"
    text: str


def tokens(text: str) -> Iterator[Token]:
    """The folded text's numbers, words and runs of Chinese characters, in order."""
    for match in TOKEN.finditer(fold(text)):
        run = match.group()
        if HAN.match(run):
            yield Token("han", run)
            continue
        joined = SEPARATOR.sub("", run)
        if NUMBER_LIKE.match(joined):
            yield Token("number", joined)
        if joined != run or not NUMBER_LIKE.match(joined):
            yield from (Token("word", stem(word)) for word in SEPARATOR.split(run))


def deletes(number: str) -> set[str]:
    """The spellings of a number with one character left out."""
    return {number[:i] + number[i + 1 :] for i in range(len(number))}


# Writing ----------------------------------------------------------------------------------------


def terms_of(part: Part) -> dict[str, float]:
    """Every term the part is found by, with its weight."""
    fields: list[tuple[str, float]] = [
        (part.number, NUMBER),
        (part.name, NAME),
        (part.name_zh, NAME),
        (" ".join(map(str, part.tags)), TAG),
        (Path(part.file_name).stem, FILE_NAME),
        (part.description[:4000], DESCRIPTION),
    ]
    if part.category:
        fields += [(part.category.name, CATEGORY), (part.category.name_zh, CATEGORY)]
    weights: dict[str, float] = defaultdict(float)
    for text, weight in fields:
        found = list(tokens(text))
        # Long texts say less with each word; BM25's length normalisation, b = 1, mean of 8 words.
        weight /= math.sqrt(1 + len(found) / 8)
        for term, share in (pair for token in found for pair in _document_terms(token)):
            weights[term] = max(weights[term], weight * share)
    return dict(weights)


def _document_terms(token: Token) -> Iterator[tuple[str, float]]:
    text = token.text[:TERM_LENGTH]
    match token.kind:
        case "number":
            yield f"#{text}", 1.0
            yield from ((f"^{text[:n]}", PREFIX_SHARE) for n in range(2, len(text) + 1))
            if TYPO_LENGTH <= len(text) <= 24:
                yield from ((f"~{d}", TYPO_SHARE) for d in deletes(text) | {text})
        case "word":
            yield text, 1.0
        case "han":
            run = token.text
            yield from ((pair, 1.0) for pair in _pairs(run) if len(pair) == 2)
            # A name of one character is whole; within a longer one it says little.
            share = SINGLE_CHARACTER_SHARE if len(run) > 1 else 1.0
            yield from ((character, share) for character in run)


def terms_write(part: Part) -> None:
    """Make the part's postings what its words are now. Call inside the caller's transaction."""
    wanted = {} if part.deleted_at else terms_of(part)
    held = dict(PartTerm.objects.filter(part=part).values_list("term", "weight"))
    changed = {t for t, weight in wanted.items() if not math.isclose(held.get(t, -1), weight)}
    if stale := (held.keys() - wanted.keys()) | (changed & held.keys()):
        PartTerm.objects.filter(part=part, term__in=stale).delete()
    PartTerm.objects.bulk_create(
        (PartTerm(part=part, term=term, weight=wanted[term]) for term in changed), batch_size=200
    )


# Reading ----------------------------------------------------------------------------------------


class Group(NamedTuple):
    """What one token of a query may be found as: terms, each with its share."""

    terms: dict[str, float]


class Match(NamedTuple):
    """A part that words find. `score` is comparable between queries: see `parts_by_words`."""

    part: int
    score: float
    share: float  # of the query's tokens that were found


def query_groups(text: str) -> list[Group]:
    found = list(tokens(text))
    groups = _groups(token for token in found if token.text not in STOP_WORDS) or _groups(found)
    unique = {tuple(group.terms): group for group in groups}
    return list(unique.values())[:QUERY_GROUPS]


def _groups(found: Iterable[Token]) -> list[Group]:
    groups = []
    for token in found:
        match token.kind:
            case "number":
                number = token.text[:TERM_LENGTH]
                terms = {f"#{number}": 1.0, f"^{number}": 1.0}
                if len(number) >= TYPO_LENGTH:
                    terms |= {f"~{d}": 1.0 for d in deletes(number) | {number}}
                groups.append(Group(terms))
            case "word":
                # A short number or a word such as "r81" may begin a part number.
                groups.append(Group({token.text[:TERM_LENGTH]: 1.0, f"^{token.text}": 0.5}))
            case "han":
                runs = [run for run in STOP_HAN.split(token.text) if run] or [token.text]
                groups += [Group({term: 1.0}) for run in runs for term in _pairs(run)]
    return groups


def _pairs(run: str) -> list[str]:
    """A run of Chinese characters as the terms it is looked up by."""
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def only_numbers(text: str) -> bool:
    """Whether the text is part numbers and nothing else: it says nothing of a shape."""
    runs = [SEPARATOR.sub("", run) for run in TOKEN.findall(fold(text))]
    return bool(runs) and all(map(NUMBER_LIKE.match, runs))


def parts_by_words(
    text: str, *, limit: int, also: Sequence[str] = (), also_weight: float = 0.5
) -> list[Match]:
    """The parts that the words find, best first; ties by id.

    A wording's score is the share of its tokens found, times the mean weight that the part gives
    those that any part holds, each counted by its rarity: 1 for a short name found whole, more for
    a number. `also` are other wordings of the same query: theirs count `also_weight` times, and a
    part has the best of all.
    """
    wordings = [(query_groups(text), 1.0)]
    wordings += [(query_groups(other), also_weight) for other in also]
    frequency = _frequencies({t for groups, _ in wordings for group in groups for t in group.terms})
    postings = _Postings()
    best: dict[int, Match] = {}
    for groups, weight in wordings:
        for match in _wording_matches(groups, frequency, postings):
            score = weight * match.score
            if match.part not in best or score > best[match.part].score:
                best[match.part] = Match(match.part, score, match.share)
    return sorted(best.values(), key=lambda match: (-match.score, match.part))[:limit]


def _wording_matches(
    groups: Sequence[Group], frequency: dict[str, int], postings: "_Postings"
) -> Iterator[Match]:
    present = [group for group in groups if any(frequency.get(t) for t in group.terms)]
    present.sort(key=lambda group: sum(frequency.get(term, 0) for term in group.terms))
    scores: dict[int, float] = defaultdict(float)
    found: dict[int, int] = defaultdict(int)
    most = 0.0
    for group in present:
        most += max(_rarity(frequency[term]) for term in group.terms if frequency.get(term))
        among = None
        if len(scores) >= CANDIDATES:
            among = nlargest(SCORED, scores, key=lambda part: (scores[part], -part))
        for part, weight in _group_weights(group, frequency, postings, among=among).items():
            scores[part] += weight
            found[part] += 1
    for part, score in scores.items():
        share = found[part] / len(groups)
        yield Match(part, score / (most * NAME) * share, share)


def _rarity(frequency: int) -> float:
    return math.log1p(POSTINGS / frequency)


def _frequencies(terms: set[str]) -> dict[str, int]:
    """How many parts each term finds, counted to `POSTINGS` at most.

    Hundreds of terms a statement: asked one by one, the asking costs more than the counting.
    """
    table = connection.ops.quote_name(PartTerm._meta.db_table)
    head = f"SELECT 1 FROM {table} WHERE term = %s LIMIT {POSTINGS}"
    counts: dict[str, int] = {}
    names = sorted(terms)
    with connection.cursor() as cursor:
        for start in range(0, len(names), TERMS_AT_ONCE):
            some = names[start : start + TERMS_AT_ONCE]
            columns = ", ".join([f"(SELECT COUNT(*) FROM ({head}) AS head)"] * len(some))
            cursor.execute(f"SELECT {columns}", some)
            counts |= zip(some, cursor.fetchone(), strict=True)
    return counts


def _group_weights(
    group: Group,
    frequency: dict[str, int],
    postings: "_Postings",
    *,
    among: Sequence[int] | None,
) -> dict[int, float]:
    """The best rarity x weight x share that any of the group's terms gives each part."""
    best: dict[int, float] = {}
    for term, share in group.terms.items():
        if not frequency.get(term):
            continue
        rarity = _rarity(frequency[term])
        for part, weight in postings.read(term, among):
            best[part] = max(best.get(part, 0.0), rarity * weight * share)
    return best


class _Postings:
    """The postings that one query reads, each term's only once: its wordings share most terms."""

    def __init__(self) -> None:
        self._kept: dict[str, list[tuple[int, float]]] = {}

    def read(self, term: str, among: Sequence[int] | None) -> Iterable[tuple[int, float]]:
        if term in self._kept:
            return self._kept[term]
        rows = PartTerm.objects.filter(term=term).order_by("-weight", "part").values_list(
            "part", "weight"
        )  # fmt: skip
        if among is not None:
            return rows.filter(part__in=among)
        self._kept[term] = list(rows[:POSTINGS])
        return self._kept[term]
