"""The file-system broker: whole messages, in order of urgency, each queue on its own."""

import threading
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection

from stlcatalog import file_broker

# Names of queues are of this file only: kombu binds a queue once in a process, whatever the folder.


@pytest.fixture
def connect(tmp_path):
    file_broker.register()

    def make() -> Connection:
        return Connection(
            "filesystem://",
            transport_options={
                "data_folder_in": str(tmp_path / "queue"),
                "data_folder_out": str(tmp_path / "queue"),
                "control_folder": str(tmp_path / "control"),
            },
        )

    return make


def test_what_is_urgent_is_read_first_and_equals_in_their_order(connect) -> None:
    with connect() as connection:
        queue = connection.SimpleQueue("urgent")
        for n, priority in enumerate((6, 3, 0, 3, 6, 0)):
            queue.put(n, priority=priority)
        read = []
        while True:
            try:
                message = queue.get(block=False)
            except Empty:
                break
            message.ack()
            read.append(message.payload)
        assert read == [2, 5, 1, 3, 0, 4]


def test_queues_do_not_mix(connect, tmp_path: Path) -> None:
    with connect() as connection:
        one, other = connection.SimpleQueue("one"), connection.SimpleQueue("other")
        one.put("a")
        other.put("b")
        assert (one.qsize(), other.qsize()) == (1, 1)
        other.clear()
        assert (one.qsize(), other.qsize()) == (1, 0)
        assert {folder.name for folder in (tmp_path / "queue").iterdir()} == {"one", "other"}
        assert one.get(block=False).payload == "a"


@pytest.mark.parametrize("name", ["../outside", "a/b", "..", ""])
def test_a_queue_cannot_leave_the_folder(connect, name) -> None:
    with connect() as connection, pytest.raises(ValueError, match="cannot be called"):
        connection.default_channel._put(name, {})


def test_many_writers_and_readers_lose_nothing_and_read_nothing_twice(connect) -> None:
    read: list[int] = []
    written = threading.Event()

    def write(start: int) -> None:
        with connect() as connection:
            queue = connection.SimpleQueue("busy")
            for n in range(start, start + 100):
                queue.put({"n": n, "filling": "x" * 20_000})

    def reader() -> None:
        with connect() as connection:
            queue = connection.SimpleQueue("busy")
            while True:
                last = written.is_set()
                try:
                    message = queue.get(block=False)
                except Empty:
                    if last:
                        return
                    continue
                message.ack()
                read.append(message.payload["n"])

    readers = [threading.Thread(target=reader) for _ in range(3)]
    writers = [threading.Thread(target=write, args=(start,)) for start in (0, 100, 200)]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join(100)
    written.set()
    for thread in readers:
        thread.join(100)
    assert sorted(read) == list(range(300))


def test_who_sends_while_queues_are_bound_finds_them(connect) -> None:
    """Many processes start at once: the table of an exchange is never half written."""
    failed: list[Exception] = []

    def bind_and_send(n: int) -> None:
        try:
            for round_ in range(20):
                with connect() as connection:
                    channel = connection.default_channel
                    channel._queue_bind("shared", "", "", f"queue{n}-{round_}")
                    assert any(q == f"queue{n}-{round_}" for *_, q in channel.get_table("shared"))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=bind_and_send, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    assert failed == []
    with connect() as connection:
        assert len(connection.default_channel.get_table("shared")) == 120
