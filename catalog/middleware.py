"""What every request passes before a view sees it."""

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from catalog import meters
from catalog.doors import may_read, way_in
from catalog.refusals import refusal

log = logging.getLogger(__name__)

Handler = Callable[[HttpRequest], HttpResponse]

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# For machines: a login page would be no answer.
NO_PAGES = ("/media/", "/metrics")
# Answered to anyone: what a login page needs, and what a probe asks.
OPEN_PATHS = ("/login", "/logout", "/language", "/static/", "/healthz", "/readyz", "/jsi18n")
# Doors that ask for themselves.
OWN_DOORS = ("/api/", "/admin/")


class MeterMiddleware:
    """Counts and times every request by the view that answered it (catalog/meters.py)."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        start = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        # An address is anybody's invention, a view's name is ours.
        view = (match.view_name or "unnamed") if match else "none"
        method = request.method if request.method in METHODS else "other"
        try:
            meters.request_seen(
                view=view,
                method=str(method),
                status=response.status_code,
                seconds=time.perf_counter() - start,
            )
        except OSError as error:
            log.warning("a request was not counted: %s", error)
        return response


class ContentLimitMiddleware:
    """Refuses a body larger than any of its kind may be before a byte of it is read.

    Files come in multipart forms, which are read to the disk; all else is read into memory.
    """

    MEGABYTE = 1024 * 1024

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if request.content_type == "multipart/form-data":
            most = settings.SEARCH.limits.upload_mb
            fields = 1  # room for the other fields of the form
        else:
            most, fields = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // self.MEGABYTE, 0
        if not length.isdigit() or int(length) > (most + fields) * self.MEGABYTE:
            message = _("This is larger than %(limit)s MB, the most that can be sent.") % {
                "limit": most
            }
            if request.path.startswith("/api/"):
                return refusal("too_large", message, 413)
            return render(request, "413.html", {"message": message}, status=413)
        return self.get_response(request)


class RetryAfterMiddleware:
    """Says with every "not now" (503) when to ask again."""

    SECONDS = "5"

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 503 and "Retry-After" not in response:
            response["Retry-After"] = self.SECONDS
        return response


class ButtonMiddleware:
    """Who visits the address of a button (405) is told so: Django's own answer is a blank page."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 405 or request.path.startswith("/api/"):
            return response
        sentence = _(
            "This address only takes what a button sends. Go back to the page, press it there."
        )
        context = {"sentence": sentence, "status": 405}
        told = render(request, "error.html", context, status=405)
        told["Allow"] = response["Allow"]
        return told


class DoorMiddleware:
    """Pages and pictures are for those who may read; others are shown the way in."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path
        if path.startswith(OPEN_PATHS) or path.startswith(OWN_DOORS) or may_read(request):
            return self.get_response(request)
        if path.startswith(NO_PAGES) or "Authorization" in request.headers:
            return refusal("not_authenticated", _("Log in, or send a token."), 401)
        return way_in(request)
