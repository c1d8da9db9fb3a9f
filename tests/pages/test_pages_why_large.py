"""Why a part was found, by large engines: untrained networks through the page and the API."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from django.test import Client

from catalog.models import Part
from search import encoders
from search.embeddings import embeddings_write
from search.explanation.sides import picture_size, views_draw
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


def test_each_word_beside_a_picture_is_weighed(client: Client, seen) -> None:
    """In one space picture and words are one query, and the words are told all the same."""
    body = asked(client, seen, image=upload(), text="claw ring", engine="clip")
    assert body["target"] == "both"
    words = [fact["label"] for fact in body["key_features"] if fact["code"] == "word"]
    assert sorted(words) == ["Without “claw”", "Without “ring”"]
