"""Brings in a folder or a zip of mesh files: one result a file, none of them stopping the rest.

Safe to run again: bytes that are here already are recognised, so an import that was interrupted
goes on where it stopped.
"""

import csv
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile
from typing import Protocol

from django.conf import settings
from django.db import connection

from catalog import services
from catalog.errors import ServiceError
from catalog.models import Category
from catalog.queue import LATER
from catalog.tables import cell
from search.engine.errors import MeshError
from search.engine.mesh.archive import Archive, ArchiveLimits, Member
from search.engine.mesh.types import SUFFIXES


@dataclass(frozen=True)
class Result:
    """What became of one file: "new", "here already" or "failed" with the reason."""

    file: str
    state: str
    part: str = ""
    reason: str = ""


class Source(Protocol):
    """Where files come from: their names, and each one as a path while it is read."""

    names: list[str]

    def path(self, name: str) -> "contextmanager[Path]": ...


class FolderSource:
    """A folder with its sub-folders, or one file."""

    def __init__(self, root: Path) -> None:
        self.root = root if root.is_dir() else root.parent
        files = sorted(root.rglob("*")) if root.is_dir() else [root]
        self.names = [
            path.relative_to(self.root).as_posix()
            for path in files
            if path.is_file() and path.suffix.lower() in SUFFIXES
        ]

    @contextmanager
    def path(self, name: str) -> Iterator[Path]:
        yield self.root / name


class ZipSource:
    """A zip: members are streamed out one at a time, never unpacked to their own paths."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.members: dict[str, Member] = {
            member.name: member
            for member in archive.members
            if PurePosixPath(member.name).suffix.lower() in SUFFIXES
            and not PurePosixPath(member.name).name.startswith("._")  # a Mac's shadow files
        }
        self.names = sorted(self.members)

    @contextmanager
    def path(self, name: str) -> Iterator[Path]:
        with NamedTemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR) as copy:
            self.archive.extract(self.members[name], copy)
            copy.flush()
            yield Path(copy.name)


@contextmanager
def source_open(path: Path) -> Iterator[Source]:
    """The files at `path`. Raises `ServiceError` for an archive that is not safe to read."""
    if path.suffix.lower() != ".zip":
        yield FolderSource(path)
        return
    limits = settings.SEARCH.limits
    try:
        archive = Archive(
            path, ArchiveLimits(members=limits.archive_members, unpacked_mb=limits.archive_mb)
        )
    except MeshError as error:
        raise ServiceError(error.code, **error.params) from error
    with archive:
        yield ZipSource(archive)


def parts_import(source: Source, *, category_from_folder: bool, jobs: int) -> Iterator[Result]:
    """Upload every file of the source, `jobs` at a time; results as they come, in no order."""
    categories = _categories(source.names) if category_from_folder else {}
    one = partial(_part_import, source, categories)
    if jobs <= 1 or isinstance(source, ZipSource):
        # A zip is one stream: its members are read one after the other.
        yield from map(one, source.names)
        return
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(partial(_in_thread, one), source.names)


def _in_thread(one: "partial[Result]", name: str) -> Result:
    try:
        return one(name)
    finally:
        connection.close()  # threads end with the pool, and their connections with them


def _part_import(source: Source, categories: dict[str, Category], name: str) -> Result:
    pure = PurePosixPath(name)
    try:
        with source.path(name) as path, services.file_open(path, name=pure.name) as file:
            part, created = services.part_upload(
                file=file, category=categories.get(pure.parent.name), priority=LATER
            )
    except (ServiceError, MeshError, OSError) as error:
        return Result(name, "failed", reason=str(error))
    return Result(name, "new" if created else "here already", part=str(part.uuid))


def _categories(names: Iterable[str]) -> dict[str, Category]:
    """A category for each folder that files lie in, made where there is none of that name."""
    folders = {PurePosixPath(name).parent.name for name in names} - {""}
    made = {}
    for folder in sorted(folders):
        label = folder.replace("_", " ").strip() or folder
        existing = Category.objects.filter(name__iexact=label).first()
        made[folder] = existing or services.category_create(name=label)
    return made


def report_write(path: Path, results: Iterable[Result]) -> None:
    """The results as CSV, a line a file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("file", "state", "part", "reason"))
        for r in results:
            writer.writerow([cell(value) for value in (r.file, r.state, r.part, r.reason)])
