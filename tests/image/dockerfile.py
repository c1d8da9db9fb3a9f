"""Reads the Dockerfile and .dockerignore, as far as ours use them."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
KNOWN = {
    "FROM", "ENV", "RUN", "COPY", "WORKDIR", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "CMD",
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One instruction; `options` are its --name=value."""

    name: str
    rest: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def words(self) -> list[str]:
        return shlex.split(self.rest)

    @property
    def command(self) -> list[str]:
        """The words of a CMD in its JSON form."""
        return json.loads(self.rest.removeprefix("CMD ").strip())


@dataclass(frozen=True)
class Stage:
    name: str
    base: str
    steps: list[Step]

    def last(self, name: str) -> Step | None:
        return next((step for step in reversed(self.steps) if step.name == name), None)


def stages_read(path: Path = ROOT / "Dockerfile") -> dict[str, Stage]:
    """The stages by name, in order. Raises ValueError for an instruction that is not known here."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    stages: dict[str, Stage] = {}
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        if not line.strip():
            continue
        name, _space, rest = line.strip().partition(" ")
        if name not in KNOWN:
            raise ValueError(f"not an instruction: {line}")
        if name == "FROM":
            base, _as, stage = re.fullmatch(r"(\S+) (AS) (\S+)", rest.strip()).groups()
            stages[stage] = Stage(stage, base, [])
            continue
        options = dict(re.findall(r"--([\w-]+)=(\S+)", rest)) if name != "RUN" else {}
        if name in {"COPY", "HEALTHCHECK"}:
            rest = re.sub(r"--[\w-]+=\S+\s*", "", rest)
        next(reversed(stages.values())).steps.append(Step(name, rest.strip(), options))
    return stages


def lineage(stages: dict[str, Stage], target: str) -> list[Stage]:
    """The target and the stages it is made from, the first one first."""
    found = [stages[target]]
    while found[0].base in stages:
        found.insert(0, stages[found[0].base])
    return found


def is_sent(path: str) -> bool:
    """Whether .dockerignore lets a file through; the last rule that fits decides."""
    pure, sent = PurePosixPath(path), True
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        rule = line.strip()
        if not rule or rule.startswith("#"):
            continue
        keep, rule = rule.startswith("!"), rule.removeprefix("!").strip("/")
        names = [str(pure), *map(str, pure.parents)][:-1]
        inner = rule.removeprefix("**/")
        if any(fnmatch(name, rule) for name in names) or (
            rule.startswith("**/") and any(fnmatch(part, inner) for part in pure.parts)
        ):
            sent = keep
    return sent
