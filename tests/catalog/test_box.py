"""A box keeps questions and answers for as long as somebody waits, and each is had once."""

import os
import threading
import time
from pathlib import Path

import pytest

from catalog.box import Box, BoxError, FileBox, RedisBox, box_open
from catalog.queue import answers


@pytest.fixture(params=["files", pytest.param("redis", marks=pytest.mark.services)])
def box(request, tmp_path) -> Box:
    if request.param == "files":
        return FileBox(tmp_path)
    return RedisBox(os.environ["TEST_CACHE_URL"], prefix=f"test-{time.time_ns()}")


def test_a_question_is_taken_once_with_the_time_that_is_left(box) -> None:
    box.ask("q1", b"\x00\xffbytes", seconds=5)
    assert box.waiting() == 1
    data, left = box.take("q1")
    assert data == b"\x00\xffbytes"
    assert 4 < left <= 5
    assert box.take("q1") is None
    assert box.waiting() == 0


def test_of_many_takers_one_has_it(box) -> None:
    box.ask("q1", b"x", seconds=5)
    taken: list[object] = []
    start = threading.Barrier(8)

    def take() -> None:
        start.wait()
        taken.append(box.take("q1"))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(found is not None for found in taken) == 1


def test_past_its_time_a_question_is_gone(box) -> None:
    box.ask("q1", b"x", seconds=0.05)
    time.sleep(0.1)
    assert box.take("q1") is None


def test_an_answer_reaches_the_one_who_waits_and_is_not_kept(box) -> None:
    threading.Timer(0.1, box.answer, ("q1", b"answer"), {"seconds": 5}).start()
    start = time.monotonic()
    assert box.wait("q1", seconds=5) == b"answer"
    assert time.monotonic() - start < 1
    assert box.wait("q1", seconds=0.05) is None


def test_who_gave_up_leaves_no_question(box) -> None:
    box.ask("q1", b"x", seconds=5)
    start = time.monotonic()
    assert box.wait("q1", seconds=0.1) is None
    assert 0.1 <= time.monotonic() - start < 1
    assert box.waiting() == 0
    assert box.take("q1") is None


def test_a_worker_lives_for_as_long_as_it_said(box) -> None:
    assert not box.lives("encode")
    box.beat("encode", seconds=0.2)
    assert box.lives("encode")
    assert not box.lives("gpu")
    time.sleep(0.25)
    assert not box.lives("encode")
    box.beat("encode", seconds=5)
    box.beat("encode", seconds=0)
    assert not box.lives("encode")


class TestFiles:
    def test_a_name_cannot_leave_the_folder(self, tmp_path) -> None:
        with pytest.raises(ValueError, match="no name of a file"):
            FileBox(tmp_path).ask("../../passwords", b"x", seconds=1)

    def test_what_nobody_fetched_is_swept(self, tmp_path) -> None:
        box = FileBox(tmp_path)
        box.answer("old", b"x", seconds=1)
        box.answer("new", b"x", seconds=1)
        past = time.time() - 3600
        os.utime(tmp_path / "answers" / "old", (past, past))
        box.beat("encode", seconds=1)
        assert [file.name for file in (tmp_path / "answers").iterdir()] == ["new"]

    def test_the_default_one_is_in_the_data_folder(self, settings) -> None:
        box = box_open(f"file://{settings.DATA}/broker/box")
        assert isinstance(box, FileBox)
        assert Path(settings.DATA, "broker", "box", "questions").is_dir()


@pytest.mark.services
def test_a_redis_that_is_not_there_is_told_at_once() -> None:
    start = time.monotonic()
    with pytest.raises(BoxError):
        RedisBox("redis://127.0.0.1:1/0").waiting()
    assert time.monotonic() - start < 2


@pytest.mark.services
def test_clocks_of_machines_need_not_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    box = RedisBox(os.environ["TEST_CACHE_URL"], prefix=f"test-{time.time_ns()}")
    box.ask("q1", b"x", seconds=5)
    now = time.time()
    with monkeypatch.context() as ahead:
        ahead.setattr("catalog.box.time.time", lambda: now + 3600)
        assert box.waiting() == 1
        box.ask("q2", b"x", seconds=0.2)
    time.sleep(0.3)
    assert box.waiting() == 1


@pytest.mark.services
def test_with_a_redis_broker_the_box_is_there_too() -> None:
    assert isinstance(answers(), RedisBox)
