"""Rows come, are replaced, and move into snapshots while searches run."""

from __future__ import annotations

import itertools
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from search.engine.errors import SnapshotError
from search.engine.index.config import IndexConfig
from search.engine.index.snapshot import Snapshot, snapshot_build, snapshot_open
from search.engine.index.space_index import SpaceIndex
from search.engine.index.types import RowBatch
from tests.factories.embeddings import D, brute, check, embeddings, queries, rows

SPACE = "test-0000-32"


def built(root: Path, batches: list[RowBatch], version: str, kind: str = "Flat") -> Snapshot:
    config = IndexConfig(index_type=kind, exact_below=20, nprobe=64, candidate_k=500)  # type: ignore[arg-type]
    snapshot_build(root, batches, space_key=SPACE, d=D, config=config, version=version)
    return snapshot_open(root / SPACE / version, space_key=SPACE, d=D)


def ids_of(index: SpaceIndex) -> list[int]:
    return sorted(index.search(queries(1), k=10**6).part_ids.tolist())


def test_a_row_is_findable_by_the_next_search():
    vectors = embeddings(50)
    index = SpaceIndex(D)
    for place, part in enumerate(vectors):
        index.rows_append(rows(part[None], first_seq=place + 1, first_id=place + 1))
        asked = part[2][None].astype(np.float32)
        assert index.search(asked, k=1).part_ids.tolist() == [place + 1]
    assert (index.size, index.tail_size, index.watermark) == (50, 50, 50)


@pytest.mark.parametrize("kind", ["Flat", "IVFPQ", "HNSW"])
def test_a_tail_row_supersedes_the_snapshot_row(tmp_path, kind):
    old, new = embeddings(80), embeddings(80, seed=9)
    index = SpaceIndex(D)
    index.snapshot_set(built(tmp_path, [rows(old)], "v1", kind))
    index.rows_append(rows(new[40:41], first_seq=81, first_id=41))
    gallery = dict(enumerate(old, 1)) | {41: new[40]}
    asked = old[40, 0][None].astype(np.float32)
    check(index.search(asked, k=80), brute(gallery, asked), 80)
    check(index.search(asked, k=5, allowed=[41, 7]), brute({41: new[40], 7: old[6]}, asked), 5)
    np.testing.assert_array_equal(index.part_vectors(41), new[40].astype(np.float32))
    assert index.size == 80


def test_rows_up_to_the_watermark_are_ignored():
    vectors = embeddings(10)
    index = SpaceIndex(D)
    assert index.rows_append(rows(vectors[:6])) == 6
    assert index.rows_append(rows(vectors[:4])) == 0
    assert index.rows_append(rows(vectors)) == 4
    assert (index.size, index.tail_size, index.watermark) == (10, 10, 10)
    check(index.search(queries(2), k=10), brute(dict(enumerate(vectors, 1)), queries(2)), 10)


def test_a_part_twice_in_one_batch_keeps_its_later_row():
    vectors = embeddings(3)
    twice = RowBatch(
        np.array([1, 2, 3]), np.array([5, 6, 5]), np.arange(4) * 4, vectors.reshape(-1, D)
    )
    index = SpaceIndex(D)
    index.rows_append(twice)
    asked = queries(1)
    check(index.search(asked, k=5), brute({6: vectors[1], 5: vectors[2]}, asked), 5)


def test_a_switch_drops_the_tail_rows_it_covers(tmp_path):
    vectors = embeddings(30)
    index = SpaceIndex(D)
    index.rows_append(rows(vectors))
    before = index.search(queries(2), k=30)
    index.snapshot_set(built(tmp_path, [rows(vectors[:20])], "v1"))
    assert (index.size, index.tail_size, index.watermark) == (30, 10, 30)
    after = index.search(queries(2), k=30)
    np.testing.assert_array_equal(before.part_ids, after.part_ids)
    np.testing.assert_array_equal(before.similarities, after.similarities)


def test_an_older_snapshot_makes_the_watermark_fall_back(tmp_path):
    vectors = embeddings(30)
    old = built(tmp_path, [rows(vectors[:10])], "v1")
    index = SpaceIndex(D)
    index.snapshot_set(built(tmp_path, [rows(vectors[:20])], "v2"))
    index.rows_append(rows(vectors[20:], first_seq=21, first_id=21))
    index.snapshot_set(old)
    assert (index.size, index.watermark) == (10, 10)
    index.rows_append(rows(vectors[10:], first_seq=11, first_id=11))
    assert ids_of(index) == list(range(1, 31))
    index.snapshot_set(None)
    assert (index.size, index.watermark) == (0, 0)


def test_a_snapshot_of_another_dimension_is_refused(tmp_path):
    index = SpaceIndex(D + 1)
    with pytest.raises(SnapshotError) as caught:
        index.snapshot_set(built(tmp_path, [rows(embeddings(3))], "v1"))
    assert caught.value.code == "snapshot_wrong_space"
    with pytest.raises(ValueError, match="dimensions"):
        index.rows_append(rows(embeddings(3)))


