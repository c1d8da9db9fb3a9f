"""Many questions at once are answered as each alone would be, to the last bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from search.engine.index import retrieval
from search.engine.index.config import IndexConfig
from search.engine.index.snapshot import snapshot_build, snapshot_open
from search.engine.index.space_index import SpaceIndex
from tests.factories.embeddings import D, brute, check, embeddings, queries, rows

if TYPE_CHECKING:
    from pathlib import Path

    from search.engine.index.types import Ranking

SPACE = "test-0000-32"


@pytest.fixture(scope="module", params=["Flat", "IVFPQ", "IVFFlat", "HNSW"])
def index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SpaceIndex:
    """A snapshot of each type with replaced rows, and a tail."""
    root: Path = tmp_path_factory.mktemp(request.param)
    vectors = embeddings(1300)
    config = IndexConfig(index_type=request.param, exact_below=100)
    snapshot_build(root, [rows(vectors[:1000])], space_key=SPACE, d=D, config=config, version="v1")
    index = SpaceIndex(D)
    index.snapshot_set(snapshot_open(root / SPACE / "v1", space_key=SPACE, d=D))
    index.rows_append(rows(vectors[1000:], first_seq=1001, first_id=951))
    return index


def same(found: list[Ranking], wanted: list[Ranking]) -> None:
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        for name in ("part_ids", "similarities", "best_views", "best_query"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("pooling", ["max", "mean"])
@pytest.mark.parametrize("query_pooling", ["max", "mean"])
def test_as_one_by_one(index, pooling, query_pooling, monkeypatch):
    # Small enough that the questions are taken in several batches.
    monkeypatch.setattr(retrieval, "_HELD", 12_000)
    asked = [queries(1 + n % 4, seed=n) for n in range(25)]
    how = {"k": 10, "pooling": pooling, "query_pooling": query_pooling}
    same(index.search_many(asked, **how), [index.search(one, **how) for one in asked])


def test_with_each_question_s_own_exclusions_and_a_filter(index):
    asked = [queries(2, seed=n) for n in range(8)]
    exclude = [index.search(one, k=n).part_ids if n else () for n, one in enumerate(asked)]
    allowed = set(range(1, 1250, 2))
    found = index.search_many(asked, k=7, exclude=exclude, allowed=allowed, nprobe=64)
    pairs = list(zip(asked, exclude, strict=True))
    same(found, [index.search(q, k=7, exclude=x, allowed=allowed, nprobe=64) for q, x in pairs])
    for ranking, left_out in zip(found, exclude, strict=True):
        assert not set(ranking.part_ids.tolist()) & set(np.asarray(left_out).tolist())
        assert set(ranking.part_ids.tolist()) <= allowed


def test_they_are_the_nearest_by_brute_force():
    vectors = embeddings(300)
    index = SpaceIndex(D)
    index.rows_append(rows(vectors))
    asked = [queries(2, seed=n) for n in range(5)]
    for ranking, one in zip(index.search_many(asked, k=9), asked, strict=True):
        check(ranking, brute(dict(enumerate(vectors, 1)), one), 9)


def test_no_question_has_no_answer_and_a_bad_one_is_refused(index):
    assert index.search_many([], k=3) == []
    with pytest.raises(ValueError, match="must be"):
        index.search_many([queries(1), np.zeros((1, D + 1), np.float32)], k=3)
    with pytest.raises(ValueError, match="every question"):
        index.search_many([queries(1)], k=3, exclude=[])
