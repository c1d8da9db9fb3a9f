"""Weights on disk: what a file's digest is, and how two files are told apart.

Hashing 600 MB takes a second or two, and every process that starts would do it: a digest is noted
beside the file's size and time of change, and believed while both stay as they were.
"""

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from search.engine.errors import EncoderError


@dataclass(frozen=True)
class Weights:
    """A file of weights, and what it was when its encoder was made."""

    path: Path
    sha: str
    notes: Path

    def check(self) -> None:
        """Raise EncoderError("weights_changed") when the file is another one by now."""
        if file_sha(self.path, notes=self.notes) != self.sha:
            raise EncoderError(
                "weights_changed",
                f"The weights file {self.path} is not the one this process began with; start it "
                "again.",
                file=self.path.name,
            )


def file_sha(path: Path, *, notes: Path) -> str:
    """The SHA-256 (hex) of a file, from `notes` while the file has not changed.

    Raises EncoderError("weights_missing") for a file that cannot be read.
    """
    try:
        real = path.resolve(strict=True)
        facts = real.stat()
        stamp = {"path": str(real), "size": facts.st_size, "mtime_ns": facts.st_mtime_ns}
        note = notes / f"{hashlib.sha256(str(real).encode()).hexdigest()[:24]}.json"
        held = json_read(note)
        if held and held.get("sha256") and {key: held.get(key) for key in stamp} == stamp:
            return str(held["sha256"])
        with real.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EncoderError(
            "weights_missing", f"The weights file {path} cannot be read: {error}.", file=path.name
        ) from error
    note_write(note, {**stamp, "sha256": digest})
    return digest


def json_sha(value: Any) -> str:
    """The SHA-256 (hex) of a value of JSON, however its keys are ordered."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def json_read(path: Path) -> dict[str, Any] | None:
    """The object in the file; None when there is none, or nothing that can be read as one."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def json_write(path: Path, value: Any) -> None:
    """Whole or not at all: several processes may note the same thing at once. Raises OSError."""
    text = json.dumps(value, indent=1, sort_keys=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        made = Path(file.name)
        try:
            file.write(text)
            file.flush()
            # Whoever fetches may be another user than the server's.
            made.chmod(0o644)
            made.replace(path)
        except BaseException:
            made.unlink(missing_ok=True)
            raise


def note_write(path: Path, value: Any) -> None:
    """As json_write; a folder that cannot be written to costs the note, not the answer."""
    with suppress(OSError):
        json_write(path, value)
