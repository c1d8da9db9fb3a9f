"""Immutable index files of one space up to a sequence number: built, opened, pruned.

    <root>/<space_key>/<version>/
        vectors.f16      (vectors, d) float16, the rows' views one after another
        part_ids.npy     (rows,) int64; -1 for a row replaced while the build was reading
        seqs.npy         (rows,) int64, increasing
        offsets.npy      (rows + 1,) int64 into vectors
        order.npy        (rows,) int64, argsort of part_ids
        index.faiss      only when approximate
        manifest.json    facts and checksums (manifest.json.sha256 is its own)

A build writes `<version>.tmp/`, flushes it and renames it, so a folder without the suffix is
whole or was damaged later. Everything here can be deleted: the database holds the truth.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from search.engine.errors import SnapshotError
from search.engine.index.config import EFFORT_LEAST
from search.engine.index.exact import rows_score
from search.engine.index.manifest import (
    Manifest,
    file_seal,
    files_check,
    manifest_read,
    manifest_write,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from search.engine.index.coarse import Coarse
    from search.engine.index.config import IndexConfig
    from search.engine.index.gpu import GpuConfig
    from search.engine.index.types import Bools, Float, Half, Ints, RowBatch

_TMP = ".tmp"
_COARSE = "index.faiss"
_ARRAYS = ("part_ids", "seqs", "offsets", "order")
# Of several query vectors, each names at least this share of the candidates.
_LEAST_SHARE = 0.25
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An open snapshot: memory-mapped, never changed, safe to share between threads."""

    folder: Path
    manifest: Manifest
    part_ids: Ints
    seqs: Ints
    offsets: Ints
    order: Ints
    vectors: Half
    coarse: Coarse | None

    @property
    def watermark(self) -> int:
        return self.manifest.watermark

    def rows_of(self, part_ids: Ints) -> Ints:
        """The row of each part (m,), in the same order; -1 for a part that is not here."""
        if len(self.part_ids) == 0:
            return np.full(len(part_ids), -1, np.int64)
        places = np.searchsorted(self.part_ids, part_ids, sorter=self.order)
        rows = self.order[np.minimum(places, len(self.order) - 1)]
        return np.where(self.part_ids[rows] == part_ids, rows, -1)

    def candidates(
        self, queries: Float, *, effort: int, least: int = 1, eligible: Bools | None = None
    ) -> tuple[Ints, Float]:
        """Distinct rows (m,) near any query, and (m, q) exact similarities of their best vectors.

        Only vectors that the coarse index named are compared, so a row may be nearer than it
        seems. `least` vectors are named for each query; `eligible` (rows,) restricts the rows.
        """
        assert self.coarse is not None
        marked = None if eligible is None else np.repeat(eligible, np.diff(self.offsets))
        # Looking into more lists pays only if a few more vectors are taken from them.
        share = max(1 / len(queries), _LEAST_SHARE) * (effort / EFFORT_LEAST) ** 0.25
        count = max(round(self.manifest.config.candidate_k * share), least)
        ids = self.coarse.search(queries, count=count, effort=effort, eligible=marked)
        rows = np.searchsorted(self.offsets, ids, side="right") - 1
        first = np.flatnonzero(np.diff(rows, prepend=-1))
        similarities, _ = rows_score(self.vectors, ids, ids + 1, queries, pooling="max")
        if len(rows) == 0:
            return rows, similarities
        return rows[first], np.maximum.reduceat(similarities, first, axis=0)


