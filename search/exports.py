"""The catalogue's vectors as plain faiss files beside plain JSON, for programs that are not ours.

A folder holds for each engine `<name>.index` (an IndexFlatIP of one vector a view), a
`<name>_labels.json` (what each row is) and `<name>_words.index` where words meet pictures in a
space of their own; `metadata.json` says what was written, with checksums. Whatever is in the
catalogue, memory holds a batch of it. The same folder can be read back by an installation that
holds the same parts.
"""

import json
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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
from search.indices import snapshot_fresh
from search.models import Space

if TYPE_CHECKING:
    from search.engine.encoders import space as engine_space
    from search.engine.index.types import RowBatch

FORMAT = 1
METADATA = "metadata.json"
UNDER_WAY = ".tmp"  # the ending of a folder that is still written

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Source:
    """One file to be: its name without an ending, the engine, and the space of its vectors."""

    stem: str
    engine: str
    space: "engine_space.Space"


def index_export(
    folder: Path, *, names: Iterable[str] = (), pooled: bool = False, snapshot: bool = False
) -> dict[str, Any]:
    """Write the folder and return its metadata. Raises `ServiceError`.

    `names`: these engines, those in use when none is named. `pooled`: one vector a part, the mean
    of its views. `snapshot`: the snapshot's own index where that is approximate, with rows of
    parts that are gone labelled null. The folder appears whole, or is left as it was; one that an
    earlier export made is replaced file by file, the metadata last.
    """
    sources = _sources(names)
    with _work_folder(folder) as work, engines.engine_errors():
        facts = {}
        for source in sources:
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
        _folder_put(work, folder)
    return metadata


@contextmanager
def _work_folder(folder: Path) -> Iterator[Path]:
    """Where the files are written before they are put in place; gone afterwards.

    Within the folder where there is one: it may be a volume, whose parent is on another disk.
    """
    from search.engine.index.snapshot import folder_lock

    if folder.exists() and not folder.is_dir():
        raise ServiceError("export_folder", folder=str(folder))
    held = _names(folder) if folder.exists() else set()
    if held and METADATA not in held:
        raise ServiceError("export_folder", folder=str(folder))
    work = (folder if folder.exists() else folder.parent) / f".{folder.name}{UNDER_WAY}"
    work.mkdir(parents=True, exist_ok=True)
    with folder_lock(work) as mine:
        if not mine:
            raise ServiceError("export_busy", folder=str(folder))
        try:
            for leftover in work.iterdir():  # of an export that was killed
                leftover.unlink()
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _sources(names: Iterable[str]) -> list[Source]:
    wanted = list(names) or engines.in_use()
    if unknown := [name for name in wanted if name not in settings.SEARCH.engines]:
        known = ", ".join(settings.SEARCH.engines)
        raise ServiceError("engine_unknown", engine=", ".join(unknown)[:40], known=known)
    found: dict[str, Source] = {}
    for name in dict.fromkeys(wanted):
        spaces = {"": encoders.space(name)}
        words = encoders.words_space(name)
        if words and not encoders.is_joint(name):
            spaces["_words"] = words
        for ending, space in spaces.items():
            stem = stem_of(name) + ending
            # One network with other weights is another engine, by the same file name.
            stem = f"{stem}_{_slug(name)}" if stem in found else stem
            found[stem] = Source(stem, name, space)
    return list(found.values())


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
    } | checksums(path, labels)


def _snapshot_write(work: Path, source: Source, row: Space, *, pooled: bool) -> dict[str, Any]:
    """The newest snapshot's own faiss file, when there is one."""
    held = snapshot_fresh(row)
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
    } | checksums(path, labels)


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


def checksums(*paths: Path) -> dict[str, Any]:
    from search.engine.index.manifest import file_seal

    return {"sha256": {path.name: file_seal(path).sha256 for path in paths}}


def _json_write(path: Path, held: dict[str, Any]) -> None:
    from search.engine.index.manifest import file_seal

    path.write_text(json.dumps(held, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    file_seal(path)


def _folder_put(work: Path, folder: Path) -> None:
    if not folder.exists():
        work.rename(folder)
        return
    held = _names(folder)
    fresh = sorted(_names(work), key=lambda name: (name == METADATA, name))
    for name in fresh:
        (work / name).replace(folder / name)
    # What the earlier export had and this one has not would only mislead.
    for name in held - set(fresh):
        if name.endswith((".index", "_labels.json")):
            (folder / name).unlink()


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.endswith(UNDER_WAY)}
