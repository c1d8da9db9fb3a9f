"""Stored files, wherever the storage keeps them, for libraries that want a path."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj
from tempfile import NamedTemporaryFile

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
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


def bytes_keep(name: str, data: bytes) -> str:
    """Keep the bytes under this name, in place of what it held; the name they have.

    It is another one only when somebody else wrote the same name at the same time.
    """
    # A bucket overwrites by itself; a folder would find another name.
    if not getattr(default_storage, "file_overwrite", False) and default_storage.exists(name):
        default_storage.delete(name)
    return str(default_storage.save(name, ContentFile(data)))
