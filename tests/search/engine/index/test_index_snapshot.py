"""Snapshots are whole or refused, survive crashes, and are built without holding the gallery."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from search.engine.errors import SnapshotError
from search.engine.index.config import IndexConfig
from search.engine.index.manifest import file_seal, manifest_read, manifest_write
from search.engine.index.snapshot import (
    snapshot_build,
    snapshot_open,
    snapshots_list,
    snapshots_prune,
)
from search.engine.index.space_index import SpaceIndex
from search.engine.index.types import RowBatch
from tests.factories.embeddings import D, brute, check, embeddings, queries, rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPACE = "test-0000-32"
PQ = IndexConfig(index_type="IVFPQ")


def build(root: Path, version: str = "v1", parts: int = 30, config: IndexConfig = PQ) -> Path:
    batches = [rows(embeddings(parts))]
    snapshot_build(root, batches, space_key=SPACE, d=D, config=config, version=version)
    return root / SPACE / version


def refusal(folder: Path, **other: object) -> str:
    asked = {"space_key": SPACE, "d": D} | other
    with pytest.raises(SnapshotError) as caught:
        snapshot_open(folder, **asked)  # type: ignore[arg-type]
    assert str(caught.value).endswith(".")
    return caught.value.code


def test_the_manifest_tells_the_facts(tmp_path):
    folder = build(tmp_path, parts=500)
    manifest = snapshot_open(folder, space_key=SPACE, d=D).manifest
    assert (manifest.rows, manifest.vectors, manifest.watermark) == (500, 2000, 500)
    assert (manifest.space_key, manifest.d, manifest.version) == (SPACE, D, "v1")
    assert manifest.factory == "OPQ8,IVF32,PQ8x4fs"
    assert 0.9 < manifest.recall_at_10 <= 1
    assert manifest.effort >= 16
    assert manifest.build_s > 0
    assert manifest.config == PQ
    assert set(manifest.files) == {
        "vectors.f16", "part_ids.npy", "seqs.npy", "offsets.npy", "order.npy", "index.faiss",
    }  # fmt: skip
    assert manifest.nbytes > 2000 * D * 2


def test_the_type_follows_the_size(tmp_path):
    config = IndexConfig(exact_below=100)
    exact = snapshot_open(build(tmp_path, "v1", 24, config), space_key=SPACE, d=D)
    coarse = snapshot_open(build(tmp_path, "v2", 25, config), space_key=SPACE, d=D)
    assert exact.manifest.factory == "Flat"
    assert exact.coarse is None
    assert not (exact.folder / "index.faiss").exists()
    assert coarse.manifest.factory.startswith("OPQ")


def test_the_probes_are_the_fewest_that_reach_the_target(tmp_path):
    config = {"index_type": "IVFFlat", "nlist": 64, "candidate_k": 100}
    easy = manifest_read(build(tmp_path, "v1", 900, IndexConfig(**config, recall_target=0.1)))
    hard = manifest_read(build(tmp_path, "v2", 900, IndexConfig(**config, recall_target=1.0)))
    assert easy.effort == 16 < hard.effort
    assert easy.recall_at_10 <= hard.recall_at_10
    assert list(easy.recalls) == ["16"]
    assert hard.recalls[str(hard.effort)] == hard.recall_at_10
    # Harder and harder until the target: what each effort found is told.
    tried = [int(effort) for effort in hard.recalls]
    assert tried == sorted(tried)
    assert tried[0] == 16


@pytest.mark.parametrize("kind", ["Flat", "IVFPQ", "IVFFlat", "HNSW"])
def test_the_recall_told_is_the_recall_found(tmp_path, kind):
    """On other queries than the build's own, against brute force in float64."""
    vectors = embeddings(900)
    config = IndexConfig(index_type=kind, candidate_k=160, recall_target=0.9)
    snapshot_build(tmp_path, [rows(vectors)], space_key=SPACE, d=D, config=config, version="v1")
    snapshot = snapshot_open(tmp_path / SPACE / "v1", space_key=SPACE, d=D)
    index = SpaceIndex(D)
    index.snapshot_set(snapshot)
    rng = np.random.default_rng(5)
    views = vectors.reshape(-1, D)[rng.choice(3600, 150, replace=False)].astype(np.float64)
    noise = rng.standard_normal((150, 3600)) @ vectors.reshape(-1, D).astype(np.float64)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    asked = 0.57 * views + np.sqrt(1 - 0.57**2) * noise
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    truth = np.argsort(-(vectors.astype(np.float64) @ asked.T).max(axis=1), axis=0)[:10] + 1
    shares = [
        len(set(index.search(query[None].astype(np.float32), k=10).part_ids) & set(best)) / 10
        for query, best in zip(asked, truth.T, strict=True)
    ]
    # The standard error of either mean of a hundred is about .01.
    assert abs(float(np.mean(shares)) - snapshot.manifest.recall_at_10) < 0.05
    if kind == "Flat":
        assert np.mean(shares) == snapshot.manifest.recall_at_10 == 1


