"""Files of judgements, read: text in, what was asked and which parts are right out.

CSV and TSV with a header, JSON (a list, or a line each), and TREC's qrels with their topics.
Pure: knows no database; parts and pictures are names here.
"""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

# More than anybody judged, and all in memory at once.
ROWS_MOST = 200_000
FAULTS_MOST = 50
# What a column may be called.
COLUMNS = {
    "id": ("id", "qid", "query_id", "topic"),
    "text": ("text", "query", "words", "title"),
    "picture": ("picture", "image", "photo"),
    "mesh": ("mesh", "stl"),
    "language": ("language", "lang"),
    "part": ("part", "parts", "part_number", "number", "relevant", "docid", "doc"),
    "grade": ("grade", "relevance", "rel", "score"),
}
RIGHT = 1.0


class FileFault(Exception):
    """The file cannot be used at all: a code of the house's errors and its parameters."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


@dataclass
class Asked:
    """One query: words, the names of a picture or a mesh, and {part as written: grade}."""

    name: str = ""
    text: str = ""
    picture: str = ""
    mesh: str = ""
    language: str = ""
    grades: dict[str, float] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        if self.mesh:
            return "mesh"
        if self.picture:
            return "hybrid" if self.text else "image"
        return "text"


@dataclass(frozen=True)
class Fault:
    """A line that was left out, and the code of why."""

    line: int
    code: str


@dataclass(frozen=True)
class Read:
    asked: list[Asked]
    faults: list[Fault]


def judgements_read(name: str, data: bytes, topics: Mapping[str, Asked] | None = None) -> Read:
    """The queries of a file, by its name's ending or its looks. `topics` are for qrels."""
    text = _decode(data)
    suffix = PurePosixPath(name).suffix.lower()
    first = next((line for line in text.splitlines() if line.strip()), "")
    if suffix in {".jsonl", ".ndjson", ".json"} or first.lstrip().startswith(("{", "[")):
        rows = _json_rows(text)
    elif _is_qrels(first):
        rows = _qrels_rows(text, topics or {})
    else:
        rows = _table_rows(text, delimiter=_delimiter(first))
    return _gather(rows)


def topics_read(name: str, data: bytes) -> dict[str, Asked]:
    """TREC topics as people keep them now: a line a query, its id, a tab, its words; or as above.

    Without judgements: what qrels name by id.
    """
    text = _decode(data)
    first = next((line for line in text.splitlines() if line.strip()), "")
    if first.lstrip().startswith(("{", "[")):
        rows: Iterable[Any] = _json_rows(text)
    elif _header(_split(first, _delimiter(first))):
        rows = _table_rows(text, delimiter=_delimiter(first), judged=False)
    else:
        rows = _plain_topics(text)
    found: dict[str, Asked] = {}
    for _line, row in rows:
        if isinstance(row, Asked) and row.name:
            found.setdefault(row.name, row)
    return found


Row = tuple[int, "Asked | str"]  # the line, and what it says or the code of why it says nothing


def _gather(rows: Iterator[Row]) -> Read:
    """Rows of the same query become one."""
    held: dict[tuple[str, ...], Asked] = {}
    faults: list[Fault] = []
    for count, (line, row) in enumerate(rows):
        if count >= ROWS_MOST:
            raise FileFault("judgements_too_many", most=ROWS_MOST)
        if isinstance(row, str):
            faults.append(Fault(line, row))
            continue
        key = (row.name, row.text, row.picture, row.mesh)
        grades = held.setdefault(key, row).grades
        if any(grades.get(part, grade) != grade for part, grade in row.grades.items()):
            faults.append(Fault(line, "line_other_grade"))
        for part, grade in row.grades.items():
            grades.setdefault(part, grade)
    return Read(list(held.values()), faults)


