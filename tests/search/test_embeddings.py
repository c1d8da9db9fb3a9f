"""Rows of vectors become visible in the order of their numbers; readers miss none."""

import threading
import time

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction

from catalog import services
from catalog.models import Part
from search import embeddings, indices
from search.engine.encoders.space import Space as EngineSpace
from search.models import Embedding, Space
from tests.factories import meshes

SPACE = EngineSpace(encoder="test", weights_sha="0" * 64, preprocessing="none", d=8)


def part(n: int) -> Part:
    data = meshes.stl_binary(meshes.box((n + 1, 1, 1)))
    return services.part_upload(file=SimpleUploadedFile(f"{n}.stl", data))[0]


def vectors(seed: int, views: int = 3) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(views, SPACE.d)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def write(pk: int, seed: int) -> bool:
    return embeddings.embeddings_write(part_id=pk, space=SPACE, vectors=vectors(seed))


def found(seed: int, k: int = 10) -> list[int]:
    return indices.index_current(SPACE).search(vectors(seed)[:1], k=k).part_ids.tolist()


@pytest.mark.django_db
class TestWriting:
    def test_what_is_written_is_read(self) -> None:
        pk = part(0).pk
        assert write(pk, 1)
        assert np.allclose(embeddings.embeddings_read(pk, SPACE.key), vectors(1), atol=1e-3)

    def test_the_same_vectors_are_not_written_again(self) -> None:
        pk = part(0).pk
        assert write(pk, 1)
        assert not write(pk, 1)
        assert Space.objects.get(key=SPACE.key).last_seq == 1

    @pytest.mark.parametrize(
        "bad",
        [
            np.full((3, SPACE.d), np.nan, np.float32), np.full((3, SPACE.d), np.inf, np.float32),
            np.ones((3, SPACE.d + 1), np.float32), np.ones(SPACE.d, np.float32),
            np.ones((0, SPACE.d), np.float32),
        ],
    )  # fmt: skip
    def test_what_would_spoil_every_search_is_not_written(self, bad) -> None:
        good, other = part(0).pk, part(1).pk
        write(good, 1)
        with pytest.raises(ValueError, match="vectors"):
            embeddings.embeddings_write(part_id=other, space=SPACE, vectors=bad)
        assert found(1) == [good]
        assert Space.objects.get(key=SPACE.key).last_seq == 1

    def test_new_vectors_take_the_place_of_old_ones(self) -> None:
        pk = part(0).pk
        write(pk, 1)
        assert found(1) == [pk]
        write(pk, 2)
        row = Embedding.objects.get(part=pk)
        assert row.seq == 2
        ranking = indices.index_current(SPACE).search(vectors(2)[:1], k=5)
        assert ranking.part_ids.tolist() == [pk]
        assert ranking.similarities[0] == pytest.approx(1, abs=1e-3)


@pytest.mark.django_db
def test_the_next_query_finds_a_new_part_in_every_process_that_asks() -> None:
    first, second = part(0).pk, part(1).pk
    write(first, 1)
    assert found(1) == [first]
    write(second, 2)
    assert found(2)[0] == second


