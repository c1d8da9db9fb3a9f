"""Other parts that reasons and rivals speak of are called as their reader calls them."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Part
from search.inspection import telling
from search.inspection.report import Canvas
from search.models import Inspection, Webhook
from tests.factories.inspections import inspection_make, part_make

pytestmark = pytest.mark.django_db(transaction=True)

ENGLISH, CHINESE, STORED = "Wide ring", "寬環", "Ring of old"
LANGUAGES = pytest.mark.parametrize(("lang", "name"), [("en", ENGLISH), ("zh-hant", CHINESE)])


@pytest.fixture
def rival() -> Part:
    return part_make(ENGLISH, name_zh=CHINESE, number="R8")


@pytest.fixture
def mistaken(rival: Part) -> Callable[..., Inspection]:
    """Makes an inspection that a worker of another language, and day, called an R8."""

    def make(*, photos: int = 2, name: str = STORED) -> Inspection:
        meant = {"part": str(rival.uuid), "name": name}
        reasons = [{"code": "other_part", "params": meant | {"margin": 0.08}}]
        rivals = [meant | {"margin": 0.08}]
        inspection = inspection_make(
            part_make(), verdict="fail", photos=photos, reasons=reasons, rivals=rivals
        )
        inspection.photos.update(reasons=[{"code": "rival_near", "params": meant}])
        return inspection

    return make


def pdf_text(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is written on reports from now on, piece by piece."""
    written: list[str] = []
    draw = Canvas.drawString

    def drawn(self: Any, x: float, y: float, text: str, **options: Any) -> Any:
        written.append(text)
        return draw(self, x, y, text, **options)

    monkeypatch.setattr(Canvas, "drawString", drawn)
    return written


@LANGUAGES
def test_pages_and_the_admin_speak_the_readers_language(
    logged_in: Client, mistaken: Any, lang: str, name: str
) -> None:
    found = mistaken()
    for address in (f"/qc/{found.uuid}", f"/admin/search/inspection/{found.pk}/change/"):
        page = logged_in.get(address, headers={"accept-language": lang}).content.decode()
        # The piece's reason, and that of each photo.
        assert page.count(f"R8 {name}") == 3, address
        assert STORED not in page, address


@LANGUAGES
def test_the_api_speaks_the_readers_language(
    writer: Any, mistaken: Any, lang: str, name: str
) -> None:
    address = f"/api/qc/inspections/{mistaken().uuid}"
    body = writer.get(address, headers={"accept-language": lang}).json()
    photos = [photo["reasons"][0] for photo in body["photos"]]
    for reason in (body["reasons"][0], *photos):
        assert reason["name"] == f"R8 {name}" and f"R8 {name}" in reason["message"]
    assert body["competitors"][0]["name"] == f"R8 {name}"


@LANGUAGES
def test_paper_and_tables_speak_the_readers_language(
    logged_in: Client, mistaken: Any, monkeypatch: pytest.MonkeyPatch, lang: str, name: str
) -> None:
    found, written = mistaken(), pdf_text(monkeypatch)
    logged_in.get(f"/qc/{found.uuid}/report.pdf", {"lang": lang})
    text = "".join(written)
    assert text.count(f"R8 {name}") == 2 and STORED not in text  # the reason, the nearest part
    answer = logged_in.get("/qc/history.csv", headers={"accept-language": lang})
    table = b"".join(answer.streaming_content).decode("utf-8")
    assert f"R8 {name}" in table and STORED not in table


def test_messages_speak_their_own_languages(
    mistaken: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.core import mail

    told: list[dict[str, Any]] = []
    monkeypatch.setattr(
        telling,
        "webhook_post",
        lambda hook, body, **_: told.append(body) or telling.Posted(True, ""),
    )
    settings.ALERT_TO, settings.LANGUAGE_CODE = ["qc@example.com"], "zh-hant"
    hook = Webhook.objects.create(name="line 3", url="https://example.com/", event="fail")
    found = mistaken()
    Inspection.objects.update(untold=True)
    telling.inspection_tell(found.pk)
    for pk in found.notices.values_list("pk", flat=True):
        telling.notice_send(pk)
    assert hook.notices.get().state == "sent"
    assert CHINESE in told[0]["reasons"][0]["message"]
    body = mail.outbox[0].body
    assert body.count(f"R8 {ENGLISH}") == body.count(f"R8 {CHINESE}") == 1


def test_a_part_that_is_gone_is_called_what_it_was(
    writer: Any, logged_in: Client, mistaken: Any, rival: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, nameless = mistaken(), mistaken(name="")
    written = pdf_text(monkeypatch)
    for gone in (
        lambda: Part.objects.filter(pk=rival.pk).update(deleted_at=timezone.now()),
        rival.delete,
    ):
        gone()
        body = writer.get(f"/api/qc/inspections/{found.uuid}").json()
        assert body["reasons"][0]["message"] == f"It fits another part better: {STORED}."
        assert body["competitors"][0]["name"] == STORED
        assert STORED in logged_in.get(f"/qc/{found.uuid}").content.decode()
        logged_in.get(f"/qc/{nameless.uuid}/report.pdf")
        assert "".join(written).count("a part that is gone") == 2
        written.clear()
        rows = csv.reader(
            io.StringIO(b"".join(logged_in.get("/qc/history.csv").streaming_content).decode())
        )
        *_, nameless_row, row = rows
        assert STORED in " ".join(row) and "a part that is gone" in " ".join(nameless_row)


def test_names_are_asked_for_once(logged_in: Client, writer: Any, mistaken: Any) -> None:
    def asked(client: Any, address: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = client.get(address)
            if answer.streaming:
                b"".join(answer.streaming_content)
        return len(queries)

    one, four = mistaken(photos=1), mistaken(photos=4)
    for client, doors in (
        (
            logged_in,
            ("/qc/{0.uuid}", "/admin/search/inspection/{0.pk}/change/", "/qc/{0.uuid}/report.pdf"),
        ),
        (writer, ("/api/qc/inspections/{0.uuid}",)),
    ):
        for door in doors:
            asked(client, door.format(one))  # what a process asks once
            assert asked(client, door.format(one)) == asked(client, door.format(four)), door
    few = asked(logged_in, "/qc/history.csv")
    for _ in range(5):
        mistaken()
    assert asked(logged_in, "/qc/history.csv") == few
