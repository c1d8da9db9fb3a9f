"""An engine is installed by a real worker that dies over it, put to use, taken back, removed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from catalog import services
from catalog.models import Part
from search import encoders
from search.lifecycle import installs
from search.models import Embedding, EngineInstall, Space
from tests.factories import meshes
from tests.factories.engines import engine_add
from tests.factories.processes import kill, until, worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.walk]

PARTS = 10


@pytest.fixture
def other(settings: Any, tmp_path: Path) -> Iterator[str]:
    yield engine_add(settings, tmp_path)
    encoders.encoders_forget()


@pytest.fixture
def config(settings: Any, tmp_path: Path, other: str) -> str:
    """The same configuration as a file, for the worker's process."""
    file = tmp_path / "search.yaml"
    document = settings.SEARCH.model_dump(mode="json", exclude_none=True)
    file.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return str(file)


def upload(n: int) -> Part:
    file = SimpleUploadedFile(f"{n}.stl", meshes.stl_binary(meshes.torus(20, 2 + n)))
    return services.part_upload(file=file)[0]


def ask(api: Any, engine: str, n: int) -> tuple[str, str]:
    """The engine that answered, and the first part it found like the n-th."""
    data = meshes.stl_binary(meshes.torus(20, 2 + n))
    body = {"file": SimpleUploadedFile("q.stl", data), "engine": engine}
    answer = api.post("/api/search/mesh", body, "multipart").json()
    assert answer["success"], answer
    return answer["engine"], answer["results"][0]["name"]


def test_from_install_to_removal(settings, api, work, other: str, config: str) -> None:
    for n in range(PARTS):
        upload(n)
    work()
    assert Part.objects.filter(status="ready").count() == PARTS
    call_command("engine_install", other)
    row = EngineInstall.objects.get()
    filled = Embedding.objects.filter(space__key=row.spaces[0])
    with worker("ingest,index", "--concurrency", "1", STLCATALOG_CONFIG=config) as first:
        until(lambda: filled.count() > 0)
        kill(first)
    assert 0 < filled.count() < PARTS
    assert ask(api, "fusion", 3) == ("fusion", "3")  # as if nothing was going on
    upload(PARTS)  # meanwhile
    with worker("ingest,index", "--concurrency", "1", STLCATALOG_CONFIG=config):
        until(lambda: EngineInstall.objects.get().state == "ready")
        until(lambda: Part.objects.filter(status="ready").count() == PARTS + 1)
        until(lambda: filled.count() == PARTS + 1)
    assert installs.install_count(row) == 0

    call_command("engine_activate", other, instead_of="mini", first=True)
    assert ask(api, other, PARTS) == (other, str(PARTS))
    refused = api.post("/api/search/text", {"query": "a", "engine": "mini"}, "json")
    assert refused.status_code == 400
    call_command("engine_rollback")
    assert ask(api, "mini", 4) == ("mini", "4")
    call_command("engine_remove", other, yes=True)
    assert not Space.objects.filter(key__in=row.spaces).exists()
    assert ask(api, "fusion", 5) == ("fusion", "5")
