"""A process has one encoder of an engine, and one network in memory, however many ask at once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from django.test import override_settings

from catalog.errors import ServiceError
from search import encoders, engines
from search.engine.encoders import choose
from stlcatalog.config import OpenClipEngine

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    encoders.encoders_forget()
    yield
    encoders.encoders_forget()


def test_threads_that_come_together_get_the_same(monkeypatch) -> None:
    made = []
    make = choose.encoder_make

    def slowly(kind: str, **options: Any) -> Any:
        time.sleep(0.1)  # as hashing a large file of weights takes
        made.append(kind)
        return make(kind, **options)

    monkeypatch.setattr(choose, "encoder_make", slowly)
    together = threading.Barrier(6)

    def ask(_: int) -> Any:
        together.wait()
        return encoders.encoder("mini")

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(ask, range(6)))
    assert len(set(map(id, found))) == 1
    assert made == ["mini"]
    assert encoders.encoder("mini") is found[0]
    encoders.encoders_forget()
    assert encoders.encoder("mini") is not found[0]


@pytest.mark.clip
def test_a_network_that_is_forgotten_leaves_the_memory(settings, tmp_path) -> None:
    from tests.factories.networks import clip_folder

    clip_folder(tmp_path / "small")
    ours = OpenClipEngine(encoder="openclip", checkpoint="small", device="cpu", precision="fp32")
    search = settings.SEARCH
    changed = search.model_copy(update={"engines": {**search.engines, "clip": ours}})
    with override_settings(SEARCH=changed, WEIGHTS=tmp_path):
        asked = encoders.encoder("clip", query=True)
        asked.texts_embed(["ring"])
        held = encoders.encoder("clip")
        assert held.is_loaded  # once, for queries and for parts
        encoders.encoders_forget()
        assert not held.is_loaded
        assert not asked.is_loaded
        assert encoders.encoder("clip").texts_embed(["ring"]).shape == (1, 32)


@pytest.mark.clip
def test_no_memory_left_is_a_fault_of_the_moment(tmp_path) -> None:
    """A graphics card's too: what waits tries again, what is asked is told."""
    import torch

    from search.engine.encoders.openclip import OpenClipEncoder
    from search.engine.encoders.openclip_files import Source
    from search.engine.encoders.running import Wanted
    from tests.factories.networks import clip_folder

    source = Source("clip", tmp_path, tmp_path, checkpoint=clip_folder(tmp_path / "small"))
    encoder = OpenClipEncoder(source, folder=tmp_path, wanted=Wanted("cpu", "fp32", "torch"))
    sides = encoder._sides

    def full(_module: Any, _args: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    def built() -> Any:
        made = sides()
        made.network.ln_final.register_forward_pre_hook(full)
        return made

    encoder._sides = built
    with pytest.raises(MemoryError, match=r"20\.00 GiB"):
        encoder.texts_embed(["ring"])
    with pytest.raises(ServiceError) as caught, engines.engine_errors():
        encoder.texts_embed(["ring"])
    assert caught.value.code == "machine_trouble"
    assert caught.value.status == 503
