"""When a graphics card is used, what stays with the processor, and what it never changes.

No card is needed: faiss's own names are stood in for where the choice is made, and the copy on the
card is a copy in memory, which is searched for real.
"""

from __future__ import annotations

from types import SimpleNamespace

import faiss
import numpy as np
import pytest

from search.engine.index import coarse, gpu
from search.engine.index.config import IndexConfig
from search.engine.index.gpu import GpuConfig, gpu_count, gpu_holds, gpu_index
from search.engine.index.snapshot import snapshot_build, snapshot_open
from search.engine.index.space_index import SpaceIndex
from tests.factories.embeddings import D, embeddings, queries, rows

SPACE = "test-0000-32"
MADE_FOR_CARDS = {
    "StandardGpuResources": object,
    "GpuClonerOptions": SimpleNamespace,
    "index_cpu_to_gpu": None,
    "get_num_gpus": lambda: 2,
}


def trained(factory: str):
    index = faiss.index_factory(D, factory, faiss.METRIC_INNER_PRODUCT)
    vectors = embeddings(700, views=1)[:, 0].astype(np.float32)
    index.train(vectors)
    index.add(vectors)
    return index


def test_cards_are_counted_only_by_a_faiss_made_for_them():
    assert gpu_count(SimpleNamespace()) == 0
    assert gpu_count(SimpleNamespace(get_num_gpus=lambda: 1)) == 0
    assert gpu_count(SimpleNamespace(**MADE_FOR_CARDS)) == 2


@pytest.mark.parametrize(
    ("factory", "holds"),
    [
        ("IVF8,Flat", True),
        ("IVF8,SQfp16", True),
        ("IVF8,PQ8", True),
        ("OPQ8,IVF8,PQ8x4fs", False),
        ("IVF8,PQ8x4fs", False),
        ("HNSW16,SQfp16", False),
    ],
)
def test_what_a_card_can_hold(factory, holds):
    assert gpu_holds(faiss, trained(factory)) is holds


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> list[GpuConfig]:
    """A machine with a card whose memory is the processor's. Lists the copies that were made."""
    made: list[GpuConfig] = []

    def clone(module, index, config):
        made.append(config)
        return faiss.clone_index(index), None

    monkeypatch.setattr(gpu, "gpu_clone", clone)
    monkeypatch.setattr(gpu, "gpu_count", lambda module: 1)
    return made


def opened(root, kind: str, config: GpuConfig | None) -> SpaceIndex:
    if not (root / SPACE / "v1").exists():
        settings = IndexConfig(index_type=kind, exact_below=100)
        snapshot_build(
            root, [rows(embeddings(900))], space_key=SPACE, d=D, config=settings, version="v1"
        )
    index = SpaceIndex(D)
    index.snapshot_set(snapshot_open(root / SPACE / "v1", space_key=SPACE, d=D, gpu=config))
    return index


def test_a_search_on_the_card_gives_the_same_parts(tmp_path, card, monkeypatch):
    beside = opened(tmp_path, "IVFFlat", None)
    on_card = opened(tmp_path, "IVFFlat", GpuConfig(float16=False))
    assert [config.float16 for config in card] == [False]
    assert on_card.snapshot.coarse.on_gpu
    assert not beside.snapshot.coarse.on_gpu
    asked = queries(3)
    wanted = beside.search(asked, k=10)
    # The processor's index is not asked: the card answers alone.
    monkeypatch.setattr(on_card.snapshot.coarse, "_index", None)
    found = on_card.search(asked, k=10)
    np.testing.assert_array_equal(found.part_ids, wanted.part_ids)
    np.testing.assert_array_equal(found.similarities, wanted.similarities)


def test_filters_and_long_lists_stay_with_the_processor(tmp_path, card, monkeypatch):
    beside = opened(tmp_path, "IVFFlat", None)
    on_card = opened(tmp_path, "IVFFlat", GpuConfig())
    monkeypatch.setattr(
        gpu.GpuIndex, "search", lambda *args, **how: pytest.fail("the card was asked")
    )
    asked, allowed = queries(1), set(range(1, 600))
    found = on_card.search(asked, k=5, allowed=allowed)
    np.testing.assert_array_equal(
        found.part_ids, beside.search(asked, k=5, allowed=allowed).part_ids
    )
    monkeypatch.setattr(gpu, "COUNT_MOST", 10)
    np.testing.assert_array_equal(
        on_card.search(asked, k=20).part_ids, beside.search(asked, k=20).part_ids
    )


@pytest.mark.parametrize("kind", ["IVFPQ", "HNSW"])
def test_what_a_card_cannot_hold_is_searched_beside_it(tmp_path, card, kind):
    index = opened(tmp_path, kind, GpuConfig())
    assert card == []
    assert not index.snapshot.coarse.on_gpu
    assert len(index.search(queries(1), k=5)) == 5


def test_switched_off_or_without_room_the_processor_answers(tmp_path, card, monkeypatch, caplog):
    assert not opened(tmp_path, "IVFFlat", GpuConfig(use="off")).snapshot.coarse.on_gpu
    assert card == []

    def full(module, index, config):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(gpu, "gpu_clone", full)
    index = opened(tmp_path, "IVFFlat", GpuConfig())
    assert not index.snapshot.coarse.on_gpu
    assert "out of memory" in caplog.text
    assert len(index.search(queries(1), k=5)) == 5


def test_a_card_that_is_not_there_is_not_used(card):
    assert gpu_index(faiss, trained("IVF8,Flat"), GpuConfig(device=1)) is None
    assert card == []


def test_this_machine_s_faiss_decides_without_an_error():
    """Whatever is installed here: a build for processors, or for cards."""
    index = trained("IVF8,Flat")
    assert (gpu_index(faiss, index, GpuConfig()) is not None) == (coarse.gpus() > 0)


def test_the_automatic_type_is_one_that_the_card_holds():
    for cards, kind in ((False, "IVFPQ"), (True, "IVFFlat")):
        config = IndexConfig(gpu=cards, exact_below=1000)
        assert config.type_for(2000) == kind
        assert config.type_for(999) == "Flat"
    assert IndexConfig(gpu=True, index_type="HNSW").type_for(2000) == "HNSW"


def test_a_wrong_word_is_refused():
    with pytest.raises(ValueError, match="gpu must be one of"):
        GpuConfig(use="always")  # type: ignore[arg-type]
