"""Calls that come together share a run; every caller has its own rows back, or its own refusal."""

import threading
import time
from collections.abc import Iterator

import pytest

from search.batches import Batches, TooLate


class Network:
    """Squares numbers, in its own time, and remembers how many came at once.

    Whoever clears `goes_on` has it hang, once it has `begun`.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.runs: list[int] = []
        self.begun, self.goes_on = threading.Event(), threading.Event()
        self.goes_on.set()

    def __call__(self, rows: list[int]) -> list[int]:
        self.runs.append(len(rows))
        self.begun.set()
        self.goes_on.wait(60)
        time.sleep(self.seconds)
        if -1 in rows:
            raise ArithmeticError("no")
        return [row * row for row in rows]


def ask_together(batches: Batches, calls: list[list[int]]) -> dict[int, object]:
    found: dict[int, object] = {}
    start = threading.Barrier(len(calls))

    def one(n: int) -> None:
        start.wait()
        try:
            found[n] = batches.ask(calls[n], seconds=10)
        except ArithmeticError as error:
            found[n] = error

    threads = [threading.Thread(target=one, args=(n,)) for n in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return found


def test_everyone_has_their_own_rows_back() -> None:
    network = Network(0.02)
    calls = [[n, n + 100, n + 200] for n in range(24)]
    found = ask_together(Batches(network, most=16, gather_s=0.005), calls)
    assert found == {n: [row * row for row in rows] for n, rows in enumerate(calls)}
    assert sum(network.runs) == 72
    assert max(network.runs) <= 16
    assert len(network.runs) < 12  # one by one it would be 24


@pytest.fixture
def hanging() -> Iterator[tuple[Network, Batches[int, int]]]:
    """A network with one call in its hands, and what asks it."""
    network = Network()
    network.goes_on.clear()
    batches = Batches(network, most=16, gather_s=0)
    first = threading.Thread(target=batches.ask, args=([1],), kwargs={"seconds": 60})
    first.start()
    assert network.begun.wait(60)
    yield network, batches
    network.goes_on.set()
    first.join()


def test_what_comes_while_a_batch_runs_goes_together(hanging) -> None:
    network, batches = hanging
    threading.Timer(0.5, network.goes_on.set).start()
    ask_together(batches, [[n] for n in range(6)])
    assert network.runs == [1, 6]


def test_one_alone_does_not_wait_for_long() -> None:
    batches = Batches(Network(), most=16, gather_s=0.005)
    start = time.monotonic()
    assert batches.ask([3], seconds=5) == [9]
    assert time.monotonic() - start < 0.5


def test_a_call_larger_than_a_batch_goes_alone() -> None:
    network = Network()
    assert len(Batches(network, most=4, gather_s=0).ask(list(range(9)), seconds=5)) == 9
    assert network.runs == [9]


def test_who_waits_no_longer_is_not_computed(hanging) -> None:
    network, batches = hanging
    with pytest.raises(TooLate):
        batches.ask([2, 3], seconds=0.05)
    network.goes_on.set()
    assert batches.ask([4], seconds=60) == [16]
    assert network.runs == [1, 1]


def test_a_network_that_hangs_holds_nobody_beyond_their_time() -> None:
    network = Network()
    network.goes_on.clear()
    with pytest.raises(TooLate):
        Batches(network, most=4, gather_s=0).ask([1], seconds=0.1)
    network.goes_on.set()


def test_a_failure_reaches_those_it_struck_and_the_next_are_answered() -> None:
    batches = Batches(Network(), most=4, gather_s=0)
    with pytest.raises(ArithmeticError):
        batches.ask([-1], seconds=5)
    assert batches.ask([5], seconds=5) == [25]