def test_a_manifest_of_before_recalls_were_told_is_still_read(tmp_path):
    folder = build(tmp_path)
    held = json.loads((folder / "manifest.json").read_text())
    del held["recalls"], held["config"]["gpu"]
    text = json.dumps(held)
    (folder / "manifest.json").write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    (folder / "manifest.json.sha256").write_text(f"{digest}  manifest.json\n")
    manifest = manifest_read(folder)
    assert manifest.recalls == {}
    assert manifest.config.gpu is False


@pytest.mark.parametrize("change", ["more", "fewer", "other config", "bad config", "other files"])
def test_a_manifest_of_another_version_is_refused(tmp_path, change):
    folder = build(tmp_path)
    held = json.loads((folder / "manifest.json").read_text())
    match change:
        case "more":
            held["colour"] = "blue"
        case "fewer":
            del held["watermark"]
        case "other config":
            held["config"]["beams"] = 4
        case "bad config":
            held["config"]["index_type"] = "RaBitQ"
        case "other files":
            held["files"] = list(held["files"])
    text = json.dumps(held)
    (folder / "manifest.json").write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    (folder / "manifest.json.sha256").write_text(f"{digest}  manifest.json\n")
    assert refusal(folder) == "snapshot_format"


def test_files_that_go_while_they_are_opened_are_missing(tmp_path, monkeypatch):
    """Another process prunes what this one has just checked."""
    folder = build(tmp_path, config=IndexConfig(index_type="Flat"))

    def checked(*_args: object, **_how: object) -> None:
        shutil.rmtree(folder)

    monkeypatch.setattr("search.engine.index.snapshot.files_check", checked)
    assert refusal(folder) == "snapshot_missing"


@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
def test_one_changed_byte_in_any_file_is_detected(tmp_path, place):
    folder = build(tmp_path)
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        at = round(place * (len(whole) - 1))
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        assert refusal(folder) == "snapshot_corrupt", path.name
        path.write_bytes(whole)
    snapshot_open(folder, space_key=SPACE, d=D)


def test_a_missing_or_short_file_is_detected_even_unverified(tmp_path):
    folder = build(tmp_path)
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        path.unlink()
        assert refusal(folder, verify=False) == "snapshot_missing", path.name
        path.write_bytes(whole[:-1])
        assert refusal(folder, verify=False) == "snapshot_corrupt", path.name
        path.write_bytes(whole)
    assert refusal(tmp_path / "nowhere") == "snapshot_missing"


def test_another_space_is_refused(tmp_path):
    folder = build(tmp_path)
    assert refusal(folder, space_key="other") == "snapshot_wrong_space"
    assert refusal(folder, d=D * 2) == "snapshot_wrong_space"


def test_another_format_is_refused(tmp_path, monkeypatch):
    folder = build(tmp_path)
    monkeypatch.setattr("search.engine.index.manifest.FORMAT", 2)
    assert refusal(folder) == "snapshot_format"


