"""A real Chromium before a real server, with a few parts that went through the real pipeline."""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.test import Client
from PIL import Image, ImageDraw

from catalog.models import Category, Part
from tests.factories import meshes

# Playwright keeps an event loop in this thread, and Django would then refuse the database here.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    assert (settings.BASE / "static/dist/site.js").exists(), "build the pages first: npm run build"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Any, live_server: Any) -> Iterator[Callable[..., Any]]:
    """Opens pages of the server; at the end none of them may have complained on its console."""
    contexts, complaints = [], []

    def open_(path: str = "/", *, login: Any = None, **options: Any) -> Any:
        options = {"locale": "en-GB", "viewport": {"width": 1360, "height": 900}} | options
        context = chromium.new_context(base_url=live_server.url, **options)
        contexts.append(context)
        context.set_default_timeout(30_000)
        if login is not None:
            client = Client()
            client.force_login(login)
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session}
            context.add_cookies([cookie | {"url": live_server.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda said: complain(page, said))
        page.goto(path)
        return page

    def complain(page: Any, said: Any) -> None:
        # A refusal is an answer; that browser and htmx note it too is no fault of the page.
        refused = "(Bad Request)" in said.text or "Status Error Code 400" in said.text
        if said.type == "error" and not refused:
            complaints.append(f"{page.url}: {said.text}")

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def gallery(transactional_db: None, work: Callable[[], int]) -> list[Part]:
    """A ring, a long box and a ball, ready to be found."""
    from catalog.services import part_upload

    rings = Category.objects.create(name="Rings", name_zh="戒指")
    made = [
        ("Plain ring", "素圈戒指", "R8107490", rings, meshes.ring()),
        ("Long box", "長方塊", "B2001", None, meshes.box((40, 6, 4))),
        ("Ball", "球", "K3001", None, meshes.sphere()),
    ]
    for name, name_zh, number, category, triangles in made:
        file = ContentFile(meshes.stl_binary(triangles), name=f"{number}.stl")
        part_upload(file=file, name=name, name_zh=name_zh, number=number, category=category)
    work()
    parts = list(Part.objects.order_by("pk"))
    assert [part.status for part in parts] == ["ready"] * 3
    return parts


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grey ring on a brown table."""
    picture = Image.new("RGB", (400, 300), "#8a6642")
    ImageDraw.Draw(picture).ellipse((120, 70, 280, 230), outline="#c8ccd0", width=28)
    held = io.BytesIO()
    picture.save(held, "PNG")
    path = tmp_path_factory.mktemp("photo") / "ring.png"
    path.write_bytes(held.getvalue())
    return path
