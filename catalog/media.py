"""Serves pictures and meshes to whoever may read (the middleware has asked already)."""

import mimetypes
from pathlib import PurePosixPath

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import default_storage
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.utils.http import content_disposition_header, http_date

from catalog.errors import sentence
from catalog.refusals import refusal

# A file's name holds its content's hash or its recipe's, so what a name says never changes.
FOREVER = "private, max-age=31536000, immutable"
# Well before a signature runs out.
BRIEFLY = "private, max-age=600"
# Shown in the browser; everything else is offered as a download, whatever it claims to be.
SHOWN = {".webp": "image/webp", ".png": "image/png", ".jpg": "image/jpeg"}
# Read by scripts (the viewer, the brush of inspections), which the page allows nothing but this
# server.
BY_SCRIPT = ("preview.stl", ".heat", "-mask.png")
# What people asked with is the staff's to see.
FOR_STAFF = "asked"


def media(request: HttpRequest, path: str) -> HttpResponseBase:
    """The file, from the disk or through us from the bucket, or the way to it there."""
    pure = PurePosixPath(path)
    # The storage follows dots: what they lead to is not what the first folder says.
    if ".." in pure.parts or (pure.parts[:1] == (FOR_STAFF,) and not request.user.is_staff):
        raise Http404(path)
    shown = SHOWN.get(pure.suffix.lower())
    filename = request.GET.get("name") or pure.name
    try:
        if getattr(default_storage, "signed", False) and not pure.name.endswith(BY_SCRIPT):
            address = default_storage.signed_url(path, shown=shown, filename=filename)
            return HttpResponseRedirect(address, headers={"Cache-Control": BRIEFLY})
        return _file(path, shown=shown, filename=filename)
    except ConnectionError:
        return refusal("storage_away", sentence("storage_away", {}), 503)
    except (OSError, ValueError, SuspiciousFileOperation) as error:
        raise Http404(path) from error


def _file(path: str, *, shown: str | None, filename: str) -> HttpResponseBase:
    kind = shown or mimetypes.types_map.get(
        PurePosixPath(path).suffix.lower(), "application/octet-stream"
    )
    response: StreamingHttpResponse
    if hasattr(default_storage, "stream"):
        stream = default_storage.stream(path)
        changed = stream.changed
        response = StreamingHttpResponse(stream.chunks, content_type=kind)
        response["Content-Length"] = stream.size
        disposition = content_disposition_header(shown is None, filename)
        if disposition:
            response["Content-Disposition"] = disposition
    else:
        file = default_storage.open(path, "rb")
        changed = default_storage.get_modified_time(path)
        response = FileResponse(
            file, as_attachment=shown is None, filename=filename, content_type=kind
        )
    response["Cache-Control"] = FOREVER
    response["Last-Modified"] = http_date(changed.timestamp())
    response["X-Content-Type-Options"] = "nosniff"
    return response
