"""The Dockerfile, the compose file and what they name agree with the tree.

`make check-image` runs the steps themselves.
"""

import re
import subprocess
import sys
import tomllib

import pytest

from stlcatalog import alive
from tests.factories.settings_of import settings_of
from tests.image.compose import COMPOSE, EXAMPLE, SECRETS, compose_read, services_read
from tests.image.dockerfile import ROOT, is_sent, lineage, stages_read

VALIDATE = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec")
TARGETS = ("web", "worker", "worker-gpu")


@pytest.fixture(scope="module")
def compose() -> dict:
    return compose_read(**dict.fromkeys(SECRETS, "x"))


def committed() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return listed.stdout.splitlines()


def test_every_target_is_there_and_runs_as_nobody() -> None:
    stages = stages_read()
    assert set(TARGETS) <= stages.keys()
    for target in TARGETS:
        line = lineage(stages, target)
        users = [step.rest for stage in line for step in stage.steps if step.name == "USER"]
        assert users[-1] == "catalog", target
        for name in ("CMD", "HEALTHCHECK"):
            assert any(stage.last(name) for stage in line), (target, name)
        assert line[0].base.startswith("python:3.")


def test_every_source_of_a_copy_is_in_the_tree_and_sent() -> None:
    stages, files = stages_read(), [name for name in committed() if (ROOT / name).exists()]
    for stage in stages.values():
        for step in stage.steps:
            if step.name != "COPY":
                continue
            *sources, _goal = step.words
            for source in sources:
                if origin := step.options.get("from"):
                    assert origin in stages
                    continue
                inside = [n for n in files if n == source or n.startswith(f"{source}/")]
                assert any(is_sent(name) for name in inside), (stage.name, source)


def test_the_rooms_are_all_copied() -> None:
    copied = {
        word for step in stages_read()["base"].steps if step.name == "COPY" for word in step.words
    }
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages - copied - {"bench", "tests", "training"} == set()


@pytest.mark.parametrize(
    "path",
    [".env", "catalog/.env", ".git/config", "var/secret_key", "static/dist/site.css", "tests/a.py"],
)
def test_what_must_not_be_in_an_image_is_not_sent(path: str) -> None:
    assert not is_sent(path)


def test_every_extra_that_is_installed_exists() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = set()
    for stage in stages_read().values():
        for step in stage.steps:
            if step.name == "RUN" and "pip install" in step.rest:
                for extras in re.findall(r"\.\[([\w,]+)\]", step.rest):
                    named |= set(extras.split(","))
    assert {"postgres", "redis", "s3", "clip"} <= named
    assert named <= project["optional-dependencies"].keys()


def test_no_secret_is_written_into_an_image() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert not re.search(r"(SECRET|PASSWORD|TOKEN|ACCESS_KEY)\w*\s*=", text)
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    for name in re.findall(r"^(\w*(?:SECRET|PASSWORD|ACCESS_KEY)\w*)=(.+)$", example, re.MULTILINE):
        raise AssertionError(f"{name[0]} has a value in .env.example")


# docker-compose.yml -----------------------------------------------------------------------------


