"""What can be set and asked is written down."""

import re
from pathlib import Path

import pytest
import yaml
from django.urls import reverse

from catalog import errors
from tests.factories.paths import api_paths

ROOT = Path(__file__).resolve().parents[2]


def test_every_environment_variable_is_in_the_deployment_guide() -> None:
    named = set()
    for file in (
        "stlcatalog/settings.py",
        "stlcatalog/environment.py",
        "stlcatalog/management/commands/serve.py",
    ):
        source = (ROOT / file).read_text(encoding="utf-8")
        named |= set(
            re.findall(r'(?:environ(?:\.get)?[\[(]|flag\(|choice\()\s*"([A-Z0-9_]+)"', source)
        )
    assert len(named) > 10
    guide = (ROOT / "docs/deployment.md").read_text(encoding="utf-8")
    named -= {"DJANGO_SETTINGS_MODULE"}
    assert {name for name in named if f"`{name}`" not in guide} == set()


def test_every_code_that_is_raised_has_a_sentence() -> None:
    raised = set()
    for room in ("catalog", "search", "workers"):
        for file in (ROOT / room).rglob("*.py"):
            source = file.read_text(encoding="utf-8")
            raised |= set(
                re.findall(
                    r'(?:MeshError|PictureError|RenderError|ServiceError|StepFailed)\(\s*"(\w+)"',
                    source,
                )
            )
    assert len(raised) > 25
    assert raised - errors.SENTENCES.keys() == set()


@pytest.mark.parametrize("code", sorted(errors.SENTENCES))
def test_a_sentence_without_its_parameters_is_still_one(code: str) -> None:
    assert errors.sentence(code, {}).strip()


def test_an_unknown_code_is_our_fault() -> None:
    assert "30 seconds" in errors.sentence("inspection_too_long", {"seconds": 30.0})
    assert errors.sentence("no such code", {}) == errors.sentence("internal", {})


def test_every_key_of_the_configuration_is_commented_in_its_file() -> None:
    from stlcatalog.config import SearchConfig

    shipped = yaml.safe_load((ROOT / "config/search.yaml").read_text(encoding="utf-8"))
    for section, field in SearchConfig.model_fields.items():
        if section in {"engines", "use"}:
            continue
        assert set(shipped[section]) == set(field.annotation.model_fields), section


@pytest.mark.django_db
def test_the_schema_describes_every_endpoint(client) -> None:
    schema = yaml.safe_load(client.get(reverse("schema")).content)
    described = {path.rstrip("/") for path in schema["paths"]}
    assert api_paths() - described == set()
    assert len(described) >= 11
