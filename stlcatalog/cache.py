"""The cache in Redis, without pickle, and without which the product still answers.

Whoever can write to Redis must not be able to run code here, so values are JSON. What is cached can
always be made again: a Redis that does not answer is a cache that holds nothing.
"""

import base64
import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

BYTES = "\0bytes"  # the key of an object that stands for bytes


class JsonSerializer:
    """Numbers, texts, bytes, and lists and objects of them; a tuple comes back as a list."""

    def dumps(self, value: Any) -> bytes | int:
        # Redis counts in integers of its own.
        if type(value) is int:
            return value
        return json.dumps(value, default=_bytes_write).encode()

    def loads(self, data: bytes) -> Any:
        return json.loads(data, object_hook=_bytes_read)


def _bytes_write(value: Any) -> dict[str, str]:
    if isinstance(value, bytes | bytearray | memoryview):
        return {BYTES: base64.b64encode(value).decode("ascii")}
    raise TypeError(f"{type(value).__name__} is not kept in the cache")


def _bytes_read(value: dict[str, Any]) -> Any:
    return base64.b64decode(value[BYTES]) if value.keys() == {BYTES} else value


class ForgivingRedisCache(RedisCache):
    def __init__(self, server: str, params: Mapping[str, Any]) -> None:
        options = {
            "serializer": JsonSerializer(),
            "socket_connect_timeout": 1,
            "socket_timeout": 2,
            **params.get("OPTIONS", {}),
        }
        super().__init__(server, {**params, "OPTIONS": options})

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return self._try(super().add, True, *args, **kwargs)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._try(super().get, default, key, default, version)

    def get_many(self, keys: Iterable[str], version: int | None = None) -> dict[str, Any]:
        return self._try(super().get_many, {}, keys, version)

    def set(self, *args: Any, **kwargs: Any) -> None:
        self._try(super().set, None, *args, **kwargs)

    def set_many(self, data: Mapping[str, Any], *args: Any, **kwargs: Any) -> list[str]:
        return self._try(super().set_many, list(data), data, *args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        return self._try(super().delete, False, *args, **kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> bool:
        return self._try(super().touch, False, *args, **kwargs)

    def has_key(self, *args: Any, **kwargs: Any) -> bool:
        return self._try(super().has_key, False, *args, **kwargs)

    def _try(self, call: Any, otherwise: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except (RedisError, OSError) as error:
            log.warning("the cache does not answer: %s", error)
            return otherwise
