"""Numbers and times as people read them."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

import pytest
from django.utils import translation
from django.utils.formats import date_format

from catalog.templatetags import house
from stlcatalog import settings


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (0.0, "0"),
        (1399.99999, "1,400"),
        (12.8000005, "12.8"),
        (6.25, "6.25"),
        (6.0, "6"),
        (0.5, "0.5"),
        (0.01234, "0.0123"),
        (12_345_678.0, "12,345,678"),
        (0.00005, "0.0001"),
        (8e-14, "< 0.0001"),
    ],
)
def test_lengths_keep_the_digits_that_count(value: float | None, text: str) -> None:
    assert house.significant(value) == text


def test_sizes_carry_a_unit_that_fits() -> None:
    assert house.box((24.0, 24.0, 6.25)) == "24 × 24 × 6.25 mm"
    assert house.box(None) == ""
    assert house.volume(812.4) == "812 mm³"
    assert house.volume(250_000.0) == "250 cm³"
    assert house.area(1480.2) == "1,480 mm²"
    assert house.area(14_800.0) == "148 cm²"
    assert house.volume(12_193_180_775_177.0) == "12,193 m³"
    assert house.area(4.2e6) == "4.2 m²"


@pytest.mark.parametrize(
    ("language", "said", "short"),
    [
        ("en", "3 Nov 2026, 14:05", "2026-11-03 14:05"),
        ("zh-hant", "2026年11月3日 14:05", "2026/11/3 14:05"),
    ],
)
def test_times_are_written_so_that_nobody_mistakes_a_day_for_a_month(
    language: str, said: str, short: str
) -> None:
    when = datetime(2026, 11, 3, 14, 5)
    with translation.override(language):
        assert date_format(when, "DATETIME_FORMAT") == said
        assert date_format(when, "SHORT_DATETIME_FORMAT") == short


@pytest.mark.parametrize(
    ("named", "machine", "zone"),
    [
        ("Asia/Taipei", "Europe/Rome", "Asia/Taipei"),
        ("", "Europe/Rome", "Europe/Rome"),
        ("", None, "UTC"),
        ("", ZoneInfoNotFoundError("no name"), "UTC"),
    ],
)
def test_times_are_of_the_zone_that_is_named_or_the_machines(
    monkeypatch: pytest.MonkeyPatch, named: str, machine: Any, zone: str
) -> None:
    def of_machine() -> str | None:
        if isinstance(machine, Exception):
            raise machine
        return machine

    monkeypatch.setenv("TZ", named)
    monkeypatch.setattr("tzlocal.get_localzone_name", of_machine)
    assert settings.time_zone() == zone


@pytest.mark.parametrize(
    ("share", "shown"), [(None, 0), (-0.2, 0), (0.834, 83), (1.0, 100), (1.0001, 100)]
)
def test_shares_are_clipped_to_percent(share: float | None, shown: int) -> None:
    assert house.percent(share) == shown


def test_stages_come_in_the_order_of_the_work() -> None:
    took = {"total": 60.0, "fuse": 0.2, "encode": 48.0, "rerank": 5.0, "hydrate": 0.0}
    assert house.stages(took) == [
        ("encode", 48.0), ("fuse", 0.2), ("rerank", 5.0), ("in all", 60.0),
    ]  # fmt: skip


def test_durations_are_told_in_words_of_their_size() -> None:
    assert [house.milliseconds(ms) for ms in (None, 0.2, 3.4, 812.0, 1860.0)] == [
        "", "< 1 ms", "3 ms", "812 ms", "1.86 s",
    ]  # fmt: skip
