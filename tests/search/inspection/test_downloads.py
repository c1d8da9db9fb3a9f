"""Inspections on paper and in spreadsheets."""

import csv
import io
from typing import Any

import pytest
from django.test import Client

from catalog.tables import cell
from search.inspection.report import runs
from search.models import Inspection

pytestmark = pytest.mark.django_db(transaction=True)


def table_of(answer: Any) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode("utf-8")
    assert text[0] == "\ufeff"
    return list(csv.reader(io.StringIO(text[1:])))


def test_the_table_has_a_line_for_each_inspection(compare: Any, writer: Any) -> None:
    found = compare("broken", piece="=1+1")
    compare("good")
    names, titles, newest, oldest = table_of(writer.get("/api/qc/inspections/csv"))
    assert len(names) == len(titles) == len(newest) and names[0] == "id"
    row = dict(zip(names, oldest, strict=True))
    assert row["id"] == found["id"] and row["piece"] == "'=1+1" and row["alert"] == "yes"
    assert float(row["similarity"]) == pytest.approx(found["similarity"], abs=1e-4)
    assert row["reasons"] and row["url"].endswith(f"/qc/{found['id']}")
    narrowed = table_of(writer.get("/api/qc/inspections/csv", {"verdict": "pass"}))
    assert [line[0] for line in narrowed[2:]] == [newest[0]]


def test_the_page_gives_the_same_in_the_readers_language(compare: Any, logged_in: Client) -> None:
    compare("good")
    answer = logged_in.get("/qc/history.csv", headers={"accept-language": "zh-hant"})
    _names, titles, row = table_of(answer)
    assert "判定" in titles and "合格" in row


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert not cell(text).startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize("lang", ["en", "zh-hant"])
def test_a_report_is_one_page_with_its_pictures(compare: Any, writer: Any, lang: str) -> None:
    found = compare("good", "other", "broken", "good", piece="托盤 3")
    Inspection.objects.update(note="Looks scratched. 有刮痕。 " * 60)
    answer = writer.get(f"/api/qc/inspections/{found['id']}/report", {"lang": lang})
    assert answer.status_code == 200 and answer["Content-Type"] == "application/pdf"
    data = answer.content
    assert data.startswith(b"%PDF-") and data.rstrip().endswith(b"%%EOF")
    assert data.count(b"/Type /Page\n") + data.count(b"/Type /Page ") == 1
    assert data.count(b"/Subtype /Image") == 4  # the part and the photos, the same one once


def test_a_report_of_what_could_not_be_judged(compare: Any, logged_in: Client) -> None:
    found = compare("empty")
    assert logged_in.get(f"/qc/{found['id']}/report.pdf").status_code == 200
    gone = "00000000-0000-0000-0000-000000000000"
    assert logged_in.get(f"/qc/{gone}/report.pdf").status_code == 404


def test_only_what_helvetica_does_not_know_is_set_in_another_font() -> None:
    assert runs("R8 托盤 3 “ok” – é") == [(False, "R8 "), (True, "托盤"), (False, " 3 “ok” – é")]