def test_an_index_that_faiss_cannot_read_is_refused(tmp_path):
    """Whole by its checksums, but written by a faiss that knew other formats."""
    folder = build(tmp_path)
    manifest = manifest_read(folder)
    (folder / "index.faiss").write_bytes(b"IwXX" * 100)
    files = manifest.files | {"index.faiss": file_seal(folder / "index.faiss")}
    manifest_write(folder, replace(manifest, files=files))
    assert refusal(folder) == "snapshot_format"


def test_a_killed_build_leaves_nothing_that_counts(tmp_path):
    program = f"""
import os, pathlib, sys
from search.engine.index.config import IndexConfig
from search.engine.index.snapshot import snapshot_build
from tests.factories.embeddings import embeddings, rows
def batches():
    yield rows(embeddings(20))
    os._exit(9)
snapshot_build(pathlib.Path({str(tmp_path)!r}), batches(), space_key={SPACE!r}, d={D},
               config=IndexConfig(), version="v1")
"""
    done = subprocess.run([sys.executable, "-c", program], check=False)
    assert done.returncode == 9
    assert [item.name for item in (tmp_path / SPACE).iterdir()] == ["v1.tmp"]
    assert snapshots_list(tmp_path, SPACE) == []
    # The same version can be built over the leftover; another's is swept away.
    folder = build(tmp_path)
    assert snapshot_open(folder, space_key=SPACE, d=D).manifest.rows == 30
    (tmp_path / SPACE / "v0.tmp").mkdir()
    assert snapshots_prune(tmp_path, SPACE, wanted={"v1"}) == ["v0.tmp"]
    assert [item.name for item in (tmp_path / SPACE).iterdir()] == ["v1"]


def test_a_failed_build_cleans_up(tmp_path):
    def batches() -> Iterator[RowBatch]:
        yield rows(embeddings(5))
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        snapshot_build(tmp_path, batches(), space_key=SPACE, d=D, config=PQ, version="v1")
    assert list((tmp_path / SPACE).iterdir()) == []


def test_a_running_build_is_left_alone(tmp_path):
    seen = []

    def batches() -> Iterator[RowBatch]:
        yield rows(embeddings(5))
        seen.append(snapshots_prune(tmp_path, SPACE, wanted=()))
        with pytest.raises(SnapshotError) as caught:
            build(tmp_path)
        seen.append(caught.value.code)

    snapshot_build(tmp_path, batches(), space_key=SPACE, d=D, config=PQ, version="v1")
    assert seen == [[], "snapshot_busy"]
    assert snapshot_open(tmp_path / SPACE / "v1", space_key=SPACE, d=D).manifest.rows == 5


def test_a_version_is_written_once(tmp_path):
    build(tmp_path)
    with pytest.raises(SnapshotError) as caught:
        build(tmp_path)
    assert caught.value.code == "snapshot_exists"


@pytest.mark.parametrize("name", ["", "..", "a/b", "v1.tmp", ".hidden", "x" * 200])
def test_versions_name_plain_folders(tmp_path, name):
    with pytest.raises(ValueError, match="cannot name"):
        build(tmp_path, name)


def test_pruning_keeps_what_is_wanted(tmp_path):
    for place in range(1, 5):
        build(tmp_path, f"v{place}", parts=10 + place)
    assert snapshots_prune(tmp_path, SPACE, wanted=["v2", "v4", "gone"]) == ["v1", "v3"]
    assert [item.name for item in snapshots_list(tmp_path, SPACE)] == ["v2", "v4"]
    assert snapshots_prune(tmp_path, "no-such-space", wanted=()) == []