def _decode(data: bytes) -> str:
    for encoding in ("utf-8-sig", "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:  # no database keeps it, and it is UTF-16 without its mark
            return text
    raise FileFault("judgements_not_text")


def _grade(value: Any) -> float | None:
    """A grade as written; None for what is none. Nothing written is right."""
    if value is None or value == "":
        return RIGHT
    try:
        grade = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    # TREC writes -1 and -2 for what nobody should see.
    return max(0.0, grade) if math.isfinite(grade) and grade <= 10 else None


# JSON -------------------------------------------------------------------------------------------


def _json_rows(text: str) -> Iterator[Row]:
    """Of one list or object, however it is written; else of lines. A row's line is its place."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        yield from _json_lines(text)
    else:
        for number, row in enumerate(whole if isinstance(whole, list) else [whole], 1):
            yield number, _json_row(row)


def _json_lines(text: str) -> Iterator[Row]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                yield number, "line_not_json"
                continue
            yield number, _json_row(row)


def _json_row(row: Any) -> Asked | str:
    if not isinstance(row, dict):
        return "line_not_json"
    known = {
        column: next((row[name] for name in names if row.get(name) is not None), "")
        for column, names in COLUMNS.items()
    }
    grades = _json_grades(known["part"], known["grade"])
    if isinstance(grades, str):
        return grades
    texts = {name: str(known[name]) for name in TEXTS}
    if not all(_is_text(text) for text in (*texts.values(), *grades)):
        return "line_not_text"
    return _asked(texts, grades)


def _is_text(value: str) -> bool:
    """Whether a database can keep it: JSON can say half a character, or none, by its number."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value


def _json_grades(said: Any, grade: Any) -> dict[str, float] | str:
    """ "R1", ["R1", "R2"], {"R1": 3} or [{"part": "R1", "grade": 3}]."""
    pairs: list[tuple[Any, Any]]
    if isinstance(said, dict):
        pairs = list(said.items())
    elif isinstance(said, list):
        pairs = [
            (of.get("part"), of.get("grade")) if isinstance(of, dict) else (of, grade)
            for of in said
        ]
    else:
        pairs = [(said, grade)] if said != "" else []
    found = {}
    for part, value in pairs:
        if (one := _grade(value)) is None:
            return "line_bad_grade"
        if part is not None and str(part).strip():
            found[str(part).strip()] = one
    return found


# Tables -----------------------------------------------------------------------------------------

TEXTS = ("id", "text", "picture", "mesh", "language")


def _table_rows(text: str, *, delimiter: str, judged: bool = True) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        places = _header(next(reader, []))
        if not places or (judged and "part" not in places):
            raise FileFault("judgements_no_header")
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, _table_row(row, places, judged=judged)
    except csv.Error as error:
        raise FileFault("judgements_not_text") from error


def _table_row(row: list[str], places: Mapping[str, int], *, judged: bool) -> Asked | str:
    cells = {name: row[at].strip() if at < len(row) else "" for name, at in places.items()}
    grade = _grade(cells.get("grade"))
    if grade is None:
        return "line_bad_grade"
    parts = cells.get("part", "").replace("|", ";").split(";")
    grades = {part.strip(): grade for part in parts if part.strip()}
    if judged and not grades:
        return "line_no_part"
    return _asked(cells, grades)


def _header(cells: list[str]) -> dict[str, int]:
    """Where each column is; empty when this is no header."""
    names = [cell.strip().lower().replace(" ", "_") for cell in cells]
    found = {
        column: names.index(name)
        for column, known in COLUMNS.items()
        for name in known[::-1]
        if name in names
    }
    asks = {"id", "text", "picture", "mesh"} & found.keys()
    return found if asks and len(found) > 1 else {}


def _delimiter(line: str) -> str:
    """What parts a header's columns; where commas are decimal, spreadsheets write semicolons."""
    return next((of for of in "\t;" if len(_header(_split(line, of))) > 1), ",")


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _asked(cells: Mapping[str, str], grades: dict[str, float]) -> Asked | str:
    said = {name: cells.get(name, "").strip() for name in TEXTS}
    if not (said["text"] or said["picture"] or said["mesh"] or said["id"]):
        return "line_no_query"
    if len(said["text"]) > 500:
        return "line_too_long"
    language = {"zh": "zh", "en": "en"}.get(said["language"].lower()[:2], "")
    return Asked(
        said["id"][:120], said["text"], said["picture"], said["mesh"], language, dict(grades)
    )


# TREC -------------------------------------------------------------------------------------------


def _is_qrels(line: str) -> bool:
    """`topic iteration document relevance`."""
    cells = line.split()
    if len(cells) != 4:
        return False
    try:
        float(cells[3])
    except ValueError:
        return False
    return cells[1].lower() in {"0", "q0", "1"}


def _qrels_rows(text: str, topics: Mapping[str, Asked]) -> Iterator[Row]:
    for number, line in enumerate(text.splitlines(), 1):
        cells = line.split()
        if not cells:
            continue
        if len(cells) != 4 or (grade := _grade(cells[3])) is None:
            yield number, "line_bad_grade" if len(cells) == 4 else "line_not_qrels"
            continue
        topic = topics.get(cells[0])
        if topic is None:
            yield number, "line_no_topic"
            continue
        yield (
            number,
            Asked(
                topic.name, topic.text, topic.picture, topic.mesh, topic.language, {cells[2]: grade}
            ),
        )


def _plain_topics(text: str) -> Iterator[Row]:
    for number, line in enumerate(text.splitlines(), 1):
        name, tab, words = line.strip().partition("\t")
        if not tab:
            name, _space, words = line.strip().partition(" ")
        if name and words.strip():
            yield number, Asked(name=name.strip()[:120], text=words.strip()[:500])