@pytest.mark.django_db
class TestSnapshots:
    def fill(self, n: int) -> list[int]:
        pks = [part(i).pk for i in range(n)]
        for i, pk in enumerate(pks):
            write(pk, i)
        return pks

    def test_compaction_changes_no_answer(self) -> None:
        pks = self.fill(12)
        before = [found(i) for i in range(12)]
        snapshot = indices.index_compact(SPACE.key)
        assert (snapshot.rows, snapshot.watermark) == (12, 12)
        assert [found(i) for i in range(12)] == before
        write(pks[3], 99)
        assert found(99)[0] == pks[3]

    def test_losing_every_file_loses_nothing(self, settings) -> None:
        import shutil

        self.fill(12)
        before = [found(i) for i in range(12)]
        indices.index_compact(SPACE.key)
        shutil.rmtree(settings.INDICES)
        indices._held.cache_clear()
        assert [found(i) for i in range(12)] == before
        indices.index_compact(SPACE.key)
        indices._held.cache_clear()
        assert [found(i) for i in range(12)] == before

    def test_many_rows_without_a_snapshot_are_not_held_in_memory(self, monkeypatch) -> None:
        monkeypatch.setattr(indices, "rebuild_at_once", lambda: 5)
        self.fill(8)
        indices._held.cache_clear()
        assert len(found(3)) == 8
        assert Space.objects.get(key=SPACE.key).snapshots.count() == 1
        assert indices.index_current(SPACE).tail_size == 0

    def test_a_damaged_snapshot_is_left_for_the_rows(self, settings) -> None:
        self.fill(6)
        before = [found(i) for i in range(6)]
        snapshot = indices.index_compact(SPACE.key)
        folder = settings.INDICES / SPACE.key / snapshot.version
        file = max(folder.iterdir(), key=lambda path: path.stat().st_size)
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 0xFF
        file.write_bytes(data)
        indices._held.cache_clear()
        assert [found(i) for i in range(6)] == before

    def test_a_file_cut_short_is_noticed_and_made_again(self, settings) -> None:
        self.fill(6)
        before = [found(i) for i in range(6)]
        first = indices.index_compact(SPACE.key)
        assert indices.spaces_to_compact(missing_only=True) == []
        (settings.INDICES / SPACE.key / first.version / "vectors.f16").write_bytes(b"short")
        assert indices.spaces_to_compact(missing_only=True) == [SPACE.key]
        again = indices.index_compact(SPACE.key)
        assert again.version != first.version
        indices._held.cache_clear()
        assert [found(i) for i in range(6)] == before

    def test_another_configuration_is_followed_though_no_row_came(self, settings) -> None:
        self.fill(30)  # of three views: enough vectors for an approximate index
        first = indices.index_compact(SPACE.key)
        assert first.manifest["factory"] == "Flat"
        assert indices.index_compact(SPACE.key) == first
        faiss = settings.SEARCH.faiss.model_copy(update={"index_type": "HNSW"})
        settings.SEARCH = settings.SEARCH.model_copy(update={"faiss": faiss})
        second = indices.index_compact(SPACE.key)
        assert second.manifest["factory"].startswith("HNSW")
        assert indices.index_current(SPACE).snapshot.folder.name == second.version
        assert indices.index_compact(SPACE.key) == second

    @pytest.mark.parametrize("error", [OSError(28, "No space left on device"), PermissionError()])
    def test_where_nothing_can_be_written_memory_answers(self, monkeypatch, caplog, error) -> None:
        self.fill(8)
        before = [found(i) for i in range(8)]
        indices._held.cache_clear()
        monkeypatch.setattr(indices, "rebuild_at_once", lambda: 5)

        def full(*_args: object) -> None:
            raise error

        monkeypatch.setattr("search.engine.index.snapshot.manifest_write", full)
        assert [found(i) for i in range(8)] == before
        assert caplog.text.count("can be written") == 1  # not tried again by each search

    def test_old_snapshots_are_pruned(self, settings) -> None:
        pks = self.fill(3)
        for seed in range(10, 14):
            write(pks[0], seed)
            indices.index_compact(SPACE.key)
        folders = [p for p in (settings.INDICES / SPACE.key).iterdir() if p.is_dir()]
        assert len(folders) == settings.SEARCH.faiss.keep
        assert Space.objects.get(key=SPACE.key).snapshots.count() == settings.SEARCH.faiss.keep

    def test_when_to_compact(self, settings) -> None:
        self.fill(4)
        assert indices.spaces_to_compact() == []
        faiss = settings.SEARCH.faiss.model_copy(update={"compact_rows": 3})
        settings.SEARCH = settings.SEARCH.model_copy(update={"faiss": faiss})
        assert indices.spaces_to_compact() == [SPACE.key]
        indices.index_compact(SPACE.key)
        assert indices.spaces_to_compact() == []


@pytest.mark.django_db(transaction=True)
def test_a_row_committed_late_is_not_missed() -> None:
    """The one who took the lower number commits last; no reader ever sees the higher alone."""
    early, late = part(0).pk, part(1).pk
    embeddings.space_row(SPACE)
    holding, release = threading.Event(), threading.Event()
    errors: list[Exception] = []

    def in_thread(job: object) -> threading.Thread:
        def run() -> None:
            try:
                job()
            except Exception as error:  # noqa: BLE001  a thread's failure must reach the test
                errors.append(error)
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def slow() -> None:
        with transaction.atomic():
            write(early, 1)
            holding.set()
            release.wait(20)

    first = in_thread(slow)
    assert holding.wait(20)
    second = in_thread(lambda: write(late, 2))
    second.join(0.5)
    assert second.is_alive()  # it waits for its number until the lower one is decided
    assert found(2) == []
    release.set()
    first.join(20)
    second.join(20)
    assert not errors
    assert set(found(2)) == {early, late}
    assert list(Embedding.objects.order_by("seq").values_list("part", flat=True)) == [early, late]


@pytest.mark.django_db(transaction=True)
def test_two_who_build_at_once_build_one(monkeypatch) -> None:
    from search.engine.index import snapshot

    for i in range(4):
        write(part(i).pk, i)
    built: list[object] = []
    whole = snapshot.snapshot_build

    def slowly(*args: object, **how: object) -> object:
        built.append(how["version"])
        time.sleep(0.3)
        return whole(*args, **how)

    monkeypatch.setattr(snapshot, "snapshot_build", slowly)
    versions: list[str] = []

    def compact() -> None:
        try:
            versions.append(indices.index_compact(SPACE.key).version)
        finally:
            connection.close()

    threads = [threading.Thread(target=compact) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert versions == built * 2


@pytest.mark.django_db(transaction=True)
def test_searches_go_on_while_snapshots_are_built() -> None:
    pks = [part(i).pk for i in range(10)]
    for i, pk in enumerate(pks):
        write(pk, i)
    indices.index_current(SPACE)
    stop = threading.Event()
    wrong: list[object] = []

    def search() -> None:
        try:
            while not stop.is_set():
                for i, pk in enumerate(pks):
                    hits = found(i)
                    if hits[0] != pk or len(set(hits)) != len(hits):
                        wrong.append(hits)
        except Exception as error:  # noqa: BLE001
            wrong.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for seed in range(20, 26):
        extra = part(seed).pk
        write(extra, seed)
        indices.index_compact(SPACE.key)
        assert found(seed)[0] == extra
    stop.set()
    for thread in threads:
        thread.join(20)
    assert wrong == []