def test_a_deleted_snapshot_serves_those_who_hold_it(tmp_path):
    folder = build(tmp_path, parts=300)
    index = SpaceIndex(D)
    index.snapshot_set(snapshot_open(folder, space_key=SPACE, d=D))
    before = index.search(queries(3), k=10)
    build(tmp_path, "v2", parts=301)
    assert snapshots_prune(tmp_path, SPACE, wanted=["v2"]) == ["v1"]
    np.testing.assert_array_equal(index.search(queries(3), k=10).part_ids, before.part_ids)


def test_a_part_embedded_anew_during_the_build_is_there_once(tmp_path):
    old, new = embeddings(40), embeddings(5, seed=4)
    batches = [rows(old), rows(new, first_seq=41, first_id=11)]
    snapshot_build(tmp_path, batches, space_key=SPACE, d=D, config=PQ, version="v1")
    index = SpaceIndex(D)
    index.snapshot_set(snapshot_open(tmp_path / SPACE / "v1", space_key=SPACE, d=D))
    gallery = dict(enumerate(old, 1)) | dict(enumerate(new, 11))
    check(index.search(queries(2), k=50), brute(gallery, queries(2)), 50)
    assert (index.size, index.watermark) == (40, 45)


def test_rows_out_of_order_are_refused(tmp_path):
    batches = [rows(embeddings(5)), rows(embeddings(5), first_seq=5)]
    with pytest.raises(ValueError, match="order of their seqs"):
        snapshot_build(tmp_path, batches, space_key=SPACE, d=D, config=PQ, version="v1")


def test_the_same_seed_builds_the_same_files(tmp_path):
    one = manifest_read(build(tmp_path / "a", parts=400))
    two = manifest_read(build(tmp_path / "b", parts=400))
    assert one.files == two.files


def test_a_build_streams(tmp_path):
    """300 batches of 100 kB: memory holds a few of them, not 30 MB."""
    d = 256

    def batches() -> Iterator[RowBatch]:
        rng = np.random.default_rng(0)
        for place in range(300):
            vectors = rng.standard_normal((200, d), np.float32) / np.sqrt(d)
            seqs = np.arange(place * 50 + 1, place * 50 + 51)
            yield RowBatch(seqs, seqs, np.arange(51) * 4, vectors.astype(np.float16))

    config = IndexConfig(index_type="Flat")
    tracemalloc.start()
    try:
        snapshot_build(tmp_path, batches(), space_key="big", d=d, config=config, version="v1")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (tmp_path / "big" / "v1" / "vectors.f16").stat().st_size == 300 * 200 * d * 2
    assert peak < 4_000_000


def test_no_file_is_a_pickle(tmp_path):
    folder = build(tmp_path)
    for path in folder.glob("*.npy"):
        assert np.load(path, allow_pickle=False).dtype == np.int64
    assert json.loads((folder / "manifest.json").read_text())["format"] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"seqs": np.array([2, 2])},
        {"seqs": np.array([0, 1])},
        {"part_ids": np.array([1, -1])},
        {"part_ids": np.array([1])},
        {"offsets": np.array([0, 4, 4])},
        {"offsets": np.array([0, 4, 7])},
        {"offsets": np.array([1, 4, 8])},
        {"vectors": np.zeros((8, D), np.float32)},
        {"vectors": np.full((8, D), np.inf, np.float16)},
        {"vectors": np.full((8, D), np.nan, np.float16)},
    ],
)
def test_rows_that_make_no_sense_are_refused(change):
    good = {
        "seqs": np.array([1, 2]),
        "part_ids": np.array([7, 8]),
        "offsets": np.array([0, 4, 8]),
        "vectors": np.zeros((8, D), np.float16),
    }
    RowBatch(**good)
    with pytest.raises(ValueError, match="must|needs"):
        RowBatch(**good | change)


@pytest.mark.parametrize(
    "change", [{"index_type": "LSH"}, {"nlist": 0}, {"threads": 0}, {"recall_target": 1.5}]
)
def test_a_config_that_makes_no_sense_is_refused(change):
    with pytest.raises(ValueError, match="must be"):
        IndexConfig(**change)
