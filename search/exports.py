"""The catalogue's vectors as plain faiss files beside plain JSON, for programs that are not ours.

A folder holds for each engine `<name>.index` (an IndexFlatIP of one vector a view), a
`<name>_labels.json` (what each row is) and `<name>_words.index` where words meet pictures in a
space of their own; `metadata.json` says what was written, with checksums. Whatever is in the
catalogue, memory holds a batch of it. The same folder can be read back by an installation that
holds the same parts.
"""

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from django.utils import timezone
from numpy.typing import NDArray

from catalog.errors import ServiceError
from catalog.models import Part
from search import embeddings, encoders, engines
from search.indices import index_compact, snapshots_root
from search.models import Space

if TYPE_CHECKING:
    from search.engine.encoders import space as engine_space
    from search.engine.index.types import RowBatch

FORMAT = 1
METADATA = "metadata.json"

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Source:
    """One file to be: its name without an ending, the engine, and the space of its vectors."""

    stem: str
    engine: str
    space: "engine_space.Space"


@dataclass(frozen=True)
class Imported:
    """What came of one index of a folder."""

    name: str
    written: int
    same: int
    unknown: int  # parts that are not in this catalogue


# Out --------------------------------------------------------------------------------------------


def index_export(
    folder: Path, *, names: Iterable[str] = (), pooled: bool = False, snapshot: bool = False
) -> dict[str, Any]:
    """Write the folder and return its metadata. Raises `ServiceError`.

    `names`: these engines, those in use when none is named. `pooled`: one vector a part, the mean
    of its views. `snapshot`: the snapshot's own index where that is approximate, with rows of
    parts that are gone labelled null. The folder appears whole, or is left as it was; one that an
    earlier export made is replaced file by file, the metadata last.
    """
    if folder.exists() and not folder.is_dir():
        raise ServiceError("export_folder", folder=str(folder))
    held = _names(folder) if folder.exists() else set()
    if held and METADATA not in held:
        raise ServiceError("export_folder", folder=str(folder))
    work = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        facts = {}
        for source in _sources(names):
            row = Space.objects.filter(key=source.space.key).first()
            if row is not None:
                write = _snapshot_write if snapshot and not pooled else _flat_write
                facts[source.stem] = _facts(source, row) | write(work, source, row, pooled=pooled)
        metadata = {
            "format": FORMAT,
            "made_at": timezone.now().isoformat(timespec="seconds"),
            "made_by": f"STL Catalog {settings.VERSION}",
            "indexes": facts,
        }
        _json_write(work / METADATA, metadata)
        _folder_put(work, folder, held)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return metadata


def _sources(names: Iterable[str]) -> list[Source]:
    wanted = list(names) or engines.in_use()
    if unknown := [name for name in wanted if name not in settings.SEARCH.engines]:
        known = ", ".join(settings.SEARCH.engines)
        raise ServiceError("engine_unknown", engine=", ".join(unknown)[:40], known=known)
    found = []
    for name in dict.fromkeys(wanted):
        stem, words = stem_of(name), encoders.words_space(name)
        found.append(Source(stem, name, encoders.space(name)))
        if words and not encoders.is_joint(name):
            found.append(Source(f"{stem}_words", name, words))
    return found


def stem_of(name: str) -> str:
    """An engine's file name: `clip_vit_b32` for CLIP's ViT-B-32, else the engine's own name."""
    engine = settings.SEARCH.engines[name]
    if engine.encoder != "openclip":
        return _slug(name)
    model = re.sub(r"_([a-z])_(?=\d)", r"_\1", _slug(engine.model_name))
    return model if "clip" in model or "siglip" in model else f"clip_{model}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _facts(source: Source, row: Space) -> dict[str, Any]:
    return {
        "file": f"{source.stem}.index",
        "labels": f"{source.stem}_labels.json",
        "engine": source.engine,
        "encoder": row.encoder,
        "space": row.key,
        "d": row.d,
        "metric": "inner_product",
        "normalised": True,
    }


def _flat_write(work: Path, source: Source, row: Space, *, pooled: bool) -> dict[str, Any]:
    """Every present part's vectors, a batch at a time."""
    from search.engine.fusion import views_mean
    from search.engine.index.flat_file import FlatWriter

    parts = 0
    path, labels = work / f"{source.stem}.index", work / f"{source.stem}_labels.json"
    with FlatWriter(path, row.d) as index, _Labels(labels) as rows:
        for batch in embeddings.rows_after(row, 0, until=row.last_seq):
            known = _labels_of(batch)
            for part_id, vectors in _parts_of(batch):
                if part_id not in known:
                    continue
                parts += 1
                index.add(views_mean(vectors) if pooled else _normalised(vectors))
                for view in [None] if pooled else range(len(vectors)):
                    rows.add(known[part_id] | {"view": view})
    return {
        "type": "Flat",
        "pooled": pooled,
        "parts": parts,
        "vectors": index.vectors,
        "watermark": row.last_seq,
    } | _checksums(path, labels)


