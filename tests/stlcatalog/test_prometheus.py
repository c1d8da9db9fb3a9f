"""/metrics: counted by every process, added up by whichever is asked, for those who may read."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from catalog import meters
from catalog.queue import enqueue
from search.models import Space
from tests.factories.shelf import axes_in_place, looks, part_on_shelf
from tests.factories.work import environment

pytestmark = pytest.mark.django_db


def read(client: Client, **headers: str) -> dict[tuple[str, ...], float]:
    """{(name, label values...): value} of every sample."""
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    found = {}
    for family in text_string_to_metric_families(answer.content.decode()):
        for sample in family.samples:
            found[(sample.name, *sample.labels.values())] = sample.value
    return found


def test_requests_are_counted_by_their_view(client: Client) -> None:
    before = _of(read(client), "stlcatalog_requests_total")
    client.get("/api/engines/")
    client.get("/api/engines")
    client.get(f"/api/{'x' * 50}")
    after = _of(read(client), "stlcatalog_requests_total")
    key = frozenset({"GET", "200", "api_engines"})
    assert after[key] - before.get(key, 0) == 2
    assert not any("xxx" in word for labels in after for word in labels)
    times = _of(read(client), "stlcatalog_request_seconds_count")
    assert times[frozenset({"api_engines"})] >= 2


def _of(samples: dict[tuple[str, ...], float], name: str) -> dict[frozenset[str], float]:
    return {frozenset(key[1:]): value for key, value in samples.items() if key[0] == name}


def test_searches_and_their_stages_are_timed(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    axes_in_place(monkeypatch)
    part_on_shelf(looks(0.9))
    before = read(client)
    client.post("/api/search/text", {"text": "ring", "engine": "mini"}, "application/json")
    after = read(client)
    searched = _of(after, "stlcatalog_searches_total")
    key = frozenset({"text", "mini"})
    assert searched[key] - _of(before, "stlcatalog_searches_total").get(key, 0) == 1
    stages = _of(after, "stlcatalog_search_stage_seconds_count")
    assert {"encode", "search", "total"} <= {next(iter(labels)) for labels in stages}


def test_it_says_how_the_catalogue_stands(
    client: Client, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    axes_in_place(monkeypatch)
    part_on_shelf(looks(0.9))
    part_on_shelf(looks(0.9), status="failed")
    with django_capture_on_commit_callbacks(execute=True):
        enqueue("workers.index_compact", "nothing")
    found = read(client)
    assert found["stlcatalog_parts", "ready"] == 1
    assert found["stlcatalog_parts", "failed"] == 1
    space = Space.objects.get()
    assert found["stlcatalog_index_lag_rows", space.key] == 2
    assert found["stlcatalog_queue_messages", "index"] == 1
    assert found["stlcatalog_queue_messages", "ingest"] == 0


def test_a_broker_that_is_gone_costs_its_gauges_only(client: Client, settings: Any) -> None:
    from stlcatalog.celery import app

    with app.connection_for_read("amqp://127.0.0.1:1//") as broken:
        held = app.connection_for_read
        app.connection_for_read = lambda **options: broken
        try:
            found = read(client)
        finally:
            app.connection_for_read = held
    assert ("stlcatalog_parts", "ready") in found
    assert ("stlcatalog_queue_messages", "index") not in found


# Nothing, a length beyond the end, a key that is no JSON.
BROKEN = [
    b"",
    b"\x40" + bytes(7) + b"\xff" * 100,
    b"\x28" + bytes(7) + b"\x09\0\0\0" + b"{nothing}" * 4,
]


@pytest.mark.parametrize("left", BROKEN, ids=["empty", "cut", "no JSON"])
def test_what_a_killed_process_left_hides_nothing(
    client: Client, settings: Any, left: bytes
) -> None:
    client.get("/api/engines/")
    files = [settings.METRICS / "counter_99999999.db", settings.METRICS / "counter_dead.db"]
    for file in files:
        file.write_bytes(left)
    begun = settings.METRICS / f"counter_{os.getppid()}.db"
    begun.write_bytes(left)
    try:
        assert any("api_engines" in labels for labels in read(client))
        assert not any(file.exists() for file in files)
        assert begun.exists()  # its process lives
    finally:
        begun.unlink()


@pytest.mark.parametrize(
    "accept", ["application/openmetrics-text; version=x", "text/plain;version=é"]
)
def test_whatever_is_accepted_it_answers(client: Client, accept: str) -> None:
    assert client.get("/metrics", headers={"Accept": accept}).status_code == 200


class TestWhoMayRead:
    def test_reading_that_is_not_open_needs_a_token(
        self, client: Client, settings: Any, token_client: Callable[..., Any], logged_in: Client
    ) -> None:
        assert client.get("/metrics").status_code == 200
        settings.READING_OPEN = False
        assert client.get("/metrics").status_code == 401
        assert token_client("read").get("/metrics").status_code == 200
        assert token_client("write").get("/metrics").status_code == 401
        assert logged_in.get("/metrics/").status_code == 200

    def test_it_is_only_read(self, client: Client) -> None:
        assert client.post("/metrics").status_code == 405


COUNTING = """
import django; django.setup()
from catalog import meters
meters.request_seen(view="{view}", method="GET", status=200, seconds=0.01)
"""


def test_processes_add_up_and_those_that_ended_are_joined(client: Client, settings: Any) -> None:
    view, runs = "counted-by-others", meters.DEAD_MOST // 2 + 1
    for _ in range(runs):
        subprocess.run(
            [sys.executable, "-c", COUNTING.format(view=view)],
            env={**environment(), "PYTHONPATH": os.pathsep.join(sys.path)},
            cwd=settings.BASE,
            check=True,
        )
    files = list(settings.METRICS.glob("*.db"))
    assert len(files) > meters.DEAD_MOST
    for _ in range(2):  # the first joins them; nothing is lost or counted twice
        counted = _of(read(client), "stlcatalog_requests_total")
        assert counted[frozenset({view, "GET", "200"})] == runs
        times = _of(read(client), "stlcatalog_request_seconds_count")
        assert times[frozenset({view})] == runs
    assert (settings.METRICS / "counter_dead.db").exists()
    alive = [path for path in settings.METRICS.glob("*.db") if meters._is_alive(path)]
    assert sorted(alive) == sorted(settings.METRICS.glob("*.db"))
