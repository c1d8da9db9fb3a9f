"""Which engines are in use is the staff's choice, made in one commit and seen whole."""

import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from PIL import Image, ImageDraw

from catalog.errors import ServiceError
from catalog.models import Part
from search import encoders, engines, indices
from search.embeddings import embeddings_write
from search.lifecycle import installs, selection, switching
from search.models import Embedding, EngineInstall, Selection, Snapshot, Space
from tests.factories.encoders import words_checkpoint
from tests.factories.engines import engine_installed, engine_set

pytestmark = pytest.mark.django_db(transaction=True)

Installed = Callable[..., EngineInstall]


def names() -> list[str]:
    return engines.in_use()


class TestTheChoice:
    def test_nobody_has_chosen_yet(self) -> None:
        assert selection.selection_current().revision == 0
        assert names() == ["mini", "shape"]

    def test_beside(self, installed: Installed) -> None:
        installed()
        used = switching.engine_activate("other")
        assert (used.revision, used.names) == (1, ["mini", "shape", "other"])
        assert names() == used.names
        assert ("other", "other") in engines.engines_for("image")

    def test_instead_of(self, installed: Installed) -> None:
        installed()
        switching.engine_activate("other", instead_of="mini")
        assert names() == ["other", "shape"]
        assert engines.engines_for("image") == [("other", "other")]

    def test_first(self, installed: Installed) -> None:
        installed()
        switching.engine_activate("other", first=True)
        assert names() == ["other", "mini", "shape"]
        switching.engine_activate("mini", first=True)  # in use already: only the order changes
        assert names() == ["mini", "other", "shape"]

    def test_instead_of_one_that_comes_after_it(self, installed: Installed) -> None:
        installed()
        switching.engine_activate("other", first=True)
        switching.engine_activate("other", instead_of="shape")
        assert names() == ["mini", "other"]

    def test_retire(self, installed: Installed) -> None:
        switching.engine_retire("shape")
        assert names() == ["mini"]
        with pytest.raises(ServiceError, match="only one in use"):
            switching.engine_retire("mini")
        with pytest.raises(ServiceError, match="not in use"):
            switching.engine_retire("shape")

    def test_without_an_engine_that_looks_pictures_are_refused(self, api, client) -> None:
        switching.engine_retire("mini")
        image = Image.new("RGB", (64, 64), "white")
        ImageDraw.Draw(image).rectangle((16, 16, 48, 48), fill="black")
        file = io.BytesIO()
        image.save(file, "PNG")
        for path, more in (
            ("/api/search/image", {}),
            ("/api/search/image", {"engine": "mini"}),
            ("/api/search/hybrid", {"text": "gear"}),
            ("/api/classify", {}),
        ):
            body = {"image": SimpleUploadedFile("q.png", file.getvalue()), **more}
            answer = api.post(path, body, "multipart")
            assert answer.status_code == 400, answer.content
            assert answer.json()["error"]["code"] == "engine_none"
        asked = {"image": SimpleUploadedFile("q.png", file.getvalue()), "tab": "picture"}
        page = client.post("/", asked)
        assert page.status_code == 400
        assert b"looks at pictures" in page.content
        assert api.post("/api/search/text", {"query": "gear"}, "json").status_code == 200

    def test_rollback_and_back(self, installed: Installed) -> None:
        with pytest.raises(ServiceError, match="never changed"):
            switching.engine_rollback()
        installed()
        switching.engine_activate("other", instead_of="mini")
        assert switching.engine_rollback().names == ["mini", "shape"]
        assert switching.engine_rollback().names == ["other", "shape"]
        assert switching.engine_rollback(to=2).names == ["mini", "shape"]
        with pytest.raises(ServiceError, match="no selection number 77"):
            switching.engine_rollback(to=77)
        assert list(Selection.objects.values_list("revision", flat=True)) == [4, 3, 2, 1]

    def test_what_was_done_twice_is_taken_back_at_once(self, installed: Installed) -> None:
        installed()
        for _time in range(2):
            used = switching.engine_activate("other", first=True)
            assert (used.revision, used.names) == (1, ["other", "mini", "shape"])
        assert switching.engine_rollback().names == ["mini", "shape"]
        assert Selection.objects.count() == 2

    def test_what_is_not_there_is_refused(self, other: str) -> None:
        with pytest.raises(ServiceError, match="not installed"):
            switching.engine_activate(other)
        with pytest.raises(ServiceError, match="describes no engine"):
            switching.engine_activate("nothing")
        with pytest.raises(ServiceError, match="not in use"):
            engine_installed(other)
            switching.engine_activate(other, instead_of="nothing")
        assert not Selection.objects.exists()

    def test_what_is_not_filled_is_refused_unless_forced(self, other: str) -> None:
        installs.engine_install(other)
        EngineInstall.objects.update(done=3, total=8)
        with pytest.raises(ServiceError, match="3 of 8"):
            switching.engine_activate(other)
        assert other in switching.engine_activate(other, force=True).names

    def test_the_command_counts_first(self, other: str, capsys: Any) -> None:
        Part.objects.create(name="a", file="a.stl", file_size=1, sha256="a", status="ready")
        installs.engine_install(other)
        with pytest.raises(CommandError, match="not ready"):
            call_command("engine_activate", other)
        call_command("engine_activate", other, force=True)
        assert "1 of 1 parts cannot be found by other" in capsys.readouterr().out
        call_command("engine_list")
        said = capsys.readouterr().out
        assert "other" in said and "in use" in said and "#1" in said
        call_command("engine_rollback")
        call_command("engine_retire", "shape")
        assert names() == ["mini"]

    def test_decided_by_an_older_state_it_is_refused(self, installed: Installed) -> None:
        installed()
        switching.engine_activate("other", seen=0)
        with pytest.raises(ServiceError, match="changed meanwhile"):
            switching.engine_retire("mini", seen=0)


