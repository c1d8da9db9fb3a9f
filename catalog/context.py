"""What every template knows of the site."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    search, limits = settings.SEARCH.search, settings.SEARCH.limits
    return {
        "site": {
            "version": settings.VERSION,
            "reading_open": settings.READING_OPEN,
            "default_k": search.default_k,
            "max_k": search.max_k,
            "limits": limits,
        }
    }
