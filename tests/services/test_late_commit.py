"""On PostgreSQL, over connections of their own: who took the lower number may commit last."""

import threading

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction

from catalog import services
from search import embeddings, indices
from search.engine.encoders.space import Space as EngineSpace
from search.models import Embedding, Space
from tests.factories import meshes
from tests.factories.work import database_url

pytestmark = pytest.mark.django_db(transaction=True)

SPACE = EngineSpace(encoder="late", weights_sha="0" * 64, preprocessing="none", d=8)


def part(n: int) -> int:
    data = meshes.stl_binary(meshes.box((n + 1, 1, 1)))
    return services.part_upload(file=SimpleUploadedFile(f"{n}.stl", data))[0].pk


def vectors(seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(2, SPACE.d)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def found(seed: int) -> list[int]:
    return indices.index_current(SPACE).search(vectors(seed)[:1], k=10).part_ids.tolist()


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def waiting_for_locks() -> int:
    # Of an extra: this file is read, and its tests left out, where it is not installed.
    import psycopg

    with psycopg.connect(database_url(), autocommit=True) as other:
        row = other.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        ).fetchone()
        return row[0]


def test_a_row_committed_late_is_seen_and_none_is_seen_before_it() -> None:
    assert connection.vendor == "postgresql"
    early, late = part(0), part(1)
    embeddings.space_row(SPACE)
    assert found(0) == []  # the reader's tail is at nought
    written, commit = threading.Event(), threading.Event()
    pids: set[int] = {backend()}

    def slow() -> None:
        try:
            with transaction.atomic():
                embeddings.embeddings_write(part_id=early, space=SPACE, vectors=vectors(0))
                pids.add(backend())
                written.set()
                assert commit.wait(20)
        finally:
            connection.close()

    def quick() -> None:
        try:
            pids.add(backend())
            embeddings.embeddings_write(part_id=late, space=SPACE, vectors=vectors(1))
        finally:
            connection.close()

    first, second = threading.Thread(target=slow), threading.Thread(target=quick)
    first.start()
    assert written.wait(20)
    second.start()
    # The second really stands before the first's lock, and whoever reads now sees neither.
    for _try in range(200):
        if waiting_for_locks():
            break
        threading.Event().wait(0.02)
    assert waiting_for_locks() == 1
    assert found(1) == []
    commit.set()
    first.join(20)
    second.join(20)
    assert len(pids) == 3
    assert set(found(0)) == {early, late}
    assert list(Embedding.objects.order_by("seq").values_list("part", "seq")) == [
        (early, 1),
        (late, 2),
    ]


def test_one_that_is_rolled_back_leaves_no_hole() -> None:
    first, second = part(0), part(1)
    with transaction.atomic():
        embeddings.embeddings_write(part_id=first, space=SPACE, vectors=vectors(0))
        transaction.set_rollback(True)
    embeddings.embeddings_write(part_id=second, space=SPACE, vectors=vectors(1))
    assert Space.objects.get(key=SPACE.key).last_seq == 1
    assert found(1) == [second]
