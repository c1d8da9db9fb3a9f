"""Serves pictures and meshes to whoever may read (the middleware has asked already)."""

import mimetypes
from pathlib import PurePosixPath

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest
from django.utils.http import http_date

# A file's name holds its content's hash or its recipe's, so what a name says never changes.
FOREVER = "private, max-age=31536000, immutable"
# Shown in the browser; everything else is offered as a download, whatever it claims to be.
SHOWN = {".webp": "image/webp", ".png": "image/png", ".jpg": "image/jpeg"}


def media(request: HttpRequest, path: str) -> FileResponse:
    try:
        file = default_storage.open(path, "rb")
        changed = default_storage.get_modified_time(path)
    except (OSError, SuspiciousFileOperation) as error:
        raise Http404(path) from error
    suffix = PurePosixPath(path).suffix.lower()
    shown = SHOWN.get(suffix)
    response = FileResponse(
        file,
        as_attachment=shown is None,
        filename=request.GET.get("name") or PurePosixPath(path).name,
        content_type=shown or mimetypes.types_map.get(suffix, "application/octet-stream"),
    )
    response["Cache-Control"] = FOREVER
    response["Last-Modified"] = http_date(changed.timestamp())
    response["X-Content-Type-Options"] = "nosniff"
    return response
