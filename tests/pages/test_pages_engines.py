"""The admin's page of engines: its buttons, who may press them, and what it says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from catalog.models import Part
from search import encoders, engines
from search.lifecycle import installs
from search.models import EngineInstall, EvaluationRun, Selection
from tests.factories.engines import engine_add, engine_installed, engine_set

pytestmark = pytest.mark.django_db(transaction=True)

PAGE, ACT = "/admin/search/engineinstall/", "/admin/search/engineinstall/act/"


@pytest.fixture
def other(settings: Any, tmp_path: Path) -> Iterator[str]:
    yield engine_add(settings, tmp_path)
    encoders.encoders_forget()


def press(client: Client, action: str, engine: str = "", **fields: Any) -> str:
    """The page after the button."""
    asked = {"action": action, "engine": engine, **fields}
    answer = client.post(ACT, asked, follow=True)
    assert answer.status_code == 200
    assert answer.redirect_chain == [(PAGE, 302)]
    return answer.content.decode()


def test_the_whole_life_of_an_engine(logged_in: Client, other: str, work: Any, staff: Any) -> None:
    page = logged_in.get(PAGE).content.decode()
    assert 'id="engine-other"' in page and "not installed" in page
    assert 'value="install"' in page
    assert "is being filled" in press(logged_in, "install", other)
    row = EngineInstall.objects.get(engine=other)
    assert row.made_by == staff
    press(logged_in, "pause", other)
    row.refresh_from_db()
    assert row.state == "paused"
    press(logged_in, "resume", other)
    work()
    row.refresh_from_db()
    assert row.state == "ready"
    assert "Put to use" in logged_in.get(PAGE).content.decode()
    page = press(logged_in, "activate", other, instead_of="mini", revision="0")
    assert "Now in use: other, Shape." in page
    assert engines.in_use() == ["other", "shape"]
    assert Selection.objects.get().made_by == staff
    press(logged_in, "first", "shape", revision="1")
    assert engines.in_use() == ["shape", "other"]
    press(logged_in, "retire", "shape", revision="2")
    assert engines.in_use() == ["other"]
    press(logged_in, "rollback", to="0", revision="3")
    assert engines.in_use() == ["mini", "shape"]
    page = logged_in.get(f"{PAGE}other/remove/").content.decode()
    assert all(key in page for key in row.spaces)
    assert "selection 1 any more" in page
    press(logged_in, "remove", other)
    work()
    assert not EngineInstall.objects.filter(engine=other).exists()


def test_what_was_decided_by_an_older_page_is_refused(logged_in: Client, other: str) -> None:
    engine_installed(other)
    press(logged_in, "activate", other, revision="0")
    assert "were changed meanwhile" in press(logged_in, "retire", "mini", revision="0")
    assert engines.in_use() == ["mini", "shape", other]


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("", {}),
        ("explode", {}),
        ("install", {"engine": "nothing"}),
        ("install", {"engine": "x" * 5000}),
        ("pause", {"engine": "mini"}),
        ("resume", {"engine": "nothing"}),
        ("measure", {"engine": "nothing"}),
        ("activate", {"engine": "other", "revision": "0"}),
        ("activate", {"engine": "other", "revision": "abc"}),
        ("activate", {"engine": "other", "revision": "9" * 40}),
        ("retire", {"engine": "nothing"}),
        ("rollback", {"to": "77"}),
        ("rollback", {"to": "-1"}),
        ("rollback", {}),
        ("remove", {"engine": "mini"}),
        ("remove", {"engine": ""}),
    ],
)
def test_nonsense_is_refused_with_a_sentence(
    logged_in: Client, other: str, action: str, fields: dict[str, str]
) -> None:
    page = press(logged_in, action, **fields)
    assert 'class="error"' in page
    assert engines.in_use() == ["mini", "shape"]


def test_only_posts_that_come_from_the_page_act(staff: Any, other: str) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(staff)
    assert careful.post(ACT, {"action": "install", "engine": other}).status_code == 403
    assert careful.get(ACT, {"action": "install", "engine": other}).status_code == 405
    assert not EngineInstall.objects.exists()


def test_who_may_look_and_who_may_act(django_user_model: Any, other: str) -> None:
    client = Client()
    assert client.get(PAGE).status_code == 302  # to the login
    user = django_user_model.objects.create_user("u", password="x", is_staff=True)
    client.force_login(user)
    assert client.get(PAGE).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_engineinstall"))
    page = client.get(PAGE)
    assert page.status_code == 200
    assert 'value="install"' not in page.content.decode()
    assert client.post(ACT, {"action": "install", "engine": other}).status_code == 403
    assert client.get(f"{PAGE}other/remove/").status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="change_engineinstall"))
    assert client.post(ACT, {"action": "install", "engine": other}).status_code == 302
    assert EngineInstall.objects.get().engine == other


def test_progress_and_trouble_are_told(
    logged_in: Client, other: str, settings: Any, tmp_path: Path
) -> None:
    engine_set(settings, "gone", tmp_path / "nothing")
    row = installs.engine_install(other)
    EngineInstall.objects.update(done=25, total=100, rate=0.5)
    page = logged_in.get(PAGE).content.decode()
    assert "25 of 100 parts" in page
    assert "0.5 a second" in page
    assert "about 2 minutes left" in page
    assert 'value="25.0"' in page
    assert "dist/engines.js" in page
    assert "weights" in page
    part = Part.objects.create(name="bad one", file="a", file_size=1, sha256="a", status="ready")
    installs.fault_keep(row, part.pk, "not_a_mesh", {"looks_like": "pdf"})
    run = EvaluationRun.objects.create(
        engines=["mini", other],
        plan={},
        state="done",
        metrics={"engines": {other: {"common": {"n": 40, "ndcg": [0.71, 0.6, 0.8]}}}},
    )
    EngineInstall.objects.update(state="ready", done=99, total=100, evaluation=run)
    page = logged_in.get(PAGE).content.decode()
    assert "1 part cannot be found by it" in page
    assert "bad one" in page and "a PDF" in page
    assert "0.710" in page and "40 judged queries" in page
    assert "dist/engines.js" not in page  # nothing moves any more


def test_one_that_lacks_parts_is_put_to_use_by_who_says_so(logged_in: Client, other: str) -> None:
    engine_installed(other)
    assert 'name="force"' not in logged_in.get(PAGE).content.decode()
    EngineInstall.objects.update(done=9, total=10)
    assert 'name="force"' in logged_in.get(PAGE).content.decode()
    assert "would not be found by" in press(logged_in, "activate", other, revision="0")
    press(logged_in, "activate", other, revision="0", force="1")
    assert engines.in_use() == ["mini", "shape", other]


def test_one_that_the_configuration_forgot_can_be_put_away(
    logged_in: Client, other: str, settings: Any
) -> None:
    engine_installed(other)
    press(logged_in, "activate", other, revision="0")
    held = settings.SEARCH
    left = {name: of for name, of in held.engines.items() if name != other}
    settings.SEARCH = held.model_copy(update={"engines": left})
    page = logged_in.get(PAGE).content.decode()
    card = page.partition('id="engine-other"')[2].partition("</section>")[0]
    assert "the configuration no longer describes it" in card
    assert 'value="retire"' in card and 'value="first"' not in card
    page = press(logged_in, "retire", other, revision="1")
    card = page.partition('id="engine-other"')[2].partition("</section>")[0]
    assert "remove its vectors" in card and "other/remove/" in card
    assert 'value="activate"' not in card and 'value="install"' not in card
    assert 'class="error"' in press(logged_in, "activate", other, revision="2")
    assert 'class="error"' in press(logged_in, "install", other)
    press(logged_in, "remove", other)
    assert EngineInstall.objects.get(engine=other).state == "removing"


def test_in_chinese(logged_in: Client, other: str) -> None:
    logged_in.cookies["django_language"] = "zh-hant"
    page = logged_in.get(PAGE).content.decode()
    assert "引擎" in page
    assert "not installed" not in page