@pytest.mark.parametrize("kind", ["Flat", "IVFPQ"])
def test_searches_during_switches_never_miss_or_repeat(tmp_path, kind):
    """Parts 1-100 always exist, most embedded anew again and again; every search must see each
    exactly once, with a similarity of one of its own versions."""
    versions = [embeddings(100, views=2, seed=seed) for seed in range(3)]
    history = [rows(versions[0])]
    index = SpaceIndex(D)
    index.rows_append(history[0])
    stop = threading.Event()
    failures: list[str] = []
    asked = queries(1)
    possible = [brute(dict(enumerate(version, 1)), asked) for version in versions]

    def watch() -> None:
        while not stop.is_set():
            ranking = index.search(asked, k=100)
            if sorted(ranking.part_ids.tolist()) != list(range(1, 101)):
                failures.append(f"parts {len(ranking)}")
            for part, similarity in zip(
                ranking.part_ids.tolist(), ranking.similarities, strict=True
            ):
                if min(abs(own[part] - similarity) for own in possible) > 1e-5:
                    failures.append(f"part {part} at {similarity}")

    watchers = [threading.Thread(target=watch) for _ in range(3)]
    for watcher in watchers:
        watcher.start()
    try:
        for turn in range(1, 13):
            changed = np.arange(turn % 7, 100, 3)
            seq = int(history[-1].seqs[-1]) + 1
            batch = RowBatch(
                np.arange(seq, seq + len(changed)),
                changed + 1,
                np.arange(len(changed) + 1) * 2,
                versions[turn % 3][changed].reshape(-1, D),
            )
            history.append(batch)
            index.rows_append(batch)
            if turn % 2:
                index.snapshot_set(built(tmp_path, history[:-1], f"v{turn:02}", kind))
    finally:
        stop.set()
        for watcher in watchers:
            watcher.join()
    assert not failures, failures[:5]
    assert index.watermark == history[-1].seqs[-1]


class IndexModel(RuleBasedStateMachine):
    """Any sequence of changes answers like a dictionary of rows."""

    def __init__(self) -> None:
        super().__init__()
        self.index = SpaceIndex(D)
        self.table: dict[int, tuple[int, np.ndarray]] = {}
        self.seqs = itertools.count(1)
        self.fresh = itertools.count(1)
        self.unread: list[int] = []
        self.folder = tempfile.TemporaryDirectory()
        self.snapshots: list[Snapshot] = []

    def teardown(self) -> None:
        self.folder.cleanup()

    def batch(self, after: int = 0) -> RowBatch:
        """The table's rows after a seq, as the database would return them."""
        found = sorted((s, p) for p, (s, _) in self.table.items() if s > after)
        vectors = [self.table[part][1] for _, part in found]
        return RowBatch(
            np.array([s for s, _ in found], np.int64),
            np.array([p for _, p in found], np.int64),
            np.concatenate([[0], np.cumsum([len(v) for v in vectors])]).astype(np.int64),
            np.concatenate([np.empty((0, D), np.float16), *vectors]),
        )

    @rule(parts=st.lists(st.integers(0, 12), min_size=1, max_size=6), views=st.integers(1, 3))
    def embed(self, parts: list[int], views: int) -> None:
        """New and embedded-anew parts, committed but not yet read by the index."""
        for part in parts:
            vectors = embeddings(1, views=views, seed=next(self.fresh))[0]
            self.table[part] = (next(self.seqs), vectors)

    @rule()
    def refresh(self) -> None:
        self.index.rows_append(self.batch(self.index.watermark))

    @rule(kind=st.sampled_from(["Flat", "IVFPQ"]))
    def compact(self, kind: str) -> None:
        snapshot = built(Path(self.folder.name), [self.batch()], f"v{len(self.snapshots)}", kind)
        self.snapshots.append(snapshot)
        self.index.snapshot_set(snapshot)

    @precondition(lambda self: self.snapshots)
    @rule(data=st.data())
    def switch_back(self, data: st.DataObject) -> None:
        self.index.snapshot_set(data.draw(st.sampled_from([None, *self.snapshots])))

    @rule()
    def answers_like_the_table(self) -> None:
        self.refresh()
        gallery = {part: vectors for part, (_, vectors) in self.table.items()}
        asked = queries(2, seed=len(gallery))
        check(self.index.search(asked, k=20), brute(gallery, asked), 20)
        few = {part: v for part, v in gallery.items() if part % 3 == 0}
        check(self.index.search(asked, k=3, allowed=few.keys()), brute(few, asked), 3)
        assert self.index.size == len(gallery)
        for part in range(13):
            held = self.index.part_vectors(part)
            assert (held is None) == (part not in gallery)
            if held is not None:
                np.testing.assert_array_equal(held, gallery[part].astype(np.float32))


TestIndexModel = IndexModel.TestCase
TestIndexModel.settings = settings(max_examples=20, stateful_step_count=16, deadline=None)
