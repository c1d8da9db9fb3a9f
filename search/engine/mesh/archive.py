"""Zip archives from strangers: listed and streamed under caps, never unpacked to their own paths.

Serves 3MF (a zip) and the bulk import. Knows nothing of meshes.
"""

import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from search.engine.errors import MeshError

PIECE_BYTES = 1 << 20
_NAME_BYTES = 1024

# Names without the UTF-8 flag are in the code page of the machine that packed them. Bytes that
# read as UTF-8 are UTF-8; what reads both as Big5 and as GB 18030 is taken for the former, since
# our readers write Traditional Chinese.
_LEGACY_ENCODINGS = ("utf-8", "cp950", "gb18030")


@dataclass(frozen=True)
class ArchiveLimits:
    members: int = 2000
    unpacked_mb: int = 2048


@dataclass(frozen=True)
class Member:
    """A file in an archive. `refused` is why it must not be read, or empty.

    name     path with forward slashes, as the archive shows it
    size     bytes when unpacked, as the archive claims; reading never gives more
    refused  "" | "path" | "link" | "duplicate" | "encrypted" | "compression"
    index    position in the archive
    """

    name: str
    size: int
    refused: str
    index: int


def _unsafe(reason: str, sentence: str) -> MeshError:
    return MeshError("archive_unsafe", sentence, reason=reason)


def _name_decode(info: zipfile.ZipInfo) -> str:
    """The name as its author saw it, with forward slashes."""
    name = info.orig_filename
    if not info.flag_bits & 0x800:
        # zipfile has read the bytes as cp437, which maps each of them to a character.
        raw = name.encode("cp437")
        for encoding in _LEGACY_ENCODINGS:
            try:
                name = raw.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
    return name.replace("\\", "/")


def _path_is_safe(name: str) -> bool:
    """Relative, without parent steps, drive letters or control characters, of sane length."""
    steps = name.split("/")
    return (
        0 < len(name.encode("utf-8", "replace")) <= _NAME_BYTES
        and not name.startswith("/")
        and ".." not in steps
        and ":" not in steps[0]
        and name.isprintable()
    )


def _refusal(info: zipfile.ZipInfo, name: str, seen: set[str]) -> str:
    if not _path_is_safe(name):
        return "path"
    # The upper half of the attributes is the Unix mode when a Unix archiver set one.
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return "link"
    if "/".join(step for step in name.split("/") if step not in ("", ".")) in seen:
        return "duplicate"
    if info.flag_bits & 0x1:
        return "encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "compression"
    return ""


class Archive:
    """An open zip: `members` in the archive's order (folders left out), `extract` one of them.

    Raises MeshError archive_unsafe with reason: not_a_zip, too_many_members, too_large, damaged,
    or the `refused` of a member that is extracted all the same. Not for several threads at once.
    """

    def __init__(self, source: Path | BinaryIO, limits: ArchiveLimits) -> None:
        try:
            self._zip = zipfile.ZipFile(source)
        except (zipfile.BadZipFile, zipfile.LargeZipFile, ValueError, OverflowError) as error:
            raise _unsafe("not_a_zip", f"The archive cannot be read: {error}.") from error
        self._infos = self._zip.infolist()
        self._left = limits.unpacked_mb << 20
        try:
            if len(self._infos) > limits.members:
                raise _unsafe(
                    "too_many_members",
                    f"The archive holds {len(self._infos)} files; at most {limits.members} "
                    "are allowed.",
                )
            self.members = tuple(self._members_check())
            if sum(member.size for member in self.members if not member.refused) > self._left:
                raise self._too_large()
        except MeshError:
            self._zip.close()
            raise

    def _too_large(self) -> MeshError:
        return _unsafe("too_large", "The archive unpacks to more than is allowed.")

    def _members_check(self) -> Iterator[Member]:
        seen: set[str] = set()
        for index, info in enumerate(self._infos):
            name = _name_decode(info)
            if name.endswith("/"):
                continue
            refused = _refusal(info, name, seen)
            seen.add("/".join(step for step in name.split("/") if step not in ("", ".")))
            yield Member(name=name, size=info.file_size, refused=refused, index=index)

    def extract(self, member: Member, target: BinaryIO) -> int:
        """Stream a member into `target`; the bytes written. All members share one allowance."""
        if member.refused:
            raise _unsafe(
                member.refused,
                f"The archive's file {member.name[:80]!r} is refused: {member.refused}.",
            )
        written = 0
        try:
            with self._zip.open(self._infos[member.index]) as stream:
                while piece := stream.read(PIECE_BYTES):
                    self._left -= len(piece)
                    if self._left < 0:
                        raise self._too_large()
                    target.write(piece)
                    written += len(piece)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError) as error:
            raise _unsafe(
                "damaged", f"The archive's file {member.name[:80]!r} is damaged."
            ) from error
        return written

    def close(self) -> None:
        self._zip.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
