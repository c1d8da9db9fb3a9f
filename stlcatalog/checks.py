"""What `manage.py check` says of this installation, in words its owner can act on."""

import os
import sqlite3
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register


@register(Tags.security, deploy=True)
def hosts_named(**kwargs: Any) -> list[CheckMessage]:
    if settings.ALLOWED_HOSTS != ["*"]:
        return []
    return [
        Warning(
            "Any Host header is accepted.",
            hint="Set STLCATALOG_ALLOWED_HOSTS to the names people reach this server by.",
            id="stlcatalog.W001",
        )
    ]


@register()
def weights_present(**kwargs: Any) -> list[CheckMessage]:
    """The weights of the engines of `use` are there; checksums are checked when they are loaded.

    Others are asked for when they are installed, and those the staff chose by `engines_fit`.
    """
    used = settings.SEARCH.use or settings.SEARCH.engines
    return [
        Error(
            f"The engine “{name}” has no weights at {settings.BASE / engine.weights}.",
            hint="Restore models/ from the repository, or name another folder in search.yaml.",
            id="stlcatalog.E001",
        )
        for name, engine in settings.SEARCH.engines.items()
        if engine.encoder == "mini"
        and name in used
        and not (settings.BASE / engine.weights / "manifest.json").is_file()
    ]


@register()
def data_writable(**kwargs: Any) -> list[CheckMessage]:
    if os.access(settings.DATA, os.W_OK):
        return []
    return [Error(f"{settings.DATA} cannot be written to.", id="stlcatalog.E002")]


@register(Tags.database)
def sqlite_recent(**kwargs: Any) -> list[CheckMessage]:
    if sqlite3.sqlite_version_info >= (3, 35):
        return []
    return [Error(f"SQLite {sqlite3.sqlite_version} is too old: 3.35.", id="stlcatalog.E003")]


@register(Tags.database)
def engines_fit(databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """The engines in use make the vectors they were chosen with; `serve` asks at its start."""
    from django.db import DatabaseError

    from search.lifecycle import selection

    if not databases:
        return []
    try:
        found = selection.faults()
    except DatabaseError:
        return []  # the table is made by the next migration
    return [Error(sentence, obj=name, id="stlcatalog.E004") for name, sentence in found]