class TestAtOnce:
    def test_two_activations_are_both_done(self, installed: Installed) -> None:
        installed("one")
        installed("two")
        faults: list[BaseException] = []
        start = threading.Barrier(2)

        def activate(name: str) -> None:
            try:
                start.wait(10)
                switching.engine_activate(name)
            except BaseException as error:
                faults.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=activate, args=(name,)) for name in ("one", "two")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert not faults
        assert sorted(names()) == ["mini", "one", "shape", "two"]
        assert [row.revision for row in Selection.objects.all()] == [2, 1]

    def test_a_request_sees_one_selection(self, installed: Installed) -> None:
        installed()
        with selection.selection_pinned():
            before = names()
            thread = threading.Thread(
                target=lambda: (switching.engine_activate("other"), connection.close())
            )
            thread.start()
            thread.join(30)
            assert names() == before
            with selection.selection_pinned():
                assert names() == before
        assert names() == [*before, "other"]

    def test_who_switches_sees_it(self, installed: Installed) -> None:
        installed()
        with selection.selection_pinned():
            assert names() == ["mini", "shape"]
            switching.engine_activate("other")
            assert names() == ["mini", "shape", "other"]

    def test_the_selection_is_read_once_a_request(
        self, api: Any, installed: Installed, django_assert_max_num_queries: Any
    ) -> None:
        installed()
        switching.engine_activate("other")
        with django_assert_max_num_queries(60) as queries:
            assert api.post("/api/search/text", {"query": "gear"}, "json").status_code == 200
        asked = [q["sql"] for q in queries.captured_queries if "search_selection" in q["sql"]]
        assert len(asked) == 1


