"""Brings in queries with their judgements: a file, a folder or a zip with pictures beside it.

A set that is brought in again takes the place of what it was; queries that stay keep their rows,
so that older evaluations still know them.
"""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from catalog.errors import ServiceError, sentence
from catalog.models import Part
from search import engines
from search.evaluation.judgement_files import (
    FAULTS_MOST,
    Asked,
    FileFault,
    Read,
    judgements_read,
    topics_read,
)
from search.evaluation.logs import language_of, query_digest
from search.models import EvaluationQuery, Judgement

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")
TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".qrels", ".txt")
FILE_MB = 200
BATCH = 500
WRITTEN = 5000  # rows in a transaction, about half a second's
FOLDER = "asked/queries"


@dataclass
class Imported:
    """What came of it; `faults` are sentences, the first ones only."""

    query_set: str
    queries: int = 0
    judgements: int = 0
    unknown: int = 0  # parts that are not here
    faults: list[str] = field(default_factory=list)
    left_out: int = 0


class Bundle(Protocol):
    """Files by their names."""

    names: list[str]

    def read(self, name: str, *, most: int) -> bytes:
        """A file's bytes. Raises `ServiceError` when it is larger than so many."""
        ...


class FolderBundle:
    """`deep`: everything below it; else what lies in it and in its folders, as beside a file."""

    def __init__(self, root: Path, *, deep: bool = True) -> None:
        self.root = root
        paths = root.rglob("*") if deep else chain(root.glob("*"), root.glob("*/*"))
        self.names = sorted(path.relative_to(root).as_posix() for path in paths if path.is_file())

    def read(self, name: str, *, most: int) -> bytes:
        path = self.root / name
        if path.stat().st_size > most:
            raise ServiceError("judgements_too_large", status=413, most=most // 2**20)
        return path.read_bytes()


class ZipBundle:
    def __init__(self, archive: Any) -> None:
        self.archive = archive
        self.members = {member.name: member for member in archive.members if not member.refused}
        self.names = sorted(self.members)

    def read(self, name: str, *, most: int) -> bytes:
        held = io.BytesIO()
        if self.members[name].size > most:
            raise ServiceError("judgements_too_large", status=413, most=most // 2**20)
        with engines.engine_errors():
            self.archive.extract(self.members[name], held)
        return held.getvalue()


class OneFile:
    """A table alone, as it was uploaded."""

    def __init__(self, name: str, data: bytes) -> None:
        self.names, self.data = [name], data

    def read(self, name: str, *, most: int) -> bytes:
        return self.data


@contextmanager
def bundle_open(path: Path) -> Iterator[tuple[Bundle, str]]:
    """A folder, a zip, or a file and what lies beside it; and the table's name, if known."""
    if path.is_dir():
        yield FolderBundle(path), ""
    elif path.suffix.lower() == ".zip":
        with path.open("rb") as file, zip_open(file) as bundle:
            yield bundle, ""
    else:
        yield FolderBundle(path.parent, deep=False), path.name


@contextmanager
def zip_open(file: Any) -> Iterator[ZipBundle]:
    from search.engine.mesh.archive import Archive, ArchiveLimits

    limits = settings.SEARCH.limits
    with engines.engine_errors():
        archive = Archive(file, ArchiveLimits(limits.archive_members, limits.archive_mb))
    with archive:
        yield ZipBundle(archive)


def upload_import(file: Any, *, query_set: str) -> Imported:
    """What staff uploaded: a table, or a zip with its pictures."""
    if file.size > FILE_MB * 2**20:
        raise ServiceError("judgements_too_large", status=413, most=FILE_MB)
    name = PurePosixPath(file.name).name
    file.seek(0)
    if name.lower().endswith(".zip"):
        with zip_open(file) as bundle:
            return judgements_import(bundle, query_set=query_set or name[:-4])
    bundle = OneFile(name, file.read())
    return judgements_import(bundle, query_set=query_set or PurePosixPath(name).stem)


def judgements_import(
    bundle: Bundle, *, query_set: str, table: str = "", topics: str = ""
) -> Imported:
    """Bring in one set. Raises `ServiceError` when nothing of it can be used."""
    done = Imported(query_set=set_name(query_set))
    try:
        read = _read(bundle, table, topics)
    except FileFault as fault:
        raise ServiceError(fault.code, **fault.params) from fault
    for fault in read.faults:
        _leave_out(done, f"{fault.line}: {sentence(fault.code, {})}")
    known = parts_by_names({name for asked in read.asked for name in asked.grades})
    made: dict[str, tuple[EvaluationQuery, dict[int, float]]] = {}
    for asked in read.asked:
        grades = {pk: grade for name, grade in asked.grades.items() for pk in known.get(name, ())}
        done.unknown += sum(name not in known for name in asked.grades)
        if not any(grade > 0 for grade in grades.values()):
            _leave_out(done, f"{_called(asked)}: {sentence('line_none_known', {})}")
            continue
        try:
            query = _query(asked, bundle, done.query_set)
        except ServiceError as error:
            _leave_out(done, f"{_called(asked)}: {error}")
            continue
        made.setdefault(query.digest, (query, {}))[1].update(grades)
    if not made:
        first = done.faults[0] if done.faults else ""
        raise ServiceError("judgements_none", first=first[:200])
    try:
        _write(done, made)
    except IntegrityError as error:
        raise ServiceError("judgements_busy", status=409, query_set=done.query_set) from error
    return done


def set_name(text: str) -> str:
    """A set's name as it is kept."""
    return text.strip()[:80].strip()


def parts_by_names(names: Iterable[str]) -> dict[str, list[int]]:
    """{as written: parts} by number, by id, or by the name of the file they came as."""
    wanted, found = sorted(set(names)), {}
    for start in range(0, len(wanted), BATCH):
        some = wanted[start : start + BATCH]
        for by in ("number", "file_name"):
            rows = Part.objects.present().filter(**{f"{by}__in": some}).values_list(by, "pk")
            for name, pk in rows:
                found.setdefault(name, set()).add(pk)
        uuids = {uuid: name for name in some if (uuid := _uuid(name))}
        rows = Part.objects.present().filter(uuid__in=uuids).values_list("uuid", "pk")
        for uuid, pk in rows:
            found.setdefault(uuids[uuid], set()).add(pk)
    return {name: sorted(pks) for name, pks in found.items()}


def _uuid(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None


def _read(bundle: Bundle, table: str, topics: str) -> Read:
    """The judgements of the table, or of all tables there are."""
    tables = [name for name in bundle.names if name.lower().endswith(TABLES)]
    tables = [name for name in tables if not PurePosixPath(name).name.startswith(("._", "README"))]
    asks = [name for name in tables if name == topics or _is_topics(name)]
    chosen = [table] if table else [name for name in tables if name not in asks]
    if not chosen and not topics:  # "queries.csv" alone is what is judged
        chosen, asks = asks, []
    if not chosen:
        raise FileFault("judgements_no_table")
    held = _topics(bundle, [topics] if topics else asks)
    reads = [judgements_read(name, bundle.read(name, most=FILE_MB << 20), held) for name in chosen]
    return Read([one for read in reads for one in read.asked],
                [fault for read in reads for fault in read.faults])  # fmt: skip


def _is_topics(name: str) -> bool:
    return PurePosixPath(name).stem.lower() in {"topics", "queries"}


def _topics(bundle: Bundle, files: Iterable[str]) -> dict[str, Asked]:
    """What qrels mean by their ids: lines of a file of topics, or pictures and meshes so named."""
    from search.engine.mesh.types import SUFFIXES

    found: dict[str, Asked] = {}
    for name in bundle.names:
        pure = PurePosixPath(name)
        if pure.suffix.lower() in PICTURES:
            found.setdefault(pure.stem, Asked(name=pure.stem[:120], picture=name))
        elif pure.suffix.lower() in SUFFIXES:
            found.setdefault(pure.stem, Asked(name=pure.stem[:120], mesh=name))
    for name in files:
        found |= topics_read(name, bundle.read(name, most=FILE_MB << 20))
    return found


def _query(asked: Asked, bundle: Bundle, query_set: str) -> EvaluationQuery:
    """The query as a row that is not saved, its file checked and kept."""
    name = asked.mesh or asked.picture
    if not (name or asked.text):
        raise ServiceError("line_no_query")
    data = b""
    if name:
        data = _file(bundle, name, mesh=bool(asked.mesh))
    digest = query_digest(asked.kind, asked.text, data)
    query = EvaluationQuery(
        origin=EvaluationQuery.Origin.FILE,
        query_set=query_set,
        name=asked.name or PurePosixPath(name).name[:120],
        kind=asked.kind,
        text=asked.text,
        language=asked.language or language_of(asked.text),
        digest=digest,
    )
    if data:
        path = f"{FOLDER}/{digest[:32]}{PurePosixPath(name).suffix.lower()}"
        query.file = (
            path if default_storage.exists(path) else default_storage.save(path, ContentFile(data))
        )
    return query


def _file(bundle: Bundle, name: str, *, mesh: bool) -> bytes:
    found = _found(bundle, name)
    if found is None:
        raise ServiceError("judgements_no_file", name=name[:80])
    limits = settings.SEARCH.limits
    data = bundle.read(found, most=(limits.upload_mb if mesh else limits.picture_mb) << 20)
    if not mesh:
        from search.engine.photo.decode import picture_decode

        with engines.engine_errors():
            picture_decode(data, limits=engines.photo_limits())
    return data


def _found(bundle: Bundle, name: str) -> str | None:
    """The file as written, or the only one of that name in whatever folder."""
    name = name.replace("\\", "/").removeprefix("./")
    if name in bundle.names:
        return name
    last = PurePosixPath(name).name
    same = [other for other in bundle.names if PurePosixPath(other).name == last]
    return same[0] if len(same) == 1 else None


def _called(asked: Asked) -> str:
    return (asked.name or asked.text or asked.picture or asked.mesh)[:80]


def _leave_out(done: Imported, why: str) -> None:
    done.left_out += 1
    if len(done.faults) < FAULTS_MOST:
        done.faults.append(why)


Made = Mapping[str, tuple[EvaluationQuery, dict[int, float]]]


def _write(done: Imported, made: Made) -> None:
    """Some queries at a time: in one transaction a large set would keep SQLite's other writers
    longer than they wait. One that was broken off is mended by bringing it in again."""
    rows = EvaluationQuery.objects.filter(
        origin=EvaluationQuery.Origin.FILE, query_set=done.query_set
    )
    queries_delete([query for query in rows.iterator() if query.digest not in made])
    for some in _portions(made):
        with transaction.atomic():
            _write_some(rows, some)
    if rows.count() != len(made):
        raise ServiceError("judgements_busy", status=409, query_set=done.query_set)
    done.queries = len(made)
    done.judgements = sum(len(grades) for _query, grades in made.values())


def _portions(made: Made) -> Iterator[Made]:
    some, size = {}, 0
    for digest, (query, grades) in made.items():
        some[digest] = (query, grades)
        size += 1 + len(grades)
        if size >= WRITTEN:
            yield some
            some, size = {}, 0
    yield some


def _write_some(rows: QuerySet[EvaluationQuery], made: Made) -> None:
    # Locked: two who bring in the same set at once would each write its judgements.
    locked = rows.select_for_update().filter(digest__in=made)
    held = {query.digest: query for query in locked}
    changed = []
    for digest, query in held.items():
        new = made[digest][0]
        if (query.name, query.language) != (new.name, new.language):
            query.name, query.language = new.name, new.language
            changed.append(query)
    EvaluationQuery.objects.bulk_update(changed, ["name", "language"], batch_size=BATCH)
    new = [query for digest, (query, _grades) in made.items() if digest not in held]
    EvaluationQuery.objects.bulk_create(new, batch_size=BATCH)
    Judgement.objects.filter(query__in=held.values(), source=Judgement.Source.FILE).delete()
    pks = {query.digest: query.pk for query in (*held.values(), *new)}
    Judgement.objects.bulk_create(
        (
            Judgement(query_id=pks[digest], part_id=pk, grade=grade, source=Judgement.Source.FILE)
            for digest, (_query, grades) in made.items()
            for pk, grade in grades.items()
        ),
        batch_size=BATCH,
    )


def queries_delete(gone: Sequence[EvaluationQuery]) -> None:
    """Forget judged queries with their judgements, and the files that no other asks with."""
    for start in range(0, len(gone), BATCH):
        some = gone[start : start + BATCH]
        EvaluationQuery.objects.filter(pk__in=[query.pk for query in some]).delete()
    for file in {query.file.name for query in gone if query.file}:
        if not EvaluationQuery.objects.filter(file=file).exists():
            transaction.on_commit(lambda file=file: default_storage.delete(file))