def snapshot_build(
    root: Path,
    batches: Iterable[RowBatch],
    *,
    space_key: str,
    d: int,
    config: IndexConfig,
    version: str,
    seed: int = 0,
) -> Manifest:
    """Write the snapshot `<root>/<space_key>/<version>` from rows in the order of their seqs.

    Streams: memory holds one batch, 32 bytes a row and (when approximate) faiss's index and a
    training sample. A part met twice keeps its later row. SnapshotError: snapshot_exists,
    snapshot_busy (another process is building this version). ValueError: rows out of order.
    """
    for name in (space_key, version):
        if not _SAFE_NAME.fullmatch(name) or name.endswith(_TMP):
            raise ValueError(f"{name!r} cannot name a folder of snapshots")
    final = root / space_key / version
    if final.exists():
        raise SnapshotError("snapshot_exists", f"{version} exists already.", version=version)
    folder = final.with_name(version + _TMP)
    folder.mkdir(parents=True, exist_ok=True)
    with folder_lock(folder) as held:
        if not held:
            raise SnapshotError("snapshot_busy", f"{version} is being built.", version=version)
        for leftover in folder.iterdir():
            leftover.unlink()
        try:
            manifest = _build(folder, batches, space_key, d, config, version, seed)
            folder.rename(final)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    _folder_flush(final.parent)
    return manifest


def snapshot_open(
    folder: Path, *, space_key: str, d: int, verify: bool = True, gpu: GpuConfig | None = None
) -> Snapshot:
    """Map a snapshot's files; `verify` reads them once to compare every checksum.

    With a `gpu`, what a graphics card can hold of the coarse index is copied there.

    SnapshotError, upon which the caller builds anew: snapshot_missing, snapshot_corrupt,
    snapshot_format, snapshot_wrong_space.
    """
    manifest = manifest_read(folder)
    if (manifest.space_key, manifest.d) != (space_key, d):
        raise SnapshotError(
            "snapshot_wrong_space",
            f"{folder.name} holds {manifest.space_key}, not {space_key}.",
            version=folder.name,
            found=manifest.space_key,
            wanted=space_key,
        )
    files_check(folder, manifest, verify=verify)
    try:
        return _open(folder, manifest, gpu)
    except OSError as error:
        # Pruned by another process since they were checked, or the disk failed.
        raise SnapshotError(
            "snapshot_missing",
            f"Files of {folder.name} cannot be opened: {error}.",
            version=folder.name,
        ) from error


def snapshots_list(root: Path, space_key: str) -> list[Path]:
    """The finished snapshot folders of a space, by name."""
    home = root / space_key
    if not home.is_dir():
        return []
    return sorted(item for item in home.iterdir() if item.is_dir() and item.suffix != _TMP)


def snapshots_prune(root: Path, space_key: str, *, wanted: Collection[str]) -> list[str]:
    """Delete the finished snapshots that are not `wanted` (versions), and the folders of builds
    that died (a running one holds a lock). Returns their names.

    What is wanted is the caller's to know: a folder's own numbers may be of another database's
    rows. Processes that have a deleted snapshot mapped keep its pages.
    """
    deleted = [f.name for f in snapshots_list(root, space_key) if f.name not in wanted]
    for name in deleted:
        shutil.rmtree(root / space_key / name)
    for folder in (root / space_key).glob("*" + _TMP):
        with folder_lock(folder) as held:
            if held:
                shutil.rmtree(folder)
                deleted.append(folder.name)
    return deleted


def _build(
    folder: Path,
    batches: Iterable[RowBatch],
    space_key: str,
    d: int,
    config: IndexConfig,
    version: str,
    seed: int,
) -> Manifest:
    started = time.perf_counter()
    rows, vectors, watermark = _rows_write(folder, batches, d)
    names = ["vectors.f16", *(f"{name}.npy" for name in _ARRAYS)]
    kind = config.type_for(vectors)
    factory, effort, recall, faiss_version = "Flat", 0, 1.0, ""
    recalls: dict[int, float] = {}
    if kind != "Flat":
        from search.engine.index import coarse
        from search.engine.index.tuning import effort_tune

        factory = coarse.factory_choose(config, vectors=vectors, d=d)
        faiss_version = coarse.FAISS_VERSION
        mapped = _vectors_map(folder / "vectors.f16", vectors, d)
        coarse.coarse_build(
            mapped, folder / _COARSE, factory=factory, threads=config.threads, seed=seed
        )
        names.append(_COARSE)
    manifest = Manifest(
        version=version,
        space_key=space_key,
        d=d,
        rows=rows,
        vectors=vectors,
        watermark=watermark,
        factory=factory,
        effort=effort,
        recall_at_10=recall,
        build_s=0.0,
        seed=seed,
        faiss_version=faiss_version,
        config=config,
        files={name: file_seal(folder / name) for name in names},
    )
    if kind != "Flat":
        effort, recalls = effort_tune(_open(folder, manifest), seed=seed)
        recall = recalls[effort]
    manifest = replace(
        manifest,
        effort=effort,
        recall_at_10=recall,
        recalls={str(tried): found for tried, found in recalls.items()},
        build_s=round(time.perf_counter() - started, 3),
    )
    manifest_write(folder, manifest)
    _folder_flush(folder)
    return manifest