class TestOtherWeights:
    """Vectors of an engine in use are compared with none that other weights made."""

    @pytest.fixture
    def exchanged(self, installed: Installed, settings: Any, tmp_path: Path) -> str:
        installed()
        switching.engine_activate("other")
        engine_set(settings, "other", words_checkpoint(tmp_path / "x", seed=99, turned=True))
        return "other"

    def test_a_query_to_it_is_refused_and_others_are_answered(self, api, exchanged: str) -> None:
        ask = {"query": "gear", "engine": exchanged}
        answer = api.post("/api/search/text", ask, "json")
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "engine_changed"
        assert "no longer makes the vectors" in answer.json()["error"]["message"]
        # All together, the others answer, and say who did not.
        answer = api.post("/api/search/text", {"query": "gear"}, "json")
        assert answer.status_code == 200
        assert "no longer makes the vectors" in answer.json()["engines_failed"][exchanged]
        words = {"query": "gear", "engine": "words"}
        assert api.post("/api/search/text", words, "json").status_code == 200

    def test_the_check_and_the_probe_tell(self, client: Any, exchanged: str) -> None:
        (error,) = [e for e in run_checks(databases=["default"]) if e.id == "stlcatalog.E004"]
        assert error.obj == exchanged
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["engines"] is False

    def test_without_a_fault_they_say_so(self, client: Any, installed: Installed) -> None:
        installed()
        switching.engine_activate("other")
        assert not [e for e in run_checks(databases=["default"]) if e.id == "stlcatalog.E004"]
        assert client.get("/readyz").json()["engines"] is True

    def test_one_that_is_no_longer_described(self, client, exchanged, settings) -> None:
        held = settings.SEARCH
        left = {name: of for name, of in held.engines.items() if name != exchanged}
        settings.SEARCH = held.model_copy(update={"engines": left})
        assert names() == ["mini", "shape"]
        (fault,) = selection.faults()
        assert fault[0] == exchanged
        assert client.get("/readyz").status_code == 503

    def test_one_that_is_no_longer_described_can_be_put_away(
        self, client, exchanged, settings, capsys
    ) -> None:
        """It is not described, but its vectors are there, and people see which and what to do."""
        held = settings.SEARCH
        left = {name: of for name, of in held.engines.items() if name != exchanged}
        settings.SEARCH = held.model_copy(update={"engines": left})
        facts = {of["name"]: of for of in switching.engine_facts()}
        assert facts["mini"]["default"]
        assert (facts[exchanged]["in_use"], facts[exchanged]["configured"]) == (True, False)
        assert "is in use" in facts[exchanged]["weights_error"]
        with pytest.raises(ServiceError, match="describes no engine"):
            switching.engine_activate(exchanged, first=True)
        # Other changes go on around it; what is left has to be able to answer.
        switching.engine_retire("shape")
        with pytest.raises(ServiceError, match="only one in use"):
            switching.engine_retire("mini")
        switching.engine_retire(exchanged)
        assert client.get("/readyz").status_code == 200
        call_command("engine_list")
        assert "remove its vectors" in capsys.readouterr().out
        call_command("engine_remove", exchanged, yes=True)
        assert exchanged not in {of["name"] for of in switching.engine_facts()}

    def test_the_default_whose_weights_are_gone_is_taken_out_of_use(
        self, installed: Installed, settings: Any, tmp_path: Path
    ) -> None:
        installed()
        switching.engine_activate("other", first=True)
        engine_set(settings, "other", tmp_path / "nothing")
        assert switching.engine_retire("other").names == ["mini", "shape"]

    def test_another_switch_does_not_make_it_right(self, exchanged: str) -> None:
        switching.engine_activate("mini", first=True)
        assert selection.faults()

    def test_installed_anew_and_activated_it_is_right(self, exchanged: str, api: Any) -> None:
        engine_installed(exchanged)
        switching.engine_activate(exchanged)
        assert not selection.faults()
        ask = {"query": "gear", "engine": exchanged}
        assert api.post("/api/search/text", ask, "json").status_code == 200

    def test_gone_back_to_it_is_refused(self, exchanged: str) -> None:
        switching.engine_retire(exchanged)
        engine_installed(exchanged)
        with pytest.raises(ServiceError, match="no longer makes the vectors"):
            switching.engine_rollback()

    def test_the_products_own_weights_are_followed(self, installed, settings, tmp_path) -> None:
        """A new version of the software brings them: nobody made a mistake."""
        installed()
        switching.engine_activate("other")
        folder = words_checkpoint(tmp_path / "models", seed=3)
        settings.MODELS = folder.resolve()
        engine_set(settings, "mini", folder)
        assert not selection.faults()


