"""What environment variables say, in the forms that the settings take."""

import os
import re
import secrets
import tempfile
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfoNotFoundError

import tzlocal
from django.core.exceptions import ImproperlyConfigured

from stlcatalog.config import ConfigError


def flag(name: str, *, default: bool) -> bool:
    """An environment variable read as yes or no."""
    value = os.environ.get(name, "").strip().lower()
    return default if not value else value not in {"0", "no", "off", "false"}


def device(value: str) -> str:
    """Where the large engines run: "" for what the configuration says."""
    value = value.strip().lower()
    if re.fullmatch(r"(auto|cpu|mps|cuda(:\d+)?)?", value):
        return value
    raise ConfigError(f"STLCATALOG_DEVICE is {value}; write auto, cpu, mps, cuda or cuda:1")


def loopback(host: str) -> bool:
    """Whether an address is reachable from this machine only."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def secret_key(path: Path) -> str:
    """The key in `STLCATALOG_SECRET_KEY`, else the one kept in a file only its owner can read."""
    if key := os.environ.get("STLCATALOG_SECRET_KEY"):
        return key
    if not path.exists():
        # Written aside and linked: of two processes that start at once, one gives the key, and
        # the other reads it whole.
        descriptor, written = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(50))
        with suppress(FileExistsError):
            os.link(written, path)
        Path(written).unlink()
    return path.read_text(encoding="ascii")


def time_zone() -> str:
    """Which zone times are shown in: TZ's, else the machine's, so that a clock on a page is right.

    UTC where the machine's has no name that the zone files know.
    """
    try:
        return os.environ.get("TZ") or tzlocal.get_localzone_name() or "UTC"
    except (ZoneInfoNotFoundError, OSError):
        return "UTC"


def choice(name: str, values: tuple[str, ...]) -> str:
    """An environment variable that is one of these, the first when it is not set."""
    value = os.environ.get(name, "").strip().lower() or values[0]
    if value not in values:
        raise ImproperlyConfigured(f"{name}={value} is none of {', '.join(values)}.")
    return value


def mail_server(address: str) -> dict[str, object]:
    """Django's settings for smtp://user:password@host:port (smtp+tls: STARTTLS, smtps: TLS); ""
    writes to the log of the worker instead."""
    if not address:
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    parts = urlsplit(address)
    usual = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
    if parts.scheme not in usual or not parts.hostname:
        raise ImproperlyConfigured("EMAIL_URL is smtp://, smtp+tls:// or smtps:// and a host.")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or usual[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": 10,
    }


def bucket_origin(bucket: str, *, endpoint: str | None, region: str | None) -> str:
    """Where a browser that follows a signed address goes."""
    if endpoint:
        parts = urlsplit(endpoint)
        return f"{parts.scheme}://{parts.netloc}"
    return f"https://{bucket}.s3.{f'{region}.' if region else ''}amazonaws.com"
