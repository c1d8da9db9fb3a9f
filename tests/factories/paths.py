"""What can be asked for: every view under /api/, from the URLs themselves."""

import re
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver


def api_views() -> list[tuple[str, Any]]:
    """(pattern, view class) of every endpoint."""
    found = []

    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> None:
        for pattern in patterns:
            path = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, path)
            elif path.lstrip("^").startswith("api/"):
                found.append((path, pattern.callback.view_class))

    walk(get_resolver().url_patterns, "")
    return found


def api_paths() -> set[str]:
    """Paths as the schema writes them, without the slash at their end."""
    paths = {re.sub(r"\(\?P<(\w+)>[^/]*\)", r"{\1}", path) for path, _view in api_views()}
    paths = {"/" + path.replace("^", "").replace("/?$", "").replace("$", "") for path in paths}
    return {path for path in paths if path not in {"/api/schema", "/api/docs", "/api/.*"}}