class TestRemoval:
    def test_in_use_it_stays(self, installed: Installed) -> None:
        installed()
        switching.engine_activate("other")
        with pytest.raises(ServiceError, match="in use"):
            switching.engine_remove("other")
        with pytest.raises(CommandError, match="in use"):
            call_command("engine_remove", "other", yes=True)
        with pytest.raises(ServiceError, match="not installed"):
            switching.engine_remove("nothing")

    def test_it_goes_with_its_vectors_and_files_and_leaves_the_others(
        self, installed: Installed, monkeypatch: pytest.MonkeyPatch, capsys: Any
    ) -> None:
        row = installed()
        monkeypatch.setattr(switching, "BATCH", 2)
        parts = [
            Part.objects.create(
                name=str(n), file=f"{n}", file_size=1, sha256=str(n), status="ready"
            )
            for n in range(5)
        ]
        for space in engines.spaces(["mini", "other"]):
            vectors = encoders_unit(space.d)
            for part in parts:
                embeddings_write(part_id=part.pk, space=space, vectors=vectors)
        for key in [*row.spaces, encoders.space("mini").key]:
            indices.index_compact(key)
        switching.engine_activate("other", force=True)
        switching.engine_rollback()
        switching.engine_remove("other")
        row.refresh_from_db()
        assert row.state == "removing"
        assert not switching.removal_work(row, seconds=-1)  # a little at a time
        with pytest.raises(ServiceError, match="not installed"):
            switching.engine_activate("other", force=True)
        with pytest.raises(ServiceError, match="being removed"):
            installs.engine_install("other")
        EngineInstall.objects.filter(engine="other").update(state="ready")
        call_command("engine_remove", "other", yes=True)
        said = capsys.readouterr().out
        assert all(key in said for key in row.spaces)
        assert "cannot be gone back to: 1" in said
        assert not Space.objects.filter(key__in=row.spaces).exists()
        assert not Snapshot.objects.filter(space__key__in=row.spaces).exists()
        assert not any((indices.snapshots_root() / key).exists() for key in row.spaces)
        mini = encoders.space("mini").key
        assert Embedding.objects.filter(space__key=mini).count() == 5
        assert (indices.snapshots_root() / mini).is_dir()
        with pytest.raises(ServiceError, match="not installed"):
            switching.engine_rollback()

    def test_a_space_that_another_engine_has_stays(self, settings, tmp_path, installed) -> None:
        """Two engines may look with the same network and read with different ones."""
        engine_set(settings, "reader", words_checkpoint(tmp_path / "r", seed=5))
        row = engine_installed("reader")
        looks = encoders.space("mini").key
        assert looks in row.spaces
        loss = switching.removal_loss(row)
        assert loss.shared == [looks]
        assert loss.keys == [encoders.words_space("reader").key]
        encoders.encoders_forget()

    def test_not_without_a_yes(self, installed: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
        installed()
        monkeypatch.setattr("builtins.input", lambda question: "n")
        with pytest.raises(CommandError, match="Nothing was deleted"):
            call_command("engine_remove", "other")
        assert EngineInstall.objects.get(engine="other").state == "ready"


def encoders_unit(d: int) -> Any:
    import numpy as np

    return np.eye(1, d, dtype=np.float32)


def test_the_api_tells_all(api: Any, installed: Installed, other: str) -> None:
    installed("one")
    facts = {of["name"]: of for of in api.get("/api/engines/").json()["results"]}
    assert facts["mini"]["in_use"] and facts["mini"]["default"]
    assert facts["one"]["installed"]["state"] == "ready"
    assert not facts["one"]["in_use"] and not facts["one"]["kinds"]
    assert facts["other"]["installed"] is None
    assert facts["other"]["weights"] is True


def test_weights_that_are_gone_are_told(api: Any, settings: Any, tmp_path: Path) -> None:
    engine_set(settings, "gone", tmp_path / "nothing")
    facts = {of["name"]: of for of in api.get("/api/engines/").json()["results"]}
    assert facts["gone"]["weights"] is False
    assert facts["gone"]["weights_error"].endswith(".")
    with pytest.raises(ServiceError):
        installs.engine_install("gone")
    encoders.encoders_forget()


def test_labels_are_the_configurations(settings: Any) -> None:
    from django.utils.translation import override

    held = settings.SEARCH
    mini = held.engines["mini"].model_copy(update={"label": {"en": "Small eye", "zh-hant": "小眼"}})
    settings.SEARCH = held.model_copy(update={"engines": {**held.engines, "mini": mini}})
    assert engines.label("mini") == "Small eye"
    with override("zh-hant"):
        assert engines.label("mini") == "小眼"
        assert engines.label("shape") == str(engines.LABELS["shape"])
