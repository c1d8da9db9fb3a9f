"""Reads docker-compose.yml as compose does, with what .env.example says unless told otherwise."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from tests.image.dockerfile import ROOT

COMPOSE = ROOT / "docker-compose.yml"
EXAMPLE = ROOT / ".env.example"
SECRETS = ("POSTGRES_PASSWORD", "STLCATALOG_SECRET_KEY")


@dataclass(frozen=True)
class Service:
    """A service of one of our images, started without a profile."""

    name: str
    target: str
    environment: dict[str, str]
    command: list[str] | None  # none: the image's
    healthcheck: list[str] | None  # none: the image's; empty: none at all


def filled(text: str, variables: dict[str, str]) -> str:
    """`${NAME:-otherwise}` and `${NAME:?why}` replaced. Raises KeyError for what must be said."""

    def value(found: re.Match[str]) -> str:
        name, how, rest = found.groups()
        if given := variables.get(name):
            return given
        if how == ":-":
            return rest
        raise KeyError(f"{name}: {rest or 'not set'}")

    return re.sub(r"\$\{(\w+)(?:(:-|:\?)([^}]*))?\}", value, text)


def example() -> dict[str, str]:
    """The variables of .env.example."""
    lines = re.findall(r"^(\w+)=(.*)$", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(lines)


def compose_read(**said: str) -> dict[str, Any]:
    """The whole file, with these variables instead of the example's."""
    variables = example() | said

    def fill(held: Any) -> Any:
        if isinstance(held, str):
            return filled(held, variables)
        if isinstance(held, dict):
            return {key: fill(value) for key, value in held.items()}
        return [fill(value) for value in held] if isinstance(held, list) else held

    # After it is parsed, as compose does: what is empty is an empty text.
    return fill(yaml.safe_load(COMPOSE.read_text(encoding="utf-8")))


def services_read(**said: str) -> dict[str, Service]:
    return {
        name: Service(
            name=name,
            target=held["build"]["target"],
            environment={key: str(value) for key, value in held["environment"].items()},
            command=held.get("command"),
            healthcheck=_check(held),
        )
        for name, held in compose_read(**said)["services"].items()
        if "build" in held and "profiles" not in held
    }


def _check(held: dict[str, Any]) -> list[str] | None:
    said = held.get("healthcheck", {})
    if said.get("disable"):
        return []
    return said["test"][1:] if "test" in said else None
