"""Lists are narrowed by one kind of form: what it sends is what was asked, and where one was."""

from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from catalog.models import Category, Part

pytestmark = pytest.mark.django_db


class Sieve(HTMLParser):
    """What a browser would send of the page's form of the class `sieve`."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action, self.sent, self.labelled = "", dict[str, str](), set[str]()
        self._inside, self._select, self._ids = False, "", dict[str, str]()
        self.feed(page)
        assert not self._inside and self.action

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form" and "sieve" in found.get("class", "").split():
            self._inside, self.action = True, found["action"]
        if not self._inside:
            return
        name = found.get("name", "")
        if name:
            assert name not in self.sent, f"{name} is sent twice"
            self.sent[name] = found.get("value", "")
            self._ids[found.get("id", "")] = name
            if "aria-label" in found or found.get("type") == "hidden":
                self.labelled.add(name)
        if tag == "label":
            self._ids[f"for {found['for']}"] = ""
        if tag == "select":
            self._select = name
        if tag == "option" and "selected" in found:
            self.sent[self._select] = found["value"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._inside:
            self._inside = False
            self.labelled |= {n for key, n in self._ids.items() if f"for {key}" in self._ids}


def test_the_list_of_parts_is_asked_for_again(client: Client, category: Category) -> None:
    asked = {"q": 'ring "8"', "category": str(category.pk), "status": "ready", "ordering": "-name"}
    sieve = Sieve(client.get("/parts", asked | {"page": "2"}).content.decode())
    assert sieve.action == "/parts"
    assert sieve.sent == asked  # and of it the first page
    assert sieve.labelled == set(asked)


def test_the_list_of_inspections_is_asked_for_again(
    client: Client, part: Part, category: Category
) -> None:
    asked = {
        "q": "tray 4", "category": str(category.pk), "verdict": "fail", "decision": "open",
        "since": "2026-11-01", "until": "2026-11-20", "part": str(part.uuid), "by": "week",
    }  # fmt: skip
    sieve = Sieve(client.get("/qc/history", asked | {"page": "2"}).content.decode())
    assert sieve.action == "/qc/history"
    assert sieve.sent == asked
    assert sieve.labelled == set(asked)


def test_what_was_mangled_is_not_sent_on(client: Client) -> None:
    odd = {"part": "x", "batch": "x", "by": "x", "verdict": "x", "page": "9" * 20}
    sieve = Sieve(client.get("/qc/history", odd).content.decode())
    assert set(sieve.sent) == {"q", "category", "verdict", "decision", "since", "until"}
    assert not any(sieve.sent.values())