def _rows_write(folder: Path, batches: Iterable[RowBatch], d: int) -> tuple[int, int, int]:
    """Stream the rows into files; returns (rows, vectors, watermark)."""
    seqs, part_ids, lengths = [], [], []
    watermark = 0
    with (folder / "vectors.f16").open("wb") as file:
        for batch in batches:
            if len(batch) == 0:
                continue
            if batch.vectors.shape[1] != d:
                raise ValueError(f"vectors have {batch.vectors.shape[1]} dimensions, not {d}")
            if batch.seqs[0] <= watermark:
                raise ValueError("batches must come in the order of their seqs")
            watermark = int(batch.seqs[-1])
            file.write(np.ascontiguousarray(batch.vectors).data)
            seqs.append(batch.seqs)
            part_ids.append(batch.part_ids)
            lengths.append(np.diff(batch.offsets))
    empty = np.empty(0, np.int64)
    ids = np.concatenate([empty, *part_ids])
    order = np.argsort(ids, kind="stable")
    # A part embedded anew while the build was reading comes twice; stable order puts the later
    # row last.
    again = ids[order[:-1]] == ids[order[1:]]
    if again.any():
        ids[order[:-1][again]] = -1
        order = np.argsort(ids, kind="stable")
    arrays = {
        "part_ids": ids,
        "seqs": np.concatenate([empty, *seqs]),
        "offsets": np.concatenate([[0], np.cumsum(np.concatenate([empty, *lengths]))]),
        "order": order,
    }
    for name in _ARRAYS:
        np.save(folder / f"{name}.npy", arrays[name].astype(np.int64), allow_pickle=False)
    return len(ids), int(arrays["offsets"][-1]), watermark


def _open(folder: Path, manifest: Manifest, gpu: GpuConfig | None = None) -> Snapshot:
    coarse: Coarse | None = None
    if _COARSE in manifest.files:
        from search.engine.index.coarse import Coarse

        try:
            coarse = Coarse(folder / _COARSE, threads=manifest.config.threads, gpu=gpu)
        except RuntimeError as error:
            raise SnapshotError(
                "snapshot_format",
                f"This faiss cannot read {folder.name}, written by {manifest.faiss_version}.",
                version=folder.name,
                found=manifest.faiss_version,
            ) from error
    # np.asarray drops the memmap subclass, whose every slice costs a microsecond more.
    arrays = {
        name: np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))
        for name in _ARRAYS
    }
    vectors = _vectors_map(folder / "vectors.f16", manifest.vectors, manifest.d)
    return Snapshot(folder=folder, manifest=manifest, vectors=vectors, coarse=coarse, **arrays)


def _vectors_map(path: Path, vectors: int, d: int) -> Half:
    # An empty file cannot be mapped.
    if vectors == 0:
        return np.empty((0, d), np.float16)
    return np.asarray(np.memmap(path, np.float16, mode="r", shape=(vectors, d)))


@contextmanager
def folder_lock(folder: Path) -> Iterator[bool]:
    """Hold the folder for one writer, if nobody does; the system lets go when its process dies."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held = True
    except BlockingIOError:
        held = False
    try:
        yield held
    finally:
        os.close(handle)


def _folder_flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