def _snapshot_write(work: Path, source: Source, row: Space, *, pooled: bool) -> dict[str, Any]:
    """The newest snapshot's own faiss file, when there is one."""
    from search.engine.index.snapshot import snapshot_open

    version = index_compact(row.key).version
    held = snapshot_open(snapshots_root() / row.key / version, space_key=row.key, d=row.d)
    if held.coarse is None:
        return _flat_write(work, source, row, pooled=pooled)
    path, labels = work / f"{source.stem}.index", work / f"{source.stem}_labels.json"
    shutil.copyfile(held.folder / "index.faiss", path)
    parts = 0
    with _Labels(labels) as rows:
        for start in range(0, len(held.part_ids), embeddings.BATCH):
            ids = held.part_ids[start : start + embeddings.BATCH]
            known = _labels_for(ids.tolist())
            for place, part_id in enumerate(ids.tolist(), start):
                parts += part_id in known
                for view in range(int(held.offsets[place + 1] - held.offsets[place])):
                    rows.add(known[part_id] | {"view": view} if part_id in known else None)
    return {
        "type": held.manifest.factory,
        "effort": held.manifest.effort,
        "recall_at_10": held.manifest.recall_at_10,
        "pooled": False,
        "parts": parts,
        "vectors": held.manifest.vectors,
        "watermark": held.watermark,
    } | _checksums(path, labels)


def _parts_of(batch: "RowBatch") -> Iterator[tuple[int, Vectors]]:
    for place, part_id in enumerate(batch.part_ids.tolist()):
        rows = batch.vectors[batch.offsets[place] : batch.offsets[place + 1]]
        yield part_id, rows.astype(np.float32)


def _normalised(vectors: Vectors) -> Vectors:
    """Of length one again: half precision moved it a little."""
    lengths: Vectors = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, 1e-12)


def _labels_of(batch: "RowBatch") -> dict[int, dict[str, Any]]:
    return _labels_for(batch.part_ids.tolist())


def _labels_for(part_ids: list[int]) -> dict[int, dict[str, Any]]:
    """What rows of these parts are called; parts in the trash are left out."""
    rows = Part.objects.present().filter(pk__in=part_ids)
    return {
        pk: {"part": str(uuid), "number": number, "name": name, "class_name": category or ""}
        for pk, uuid, number, name, category in rows.values_list(
            "pk", "uuid", "number", "name", "category__name"
        )
    }


class _Labels:
    """A JSON list written row by row, one a line."""

    def __init__(self, path: Path) -> None:
        self._path, self._between = path, ""
        self._file: IO[str]

    def __enter__(self) -> "_Labels":
        self._file = self._path.open("w", encoding="utf-8")
        self._file.write("[\n")
        return self

    def add(self, label: dict[str, Any] | None) -> None:
        self._file.write(self._between + json.dumps(label, ensure_ascii=False))
        self._between = ",\n"

    def __exit__(self, *error: object) -> None:
        self._file.write("\n]\n")
        self._file.close()


def _checksums(*paths: Path) -> dict[str, Any]:
    from search.engine.index.manifest import file_seal

    return {"sha256": {path.name: file_seal(path).sha256 for path in paths}}


def _json_write(path: Path, held: dict[str, Any]) -> None:
    from search.engine.index.manifest import file_seal

    path.write_text(json.dumps(held, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    file_seal(path)


def _folder_put(work: Path, folder: Path, held: set[str]) -> None:
    if not folder.exists():
        work.rename(folder)
        return
    fresh = sorted(_names(work), key=lambda name: (name == METADATA, name))
    for name in fresh:
        (work / name).replace(folder / name)
    # What the earlier export had and this one has not would only mislead.
    for name in held - set(fresh):
        if name.endswith((".index", "_labels.json")):
            (folder / name).unlink()


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# In ---------------------------------------------------------------------------------------------


def index_import(folder: Path) -> list[Imported]:
    """Take the vectors of an exported folder for the parts that are here. Raises `ServiceError`.

    Everything is checked before anything is written: the checksums, and that each index holds
    every view in a space that is configured here.
    """
    metadata = _metadata_read(folder)
    here = {space.key: space for space in engines.spaces()}
    wordy = {
        words.key for name in engines.in_use() if (words := encoders.words_space(name))
        and not encoders.is_joint(name)
    }  # fmt: skip
    for name, facts in metadata["indexes"].items():
        if facts["space"] not in here:
            raise ServiceError("import_space", name=name, space=facts["space"])
        if facts["type"] != "Flat" or (facts["pooled"] and facts["space"] not in wordy):
            raise ServiceError("import_partial", name=name)
        if _checksums(*(folder / file for file in facts["sha256"]))["sha256"] != facts["sha256"]:
            raise ServiceError("import_damaged", name=name)
    return [
        _index_read(folder, name, facts, here[facts["space"]])
        for name, facts in metadata["indexes"].items()
    ]


def _metadata_read(folder: Path) -> dict[str, Any]:
    try:
        metadata = json.loads((folder / METADATA).read_text(encoding="utf-8"))
        files = [
            folder / file
            for facts in metadata["indexes"].values()
            for file in (facts["file"], facts["labels"], *facts["sha256"])
        ]
        known = metadata["format"] == FORMAT and all(
            path.parent == folder and path.is_file() for path in files
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        known = False
    if not known:
        raise ServiceError("import_unknown", folder=str(folder))
    return metadata


def _index_read(
    folder: Path, name: str, facts: dict[str, Any], space: "engine_space.Space"
) -> Imported:
    from search.engine.index.flat_file import flat_map

    with engines.engine_errors():
        vectors = flat_map(folder / facts["file"])
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
