"""Why a part was found, by large engines: untrained networks through the page and the API."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from django.core.cache import cache
from django.test import Client

from catalog.models import Part
from search import encoders
from search.embeddings import embeddings_write
from search.engine.encoders.openclip import OpenClipEncoder
from search.engine.errors import EncoderError
from search.explanation.sides import picture_size, views_draw
from search.remote import client as remote
from search.remote import wire
from stlcatalog.config import OpenClipEngine, ResNet50Engine
from tests.factories.networks import clip_folder, resnet_file
from tests.pages.test_pages_why import upload

pytestmark = pytest.mark.clip


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("weights")
    clip_folder(folder / "small")
    resnet_file(folder / "resnet.pth")
    return folder


@pytest.fixture
def seen(settings: Any, checkpoints: Any, part_make: Callable[..., Part]) -> Iterator[Part]:
    """A part that ResNet50, which knows no words and is the first, and CLIP have looked at."""
    ways = {"device": "cpu", "precision": "fp32", "runtime": "torch"}
    engines = {
        "resnet50": ResNet50Engine(encoder="resnet50", checkpoint="resnet.pth", **ways),
        "clip": OpenClipEngine(encoder="openclip", checkpoint="small", **ways),
    }
    settings.SEARCH = settings.SEARCH.model_copy(update={"engines": engines, "use": list(engines)})
    settings.WEIGHTS = checkpoints
    encoders.encoders_forget()
    part = part_make(name="Claw ring")
    for name in engines:
        looks = encoders.encoder(name).pictures_embed(
            views_draw(part, size=picture_size(name)).views.rgb
        )
        embeddings_write(part_id=part.pk, space=encoders.space(name), vectors=looks)
    yield part
    encoders.encoders_forget()


def asked(client: Client, part: Part, **body: Any) -> dict[str, Any]:
    answer = client.post("/api/explain", {"part_id": str(part.uuid), **body})
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_words_are_explained_by_the_first_engine_that_knows_them(client: Client, seen) -> None:
    for engine in ("", "fusion"):
        body = asked(client, seen, text="claw ring", engine=engine)
        assert (body["engine"], body["method"]) == ("clip", "legrad")
        assert np.ptp(body["cells"]) > 0
    assert asked(client, seen, image=upload())["engine"] == "resnet50"
    page = client.get(f"/parts/{seen.uuid}/why", {"tab": "text", "q": "claw ring"})
    assert page.status_code == 200


def worker_answer(task: str, data: bytes, **options: Any) -> bytes:
    """What a worker would send back, as it came over the queue."""
    said, arrays = wire.unpack(data)
    encoder = encoders.encoder(said["engine"])
    found = getattr(encoder, said["call"])(arrays[0] if arrays else said["texts"])
    return wire.pack({}, [found] if isinstance(found, np.ndarray) else list(found))


def test_a_web_process_without_torch_asks_the_workers(client, seen, settings, monkeypatch) -> None:
    """By occlusion, which needs embeddings alone: maps and gradients do not travel."""
    there = asked(client, seen, text="claw ring")

    def missing(self: OpenClipEncoder) -> None:
        raise EncoderError("encoder_not_installed", "no torch", command="pip install")

    monkeypatch.setattr(OpenClipEncoder, "_visual_load", missing)
    monkeypatch.setattr(remote, "ask", worker_answer)
    cache.clear()
    encoders.encoders_forget()
    refused = client.post("/api/explain", {"part_id": str(seen.uuid), "text": "claw ring"})
    assert refused.status_code == 503  # nobody else is there to ask
    settings.SEARCH_ENCODERS = "remote"
    encoders.encoders_forget()
    here = asked(client, seen, text="claw ring")
    assert (there["method"], here["method"]) == ("legrad", "occlusion")
    assert here["similarity"] == pytest.approx(there["similarity"], abs=1e-3)
    assert np.ptp(here["cells"]) > 0
    both = asked(client, seen, image=upload(), text="ring", engine="clip", faithfulness="true")
    assert both["method"] == "occlusion" and both["faithfulness"]["deletion"]


def test_each_word_beside_a_picture_is_weighed(client: Client, seen) -> None:
    """In one space picture and words are one query, and the words are told all the same."""
    body = asked(client, seen, image=upload(), text="claw ring", engine="clip")
    assert body["target"] == "both"
    words = [fact["label"] for fact in body["key_features"] if fact["code"] == "word"]
    assert sorted(words) == ["Without “claw”", "Without “ring”"]
