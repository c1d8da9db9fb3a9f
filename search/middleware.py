"""What every request passes on its way to a search."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from search.lifecycle.selection import selection_pinned


class SelectionMiddleware:
    """One request sees one selection of engines, however it is switched meanwhile."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with selection_pinned():
            return self.get_response(request)
