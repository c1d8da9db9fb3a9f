"""Stored files, wherever the storage keeps them, for libraries that want a path."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj
from tempfile import NamedTemporaryFile

from django.conf import settings
from django.db.models.fields.files import FieldFile


@contextmanager
def local_path(file: FieldFile) -> Iterator[Path]:
    """The stored file's path on this machine; a temporary copy when the storage is elsewhere."""
    try:
        path = Path(file.path)
    except NotImplementedError:
        path = None
    if path is not None:
        yield path
        return
    with (
        NamedTemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR) as copy,
        file.storage.open(file.name, "rb") as source,
    ):
        copyfileobj(source, copy, 1024 * 1024)
        copy.flush()
        yield Path(copy.name)