def test_the_compose_file_keeps_the_specification() -> None:
    done = subprocess.run([*VALIDATE, COMPOSE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_specification_would_find_a_fault(tmp_path) -> None:
    text = COMPOSE.read_text(encoding="utf-8").replace("profiles: [gpu]", "profile: [gpu]")
    (tmp_path / "docker-compose.yml").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [*VALIDATE, tmp_path / "docker-compose.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0


@pytest.mark.parametrize("secret", SECRETS)
def test_without_a_secret_nothing_starts(secret) -> None:
    said = dict.fromkeys(SECRETS, "x") | {secret: ""}
    with pytest.raises(KeyError, match=secret):
        compose_read(**said)


def test_the_settings_take_what_the_example_says() -> None:
    said = services_read(**dict.fromkeys(SECRETS, "x"))["web"].environment
    database = settings_of("DATABASES", **said)["default"]
    assert (database["HOST"], database["NAME"]) == ("postgres", "catalog")
    # Left empty, the level is the usual one, and reading needs a login.
    empty = said | {"STLCATALOG_LOG_LEVEL": "", "STLCATALOG_OPEN_READING": "", "HOST": "0.0.0.0"}
    assert settings_of("LOGGING", **empty)["root"]["level"] == "INFO"
    assert not settings_of("READING_OPEN", **empty)


def test_every_worker_can_have_the_large_engines() -> None:
    services = compose_read(**dict.fromkeys(SECRETS, "x"), WORKER_TARGET="worker-gpu")["services"]
    for name, service in services.items():
        if "--queues" in service.get("command", ()):
            assert service["build"]["target"] == "worker-gpu", name
            assert service["image"] == "stlcatalog-worker-gpu", name


def test_what_the_services_name_exists(compose) -> None:
    services, targets = compose["services"], stages_read()
    for name, service in services.items():
        if "build" in service:
            assert service["build"]["target"] in targets, name
            assert service["image"].removeprefix("stlcatalog-") == service["build"]["target"]
        assert set(service.get("depends_on", {})) <= services.keys(), name
        for volume in service.get("volumes", ()):
            assert volume.partition(":")[0] in compose["volumes"], name
        # Ours by the image's own check, or one that is said here.
        assert "build" in service or "healthcheck" in service, name
    assert any("8082" in port for port in services["web"]["ports"])


def test_every_queue_has_a_worker_and_every_worker_is_asked_by_its_name(compose) -> None:
    read = set()
    for name, service in compose["services"].items():
        command = service.get("command", [])
        if "--queues" not in command:
            continue
        queues = command[command.index("--queues") + 1]
        read |= set(queues.split(","))
        assert (
            command[command.index("--hostname") + 1].partition("@")[0]
            == (service["environment"]["WORKER_NAME"])
        ), name
    routes = settings_of("CELERY_TASK_ROUTES", STLCATALOG_EMBED_QUEUE="gpu")
    assert {route["queue"] for route in routes.values()} | {"ingest"} == read


def test_the_variables_are_explained(compose) -> None:
    example = EXAMPLE.read_text(encoding="utf-8")
    guide = (ROOT / "docs/deployment.md").read_text(encoding="utf-8")
    offered = set(re.findall(r"^(\w+)=", example, re.MULTILINE))
    text = COMPOSE.read_text(encoding="utf-8")
    used = set(re.findall(r"\$\{(\w+)", text))
    assert used == offered
    for service in compose["services"].values():
        if "build" in service:
            used |= set(service["environment"])
    assert {name for name in used if f"`{name}`" not in guide} == set()


# python -m stlcatalog.alive ---------------------------------------------------------------------


def test_a_web_server_is_alive_when_it_can_do_its_work(live_server, monkeypatch) -> None:
    monkeypatch.setenv("PORT", live_server.url.rpartition(":")[2])
    monkeypatch.setenv("STLCATALOG_ALLOWED_HOSTS", "localhost")
    assert alive.main(["web"]) == 0
    monkeypatch.setenv("PORT", "1")
    assert alive.main(["web"]) == 1


@pytest.mark.parametrize("name", ["beat-schedule", "beat-schedule.db", "beat-schedule.dat"])
def test_the_scheduler_is_alive_while_it_writes_its_file(tmp_path, monkeypatch, name) -> None:
    import os
    import time

    monkeypatch.setenv("STLCATALOG_DATA", str(tmp_path))
    assert alive.main(["beat"]) == 1
    file = tmp_path / name
    file.touch()
    assert alive.main(["beat"]) == 0
    os.utime(file, (time.time() - 3600,) * 2)
    assert alive.main(["beat"]) == 1


def test_asked_wrongly_it_says_how() -> None:
    assert alive.main([]) == 2
    assert alive.main(["everything"]) == 2
