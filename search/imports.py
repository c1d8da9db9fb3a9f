"""Takes back the vectors of a folder that `search/exports.py` wrote, for the parts that are here.

The folder may have been anywhere meanwhile: nothing of it is believed before it was checked.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np

from catalog.errors import ServiceError
from catalog.models import Part
from search import embeddings, encoders, engines
from search.exports import FORMAT, METADATA, Vectors, checksums
from search.lifecycle import installs

if TYPE_CHECKING:
    from search.engine.encoders import space as engine_space

CHUNK = 10_000  # vectors checked at once


@dataclass(frozen=True)
class Imported:
    """What came of one index of a folder."""

    name: str
    written: int
    same: int
    unknown: int  # parts that are not in this catalogue


def index_import(folder: Path) -> list[Imported]:
    """Take the vectors of an exported folder for the parts that are here. Raises `ServiceError`.

    Everything is checked before anything is written: the checksums, that each index holds every
    view in a space of an engine in use or installed here, and that its rows are vectors of that
    space, each with a label. What an engine that is being filled gets so, it need not make.
    """
    metadata = _metadata_read(folder)
    names = [*engines.in_use(), *(row.engine for row in installs.kept_whole())]
    here = {space.key: space for space in engines.spaces(names)}
    wordy = {
        words.key for name in names if (words := encoders.words_space(name))
        and not encoders.is_joint(name)
    }  # fmt: skip
    for name, facts in metadata["indexes"].items():
        if facts["space"] not in here:
            raise ServiceError("import_space", name=name, space=facts["space"])
        if facts["type"] != "Flat" or (facts["pooled"] and facts["space"] not in wordy):
            raise ServiceError("import_partial", name=name)
        if not _is_whole(folder, facts, here[facts["space"]]):
            raise ServiceError("import_damaged", name=name)
    return [
        _index_read(folder, name, facts, here[facts["space"]])
        for name, facts in metadata["indexes"].items()
    ]


def _metadata_read(folder: Path) -> dict[str, Any]:
    try:
        metadata = json.loads((folder / METADATA).read_text(encoding="utf-8"))
        known = metadata["format"] == FORMAT
        for facts in metadata["indexes"].values():
            files = {facts["file"], facts["labels"]}
            known = known and files == facts["sha256"].keys()
            known = known and isinstance(facts["space"], str) and {"type", "pooled"} <= facts.keys()
            paths = [folder / file for file in files]
            known = known and all(path.parent == folder and path.is_file() for path in paths)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        known = False
    if not known:
        raise ServiceError("import_unknown", folder=str(folder))
    return metadata


def _is_whole(folder: Path, facts: dict[str, Any], space: "engine_space.Space") -> bool:
    """Whether the files are those that were written, and hold vectors of the space, with labels."""
    if checksums(*(folder / file for file in facts["sha256"]))["sha256"] != facts["sha256"]:
        return False
    with engines.engine_errors():
        vectors = _vectors(folder / facts["file"])
    labelled = 0
    try:
        for part, _start, labelled in _rows_grouped(folder / facts["labels"]):  # noqa: B007
            UUID(part)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    if vectors.shape != (labelled, space.d):
        return False
    # What is not normalised, or not a number, would spoil every search of the space.
    some = (vectors[start : start + CHUNK] for start in range(0, labelled, CHUNK))
    return all(np.max(np.linalg.norm(of, axis=1)) < 1 + 1e-3 for of in some)


def _vectors(path: Path) -> Vectors:
    from search.engine.index.flat_file import flat_map

    return flat_map(path)


def _index_read(
    folder: Path, name: str, facts: dict[str, Any], space: "engine_space.Space"
) -> Imported:
    vectors = _vectors(folder / facts["file"])
    counts = {"written": 0, "same": 0, "unknown": 0}
    for some in _batched(_rows_grouped(folder / facts["labels"])):
        parts = dict(
            Part.objects.filter(uuid__in=[part for part, _, _ in some]).values_list("uuid", "pk")
        )
        ids = {str(uuid): pk for uuid, pk in parts.items()}
        for part, start, stop in some:
            if part not in ids:
                counts["unknown"] += 1
                continue
            new = embeddings.embeddings_write(
                part_id=ids[part], space=space, vectors=vectors[start:stop]
            )
            counts["written" if new else "same"] += 1
    return Imported(name, **counts)


def _rows_grouped(path: Path) -> Iterator[tuple[str, int, int]]:
    """Each part of the labels, and its rows: first, one past the last."""
    part, start, row = "", 0, 0
    with path.open(encoding="utf-8") as file:
        for line in file:
            text = line.strip().rstrip(",")
            if text in {"[", "]", ""}:
                continue
            label = json.loads(text)
            if label["part"] != part:
                if part:
                    yield part, start, row
                part, start = label["part"], row
            row += 1
    if part:
        yield part, start, row


def _batched(
    rows: Iterator[tuple[str, int, int]],
) -> Iterator[list[tuple[str, int, int]]]:
    some: list[tuple[str, int, int]] = []
    for one in rows:
        some.append(one)
        if len(some) == embeddings.BATCH:
            yield some
            some = []
    if some:
        yield some
