"""The page that says why a part was found, and the button that leads there, without its script."""

import io
import re
from collections.abc import Callable

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from catalog.models import Part
from search import encoders
from search.embeddings import embeddings_write
from search.engine.fusion import views_mean
from search.explanation.sides import views_draw
from tests.factories import meshes

HTMX = {"HX-Request": "true"}


@pytest.fixture
def seen(part_make: Callable[..., Part]) -> Callable[..., Part]:
    """Makes a part that the engine has looked at."""

    def make(**fields) -> Part:
        part = part_make(**fields)
        looks, words = encoders.word_encoder("mini").pictures_embed_both(
            views_draw(part, size=224).views.rgb
        )
        embeddings_write(part_id=part.pk, space=encoders.space("mini"), vectors=looks)
        embeddings_write(
            part_id=part.pk, space=encoders.words_space("mini"), vectors=views_mean(words)
        )
        return part

    return make


def photo() -> bytes:
    rng = np.random.default_rng(0)
    picture = np.full((120, 160, 3), 215, np.uint8)
    picture[30:90, 50:110] = rng.integers(60, 140, (60, 60, 3))
    held = io.BytesIO()
    Image.fromarray(picture).save(held, "PNG")
    return held.getvalue()


def upload(data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile("q.png", photo() if data is None else data, "image/png")


def test_words_lead_to_a_page_by_address(client: Client, seen) -> None:
    part = seen(name="Claw ring")
    html = client.get("/", {"tab": "text", "q": "claw ring"}).content.decode()
    address = re.search(r'class="why-ask"\s+href="([^"]+)"', html)[1].replace("&amp;", "&")
    assert address.startswith(f"/parts/{part.uuid}/why?")
    page = client.get(address)
    html = page.content.decode()
    assert page.status_code == 200
    assert "Why Claw ring?" in html
    assert "<html" in html
    assert "“claw”" in html  # what its removal costs
    assert "Its name, number, tags or category contain" in html


def test_a_picture_leads_to_a_page_by_its_cut_out(client: Client, seen) -> None:
    """Without the script the browser has let go of the file: the cut-out goes along."""
    part = seen()
    html = client.post("/", {"tab": "picture", "image": upload()}).content.decode()
    button = re.search(r"<button class=\"why-ask\".*?>", html, re.S)[0]
    assert f'formaction="/parts/{part.uuid}/why"' in button and 'form="search"' in button
    hidden = re.search(r'name="cutout"\s+form="search"\s+value="([^"]+)"', html)[1]
    page = client.post(f"/parts/{part.uuid}/why", {"tab": "picture", "cutout": hidden})
    html = page.content.decode()
    assert page.status_code == 200, html
    assert "The picture searched with" in html
    assert html.count('class="heat"') == 2


def test_the_script_gets_the_panels_inside_alone(client: Client, seen) -> None:
    part = seen()
    body = {"tab": "picture", "image": upload()}
    answer = client.post(f"/parts/{part.uuid}/why", body, headers=HTMX)
    html = answer.content.decode()
    assert "<html" not in html and 'class="why"' in html
    assert "HX-Request" in answer["Vary"]


def test_a_mesh_and_another_part_are_explained(client: Client, seen) -> None:
    part, other = seen(name="Box"), seen(name="Block", size_x=10.0)
    file = SimpleUploadedFile("q.stl", meshes.stl_binary(meshes.box()))
    html = client.post(f"/parts/{part.uuid}/why", {"tab": "stl", "mesh": file}).content.decode()
    assert "Proportions" in html
    html = client.get(f"/parts/{part.uuid}/why", {"like": str(other.uuid)}).content.decode()
    assert "Block" in html and "Outline, height to width" in html


def test_similar_parts_can_be_asked_about(client: Client, seen) -> None:
    part, other = seen(name="Box"), seen(name="Block")
    html = client.get(f"/parts/{part.uuid}/similar").content.decode()
    assert f'href="/parts/{other.uuid}/why?like={part.uuid}"' in html


def test_similar_parts_are_explained_as_they_were_compared(client: Client, seen) -> None:
    """By the same engine, and with the marks that moved the comparison."""
    part, other, third = seen(name="Box"), seen(name="Block"), seen(name="Brick")
    asked = {"engine": "mini", "more": str(third.uuid)}
    html = client.get(f"/parts/{part.uuid}/similar", asked).content.decode()
    address = f"/parts/{other.uuid}/why?like={part.uuid}&amp;engine=mini&amp;more={third.uuid}"
    assert f'href="{address}"' in html
    html = client.get(address.replace("&amp;", "&")).content.decode()
    assert "With the marked parts the similarity is" in html
    assert "without them" in html


def test_marked_words_are_explained_as_they_were_asked(client: Client, seen) -> None:
    part, other = seen(name="Claw ring"), seen(name="Plain ring")
    asked = {"tab": "text", "q": "claw ring", "mark_more": str(other.uuid)}
    html = client.get("/", asked).content.decode()
    address = re.search(rf'href="(/parts/{part.uuid}/why[^"]+)"', html)[1].replace("&amp;", "&")
    assert "With the marked parts the similarity is" in client.get(address).content.decode()


def test_heat_for_the_viewer(client: Client, seen) -> None:
    part = seen()
    answer = client.get(f"/parts/{part.uuid}/why/surface", {"tab": "text", "q": "box"})
    assert answer.status_code == 200
    assert answer.content[:4] == b"HEAT"
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"tab": "picture"}, "Choose a picture first."),
        ({"tab": "stl"}, "Choose an STL"),
        ({"tab": "picture", "cutout": "data:image/png;base64,!!!"}, "This is not a picture."),
        ({"tab": "picture", "cutout": "https://example.org/a.png"}, "This is not a picture."),
        ({"tab": "text", "q": ""}, "Write what you look for."),
        ({"tab": "both"}, "Choose a picture, write some words, or both."),
        ({"like": "nobody"}, "There is no such part."),
        ({"like": "00000000-0000-0000-0000-000000000000"}, "There is no such part."),
    ],
)
def test_what_cannot_be_asked_is_told(client: Client, seen, body, sentence) -> None:
    part = seen()
    for address in ("why", "why/surface"):
        answer = client.post(f"/parts/{part.uuid}/{address}", body)
        assert answer.status_code in {400, 404}
        assert sentence in answer.content.decode()


def test_what_is_no_picture_is_told(client: Client, seen) -> None:
    part = seen()
    body = {"tab": "picture", "image": upload(b"<html>" * 40)}
    answer = client.post(f"/parts/{part.uuid}/why", body)
    assert answer.status_code == 400
    assert "This is not a picture." in answer.content.decode()


def test_a_part_that_is_not_there_or_not_looked_at(client: Client, part: Part) -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    assert client.get(f"/parts/{nobody}/why?q=ring").status_code == 404
    blind = client.get(f"/parts/{part.uuid}/why?q=ring")
    assert blind.status_code == 409
    assert "has not looked at this part yet" in blind.content.decode()
    Part.objects.filter(pk=part.pk).update(status="processing")
    assert client.get(f"/parts/{part.uuid}/why?q=ring").status_code == 409


def test_readers_only(client: Client, seen, settings) -> None:
    part = seen()
    settings.READING_OPEN = False
    assert client.get(f"/parts/{part.uuid}/why?q=ring").status_code == 302
