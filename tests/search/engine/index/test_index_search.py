"""A search finds the parts that brute force finds, whatever index lies underneath."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from search.engine.index.config import IndexConfig
from search.engine.index.snapshot import snapshot_build, snapshot_open
from search.engine.index.space_index import SpaceIndex
from tests.factories.embeddings import D, brute, check, embeddings, queries, rows

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SPACE = "test-0000-32"
FACTORIES = ["Flat", "IVFPQ", "IVFFlat", "HNSW"]


def opened(root: Path, vectors: NDArray[np.float16], kind: str, **config: object) -> SpaceIndex:
    settings = IndexConfig(index_type=kind, exact_below=100, **config)  # type: ignore[arg-type]
    snapshot_build(root, [rows(vectors)], space_key=SPACE, d=D, config=settings, version="v1")
    index = SpaceIndex(D)
    index.snapshot_set(snapshot_open(root / SPACE / "v1", space_key=SPACE, d=D))
    return index


@pytest.fixture(scope="module", params=FACTORIES)
def large(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[SpaceIndex, dict[int, NDArray[np.float16]]]:
    """1,500 parts in a snapshot of each type, and 100 more in the tail."""
    vectors = embeddings(1600)
    root = tmp_path_factory.mktemp(request.param)
    # Every list probed and thousands of candidates: what is left is exact by construction.
    index = opened(root, vectors[:1500], request.param, nprobe=2000, candidate_k=3000)
    index.rows_append(rows(vectors[1500:], first_seq=1501, first_id=1501))
    return index, dict(enumerate(vectors, 1))


@pytest.mark.parametrize("pooling", ["max", "mean"])
@pytest.mark.parametrize("query_pooling", ["max", "mean"])
@pytest.mark.parametrize("count", [1, 3, 12])
def test_every_type_agrees_with_brute_force(large, pooling, query_pooling, count):
    index, gallery = large
    asked = queries(count, seed=count)
    how = {"pooling": pooling, "query_pooling": query_pooling}
    check(index.search(asked, k=10, **how), brute(gallery, asked, **how), 10)


def test_every_finite_half_is_read_exactly():
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)][:, None]
    index = SpaceIndex(1)
    index.rows_append(rows(halves[:, None]))
    ranking = index.search(np.ones((1, 1), np.float32), k=10**6)
    found = np.empty(len(halves), np.float32)
    found[ranking.part_ids - 1] = ranking.similarities
    np.testing.assert_array_equal(found, halves[:, 0].astype(np.float32))


def test_best_view_and_best_query_are_the_nearest_pair(large):
    index, gallery = large
    asked = queries(3)
    ranking = index.search(asked, k=5)
    for place, part in enumerate(ranking.part_ids.tolist()):
        similarities = gallery[part].astype(np.float32) @ asked.T
        pair = similarities[ranking.best_views[place], ranking.best_query[place]]
        assert pair == pytest.approx(similarities.max(), abs=1e-5)


@pytest.mark.parametrize("share", [0.005, 0.3, 0.9])
def test_a_filter_leaves_the_best_of_the_allowed(large, share):
    index, gallery = large
    rng = np.random.default_rng(3)
    allowed = {part for part in gallery if rng.random() < share} | {10**12}
    asked = queries(2)
    truth = {part: s for part, s in brute(gallery, asked).items() if part in allowed}
    check(index.search(asked, k=10, allowed=allowed), truth, 10)
    table = np.zeros(1590, np.bool_)
    table[[part for part in allowed if part < 1590]] = True
    truth = {part: s for part, s in truth.items() if part < 1590}
    check(index.search(asked, k=10, allowed=table), truth, 10)


def test_excluded_parts_are_left_out(large):
    index, gallery = large
    asked = queries(1)
    first = index.search(asked, k=6).part_ids
    truth = brute(gallery, asked)
    for part in first[:3].tolist():
        del truth[part]
    check(index.search(asked, k=10, exclude=first[:3]), truth, 10)


@pytest.mark.parametrize("k", [1599, 1600, 10**9])
def test_k_as_large_as_the_gallery_returns_everyone(large, k):
    index, gallery = large
    asked = queries(2)
    check(index.search(asked, k=k), brute(gallery, asked), k)


def test_nothing_allowed_finds_nothing(large):
    index, _ = large
    assert len(index.search(queries(1), k=5, allowed=set())) == 0
    assert len(index.search(queries(1), k=5, allowed=np.zeros(0, np.bool_))) == 0


def test_part_vectors_come_from_snapshot_and_tail(large):
    index, gallery = large
    for part in (1, 1500, 1501, 1600):
        np.testing.assert_array_equal(index.part_vectors(part), gallery[part].astype(np.float32))
    assert index.part_vectors(1601) is None


@pytest.mark.parametrize("kind", FACTORIES)
def test_crowded_candidates_still_give_k_parts(tmp_path, kind):
    """Thirty views of one part fill a short candidate list: the index must look again."""
    vectors = embeddings(400, views=30)
    index = opened(tmp_path, vectors, kind, candidate_k=20, nprobe=1)
    asked = vectors[7, 0][None].astype(np.float32)
    ranking = index.search(asked, k=20)
    assert ranking.part_ids[0] == 8
    assert len(set(ranking.part_ids.tolist())) == 20


def test_similarities_do_not_depend_on_the_type(tmp_path):
    vectors = embeddings(500)
    asked = queries(4)
    found = [
        opened(tmp_path / kind, vectors, kind, nprobe=2000, candidate_k=2000).search(asked, k=10)
        for kind in FACTORIES
    ]
    for ranking in found[1:]:
        np.testing.assert_array_equal(ranking.part_ids, found[0].part_ids)
        np.testing.assert_array_equal(ranking.similarities, found[0].similarities)


def test_equal_similarities_are_ordered_by_part_id(tmp_path):
    vectors = np.repeat(embeddings(1), 90, axis=0)
    index = opened(tmp_path, vectors[:60], "Flat")
    index.rows_append(rows(vectors[60:], first_seq=61, first_id=61))
    assert index.search(queries(1), k=90).part_ids.tolist() == list(range(1, 91))
    assert index.search(queries(1), k=7).part_ids.tolist() == list(range(1, 8))


@pytest.mark.parametrize("d", [193, 100, 65, 14, 7])
def test_dimensions_that_four_does_not_divide(tmp_path, d):
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((300, 2, d))
    vectors = (vectors / np.linalg.norm(vectors, axis=2, keepdims=True)).astype(np.float16)
    manifest = snapshot_build(
        tmp_path,
        [rows(vectors)],
        space_key="odd",
        d=d,
        config=IndexConfig(index_type="IVFPQ"),
        version="v1",
    )
    assert manifest.factory.startswith("OPQ")
    assert manifest.recall_at_10 > 0.9
    index = SpaceIndex(d)
    index.snapshot_set(snapshot_open(tmp_path / "odd" / "v1", space_key="odd", d=d))
    asked = vectors[5, 1][None].astype(np.float32)
    assert index.search(asked, k=1).part_ids.tolist() == [6]


def test_bad_questions_are_refused(large):
    index, _ = large
    for asked, k in [
        (queries(1), 0),
        (np.zeros((1, D + 1), np.float32), 1),
        (np.zeros((0, D), np.float32), 1),
        (np.zeros(D, np.float32), 1),
        (np.full((1, D), np.nan, np.float32), 1),
    ]:
        with pytest.raises(ValueError, match="must be"):
            index.search(asked, k=k)
    for nprobe in (0, -1):
        with pytest.raises(ValueError, match="nprobe must be"):
            index.search(queries(1), k=1, nprobe=nprobe)


@pytest.mark.parametrize("kind", ["IVFFlat", "IVFPQ", "HNSW"])
def test_an_effort_is_of_one_search_alone(tmp_path, kind):
    """Searches at once, each with its own, find what each finds by itself."""
    vectors = embeddings(1500)
    index = opened(tmp_path, vectors, kind, nprobe=32, candidate_k=40)
    asked = queries(40)

    def found(nprobe: int | None) -> list[list[int]]:
        return [index.search(q[None], k=10, nprobe=nprobe).part_ids.tolist() for q in asked]

    alone = {nprobe: found(nprobe) for nprobe in (1, None, 300)}
    assert alone[1] != alone[300]  # it matters
    with ThreadPoolExecutor(3) as pool:
        for _ in range(3):
            together = {nprobe: pool.submit(found, nprobe) for nprobe in alone}
            assert {nprobe: of.result() for nprobe, of in together.items()} == alone


def test_an_empty_index_finds_nothing(tmp_path):
    index = SpaceIndex(D)
    assert len(index.search(queries(1), k=5)) == 0
    snapshot_build(tmp_path, [], space_key=SPACE, d=D, config=IndexConfig(), version="v1")
    snapshot = snapshot_open(tmp_path / SPACE / "v1", space_key=SPACE, d=D)
    index.snapshot_set(snapshot)
    assert (index.size, index.watermark, snapshot.manifest.rows) == (0, 0, 0)
    assert len(index.search(queries(1), k=5, allowed={1, 2}, exclude=[3])) == 0
    assert index.part_vectors(1) is None
    index.rows_append(rows(embeddings(3)))
    assert len(index.search(queries(1), k=5)) == 3
