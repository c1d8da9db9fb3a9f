"""Probes for whoever keeps the service running, and the pages for when something is wrong."""

import sys
from typing import Any

from django.core.files.storage import default_storage
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from catalog.errors import sentence
from catalog.refusals import DATABASE_AWAY, refusal
from search.lifecycle import selection
from search.remote import client as remote


def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"ok": True})


def readyz(request: HttpRequest) -> JsonResponse:
    """The process can do its work: the database and the storage answer, and the engines in use
    make the vectors they were chosen with."""
    checks = {"database": True, "storage": True, "engines": True}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        checks["engines"] = not selection.faults()
    except DatabaseError:
        checks["database"] = checks["engines"] = False
    try:
        default_storage.exists("meshes")
    except OSError:
        checks["storage"] = False
    ready = all(checks.values())
    if remote.is_remote():
        # Said, but not asked of a server to be ready: words are searched without.
        checks["encoders"] = remote.is_answered()
    return JsonResponse({"ok": ready, **checks}, status=200 if ready else 503)


def _page(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        return refusal(code, message, status)
    return render(request, f"{status}.html", {"message": message}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 400, "bad_request", _("The request cannot be understood."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 403, "forbidden", _("You may not do this."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 404, "not_found", _("There is nothing here."))


def server_error(request: HttpRequest, *args: Any) -> HttpResponse:
    if isinstance(sys.exception(), DATABASE_AWAY):
        says = sentence("database_away", {})
        if request.path.startswith("/api/"):
            return refusal("database_away", says, 503)
        return render(request, "500.html", {"status": 503, "message": says}, status=503)
    return _page(request, 500, "internal", _("Something went wrong on our side."))
