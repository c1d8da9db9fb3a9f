"""What people write is shown as words, never run; pages keep to the content policy."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from catalog.models import Category, Part, Suggestion

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
TEMPLATES = sorted((settings.BASE / "templates").rglob("*.html"))


class Policy(HTMLParser):
    """Collects what a policy of 'self' would block."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        self.faults += [f"<{tag} {name}>" for name in held if name.startswith("on")]
        if "style" in held or tag == "style":
            self.faults.append(f"<{tag}> with a style")
        if tag == "script" and "src" not in held:
            self.faults.append("<script> in the page")
        for name in ("src", "href", "action"):
            address = held.get(name) or ""
            if re.match(r"(?i)\s*(javascript:|https?:|//)", address):
                self.faults.append(f"<{tag} {name}={address}>")


def faults(html: str) -> list[str]:
    policy = Policy()
    policy.feed(html)
    return policy.faults


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_templates_hold_nothing_inline(path: Path) -> None:
    source = re.sub(r"{#.*?#}|{%.*?%}", "", path.read_text(encoding="utf-8"), flags=re.S)
    assert faults(source) == []
    assert "|safe" not in source


@pytest.fixture
def evil(part_make: Callable[..., Part], db: None) -> Part:
    category = Category.objects.create(name=EVIL, name_zh=EVIL)
    part = part_make(
        name=EVIL,
        name_zh=EVIL,
        number=EVIL[:80],
        description=EVIL,
        tags=[EVIL],
        category=category,
        file_name=EVIL,
    )
    Suggestion.objects.create(part=part, category=category, confidence=0.5)
    return part


@pytest.mark.parametrize("language", ["en", "zh-hant"])
def test_names_tags_and_descriptions_are_only_words(
    logged_in: Client, evil: Part, language: str
) -> None:
    part_pages = [
        reverse(name, args=[evil.uuid])
        for name in ("part_detail", "part_progress", "part_edit", "part_delete")
    ]
    for where in ["/", "/parts", "/upload", *part_pages]:
        html = logged_in.get(where, headers={"Accept-Language": language}).content.decode()
        assert "<script>alert" not in html, where
        assert "<img src=x" not in html, where
        assert faults(html) == [], where


def test_what_is_asked_is_only_words(client: Client, evil: Part) -> None:
    for asked in [{"tab": "text", "q": EVIL}, {"tab": EVIL, "q": EVIL, "k": EVIL, "x_min": EVIL}]:
        html = client.get("/", asked).content.decode()
        assert "alert(1)" in html  # it is shown
        assert "<script>alert" not in html
        assert faults(html) == []


def test_a_message_shows_a_name_as_words(logged_in: Client, evil: Part) -> None:
    logged_in.post(reverse("part_delete", args=[evil.uuid]))
    html = logged_in.get("/parts").content.decode()
    assert "See the trash" in html
    assert "<script>alert" not in html


def test_pages_come_with_the_policy(client: Client, db: None) -> None:
    policy = client.get("/")["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy


def test_a_login_leads_nowhere_else(client: Client, staff: object) -> None:
    asked = {"username": "admin", "password": "a long enough word", "next": "https://evil.test/"}
    assert client.post("/login", asked)["Location"] == "/"
    asked = {"language": "en", "next": "https://evil.test/"}
    assert client.post("/language", asked)["Location"] == "/"
