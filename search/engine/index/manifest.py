"""What a snapshot says about itself, and how its files are checked against it.

JSON and checksums only. `manifest.json` names the SHA-256 of every other file, and
`manifest.json.sha256` (in the format of `sha256sum`) its own, so one changed byte anywhere shows.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from search.engine.errors import SnapshotError
from search.engine.index.config import IndexConfig

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1
_NAME = "manifest.json"
_SEAL = "manifest.json.sha256"


@dataclass(frozen=True, slots=True)
class FileFact:
    """One file of the snapshot."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The facts of one snapshot.

    rows (one a part), vectors, watermark (the highest sequence number inside, 0 when empty),
    factory ("Flat", or faiss's factory string), effort (nprobe or efSearch; 0 when exact),
    recall_at_10 (parts, against exact search, on a sample of the gallery moved by noise).
    `recalls` are those of every effort that was tried, by its number: empty when exact.
    """

    version: str
    space_key: str
    d: int
    rows: int
    vectors: int
    watermark: int
    factory: str
    effort: int
    recall_at_10: float
    build_s: float
    seed: int
    faiss_version: str
    config: IndexConfig
    files: dict[str, FileFact]
    recalls: dict[str, float] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Bytes of all files: what the processes of one machine map together."""
        return sum(fact.size for fact in self.files.values())


def file_seal(path: Path) -> FileFact:
    """Flush a finished file to the disk and describe it."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileFact(size=os.fstat(file.fileno()).st_size, sha256=digest)


def manifest_write(folder: Path, manifest: Manifest) -> None:
    """Write the manifest and its seal, flushed to the disk."""
    text = json.dumps({"format": FORMAT, **asdict(manifest)}, indent=2, sort_keys=True)
    (folder / _NAME).write_text(text + "\n", encoding="utf-8")
    fact = file_seal(folder / _NAME)
    (folder / _SEAL).write_text(f"{fact.sha256}  {_NAME}\n", encoding="utf-8")
    file_seal(folder / _SEAL)


def manifest_read(folder: Path) -> Manifest:
    """Read the manifest of a snapshot folder.

    SnapshotError: snapshot_missing, snapshot_corrupt (file), snapshot_format (found).
    """
    try:
        body = (folder / _NAME).read_bytes()
        seal = (folder / _SEAL).read_bytes()
    except OSError as error:
        raise SnapshotError(
            "snapshot_missing", f"{folder.name} holds no manifest.", version=folder.name
        ) from error
    if seal != f"{hashlib.sha256(body).hexdigest()}  {_NAME}\n".encode():
        raise _corrupt(folder, _NAME)
    fields: dict[str, Any] = json.loads(body)
    found = fields.pop("format")
    if found != FORMAT:
        raise _foreign(folder, f"format {found}; this program reads {FORMAT}", found=found)
    try:
        fields["config"] = IndexConfig(**fields["config"])
        fields["files"] = {name: FileFact(**fact) for name, fact in fields["files"].items()}
        return Manifest(**fields)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # Another version's, one that knew more or fewer fields: it cannot be used, and is no fault.
        raise _foreign(folder, "fields that this program does not know", found=found) from error


def files_check(folder: Path, manifest: Manifest, *, verify: bool) -> None:
    """Compare the files with the manifest: their sizes, and with `verify` every byte.

    SnapshotError: snapshot_missing (file), snapshot_corrupt (file).
    """
    for name, fact in manifest.files.items():
        path = folder / name
        try:
            size = path.stat().st_size
            good = size == fact.size and (not verify or file_seal(path).sha256 == fact.sha256)
        except OSError as error:
            raise SnapshotError(
                "snapshot_missing",
                f"{folder.name} lacks {name}.",
                version=folder.name,
                file=name,
            ) from error
        if not good:
            raise _corrupt(folder, name)


def _foreign(folder: Path, holds: str, *, found: int) -> SnapshotError:
    return SnapshotError(
        "snapshot_format",
        f"{folder.name} has {holds}.",
        version=folder.name,
        found=found,
    )


def _corrupt(folder: Path, name: str) -> SnapshotError:
    return SnapshotError(
        "snapshot_corrupt",
        f"{name} of {folder.name} is not the file that was written.",
        version=folder.name,
        file=name,
    )
