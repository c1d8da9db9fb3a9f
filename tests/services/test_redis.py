"""Redis as broker and cache: what is urgent goes first, no pickle, its loss is survived."""

import os
import time

import numpy as np
import pytest
from django.core.cache import cache, caches
from django.test import override_settings

from catalog.queue import LATER, NOW, SOON
from stlcatalog.celery import app
from tests.factories.settings_of import settings_of


def test_what_is_urgent_is_delivered_first() -> None:
    for n, priority in enumerate((LATER, SOON, NOW, LATER, SOON)):
        app.send_task("test.nothing", args=(n,), queue="order", priority=priority)
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue("order")
        read = []
        for _message in range(5):
            message = queue.get(timeout=2)
            message.ack()
            read.append(message.payload[0][0])
    assert read == [2, 1, 4, 0, 3]


def test_a_message_is_not_given_twice_while_it_may_be_worked_on() -> None:
    options = settings_of("CELERY_BROKER_TRANSPORT_OPTIONS")
    limit = settings_of("CELERY_TASK_TIME_LIMIT")
    ahead = settings_of("CELERY_WORKER_PREFETCH_MULTIPLIER")
    assert options["visibility_timeout"] >= limit * (ahead + 1)


def test_the_cache_holds_what_the_product_keeps_and_no_pickle() -> None:
    rows = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32).tobytes()
    kept = {"rows": [rows, [0.1, 0.2, 1.0, 1.0], True], "n": 3, "text": "戒指", "none": None}
    cache.set_many(kept, 60)
    assert cache.get_many(kept) == kept
    assert cache.incr("n") == 4
    import redis  # of an extra: this file is read where it is not installed

    plain = redis.Redis.from_url(os.environ["TEST_CACHE_URL"])
    for key in plain.scan_iter("*rows*"):
        assert plain.get(key).startswith(b"[")
    with pytest.raises(TypeError):
        cache.set("object", object(), 60)


def test_a_cache_that_is_away_holds_nothing_and_harms_nobody() -> None:
    with override_settings(
        CACHES={
            "default": {
                "BACKEND": "stlcatalog.cache.ForgivingRedisCache",
                "LOCATION": "redis://127.0.0.1:1/0",
            }
        }
    ):
        away, start = caches["default"], time.monotonic()
        away.set("a", 1, 60)
        assert away.get("a", "nothing") == "nothing"
        assert away.get_many(["a"]) == {}
        away.delete("a")
        assert time.monotonic() - start < 5
