"""Media in an S3 bucket: the same private files, with no path on this machine.

Addresses stay `/media/…`, so that whoever may not read is refused there as with local files; the
door then streams from the bucket, or sends the reader on with a signature that soon runs out.
"""

import mimetypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, ClassVar

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.utils.encoding import filepath_to_uri
from django.utils.http import content_disposition_header
from storages.backends.s3 import S3Storage

CHUNK = 256 * 1024
MEMORY_MOST = 8 * 1024 * 1024  # of an opened file; a larger one lies in a temporary file
MISSING = ("404", "NoSuchKey", "NotFound")


@dataclass(frozen=True)
class Stream:
    """A file on its way: its bytes in chunks, how many there are, when it was written."""

    chunks: Iterator[bytes]
    size: int
    changed: datetime


def as_os_error(call: Callable[..., Any]) -> Callable[..., Any]:
    """What goes wrong on the way to the bucket is an OSError, as it is with a disk; a bucket that
    does not answer, a ConnectionError."""

    @wraps(call)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except ClientError as error:
            kind = FileNotFoundError if error.response["Error"]["Code"] in MISSING else OSError
            raise kind(str(error)) from error
        except BotoCoreError as error:
            raise ConnectionError(str(error)) from error

    return wrapped


class S3Media(S3Storage):
    """Names are of their content or recipe, so writing one again writes the same."""

    SIGNED_S: ClassVar[int] = 3600

    def __init__(self, *, signed: bool = False, path_style: bool = False, **options: Any) -> None:
        self.signed = signed
        client = Config(
            s3={"addressing_style": "path" if path_style else "virtual"},
            signature_version="s3v4",
            connect_timeout=5,
            read_timeout=30,
            retries={"max_attempts": 3},
            # Other servers than Amazon's do not all know the checksums boto3 adds by itself.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        super().__init__(
            **{
                "client_config": client,
                "default_acl": None,  # the bucket's own rules: private unless it says otherwise
                "file_overwrite": True,
                "max_memory_size": MEMORY_MOST,
                **options,
            }
        )

    open = as_os_error(S3Storage.open)
    save = as_os_error(S3Storage.save)
    delete = as_os_error(S3Storage.delete)
    exists = as_os_error(S3Storage.exists)
    size = as_os_error(S3Storage.size)
    listdir = as_os_error(S3Storage.listdir)
    get_modified_time = as_os_error(S3Storage.get_modified_time)

    def url(self, name: str, *args: Any, **kwargs: Any) -> str:
        return settings.MEDIA_URL + filepath_to_uri(name).lstrip("/")

    @as_os_error
    def stream(self, name: str) -> Stream:
        """The file's bytes as they come from the bucket. Raises OSError."""
        answer = self._client().get_object(Bucket=self.bucket_name, Key=self._key(name))
        return Stream(
            chunks=answer["Body"].iter_chunks(CHUNK),
            size=answer["ContentLength"],
            changed=answer["LastModified"],
        )

    def signed_url(self, name: str, *, shown: str | None, filename: str) -> str:
        """An address in the bucket that is good for `SIGNED_S`: to be shown as a picture of this
        type, or offered as a download."""
        kind = shown or mimetypes.guess_type(name)[0] or "application/octet-stream"
        params = {
            "Bucket": self.bucket_name,
            "Key": self._key(name),
            "ResponseContentType": kind,
            "ResponseContentDisposition": content_disposition_header(shown is None, filename)
            or "inline",
        }
        return str(
            self._client().generate_presigned_url(
                "get_object", Params=params, ExpiresIn=self.SIGNED_S
            )
        )

    def _client(self) -> Any:
        return self.connection.meta.client

    def _key(self, name: str) -> str:
        """The name under the prefix. Raises SuspiciousFileOperation for one that leaves it."""
        return str(self._normalize_name(name.replace("\\", "/")))
