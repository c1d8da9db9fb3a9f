"""Django's settings. Facts of a deployment come from the environment: docs/deployment.md.

All state lives under one folder, `DATA` (`STLCATALOG_DATA`, else `var/` beside this repository).
"""

import os
import platform
from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from stlcatalog.config import config_load
from stlcatalog.environment import (
    bucket_origin,
    choice,
    device,
    flag,
    loopback,
    mail_server,
    secret_key,
    time_zone,
)

BASE = Path(__file__).resolve().parent.parent

# Where things are --------------------------------------------------------------------------------

DATA = Path(os.environ.get("STLCATALOG_DATA") or BASE / "var").resolve()
for folder in ("media", "broker/queue", "broker/control", "broker/box", "tmp", "cache/numba"):
    (DATA / folder).mkdir(parents=True, exist_ok=True)
# Numba writes its compiled code beside the source unless told otherwise, and the source may be
# read-only; set here since every door passes through the settings before it imports Numba.
os.environ.setdefault("NUMBA_CACHE_DIR", str(DATA / "cache" / "numba"))

# Every process here does one thing at a time and there is one process a core: threads inside the
# numeric libraries would only make them wait for each other.
for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

SEARCH = config_load(Path(os.environ.get("STLCATALOG_CONFIG") or BASE / "config" / "search.yaml"))
MODELS = BASE / "models"
WEIGHTS = DATA / "weights"  # of the large engines, as manage.py engine_fetch brings them
DEVICE = device(os.environ.get("STLCATALOG_DEVICE", ""))
INDICES = Path(os.environ.get("STLCATALOG_INDICES") or DATA / "indices")

# Who may come in ---------------------------------------------------------------------------------

HOST = os.environ.get("HOST") or "127.0.0.1"
DEBUG = flag("STLCATALOG_DEBUG", default=False)
SECRET_KEY = secret_key(DATA / "secret_key")
# Bound to loopback, a catalogue is as private as the machine: anyone on it may read. Bound to any
# other address, everything needs a login, unless the owner opens reading.
READING_OPEN = flag("STLCATALOG_OPEN_READING", default=loopback(HOST))
HTTPS = flag("STLCATALOG_HTTPS", default=False)
_hosts = os.environ.get("STLCATALOG_ALLOWED_HOSTS", "").replace(",", " ").split()
ALLOWED_HOSTS = _hosts or (["localhost", "127.0.0.1", "[::1]"] if loopback(HOST) else ["*"])
CSRF_TRUSTED_ORIGINS = os.environ.get("STLCATALOG_ORIGINS", "").replace(",", " ").split()
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "worker-src": ["'self'", "blob:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# The program -------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "catalog",
    "search",
    "workers",
    "stlcatalog",
]
MIDDLEWARE = [
    "catalog.middleware.MeterMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "catalog.middleware.RetryAfterMiddleware",
    "catalog.middleware.ContentLimitMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "catalog.middleware.ButtonMiddleware",
    "catalog.middleware.DoorMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "search.middleware.SelectionMiddleware",
]
ROOT_URLCONF = "stlcatalog.urls"
WSGI_APPLICATION = "stlcatalog.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "catalog.context.site",
            ],
        },
    }
]
APPEND_SLASH = False  # paths work with and without the slash: a redirect would lose a POST's body

# Data --------------------------------------------------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": dj_database_url.config(
        default=f"sqlite:///{DATA / 'catalog.sqlite3'}", conn_max_age=600, conn_health_checks=True
    )
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 30,
        # A transaction that reads and then writes takes the write lock at once, so that waiting
        # (timeout) works; a deferred one would fail with "database is locked" without waiting.
        "transaction_mode": "IMMEDIATE",
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
            "PRAGMA cache_size=-32000; PRAGMA mmap_size=268435456; PRAGMA foreign_keys=ON;"
        ),
    }
CACHES = {
    "default": {
        "BACKEND": "stlcatalog.cache.ForgivingRedisCache",
        "LOCATION": os.environ["CACHE_URL"],
    }
    if os.environ.get("CACHE_URL")
    else {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}
MEDIA_ROOT = DATA / "media"
MEDIA_URL = "/media/"
FILE_UPLOAD_TEMP_DIR = DATA / "tmp"
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 1000
STATIC_URL = "/static/"
STATIC_ROOT = Path(os.environ.get("STLCATALOG_STATIC") or DATA / "static")
STATICFILES_DIRS = [BASE / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# Media in a bucket. Keys come the ways boto3 knows: AWS_ACCESS_KEY_ID, a profile, a machine's role.
if _bucket := os.environ.get("STLCATALOG_S3_BUCKET"):
    _endpoint = os.environ.get("STLCATALOG_S3_ENDPOINT") or None
    _region = os.environ.get("STLCATALOG_S3_REGION") or None
    _urls = choice("STLCATALOG_S3_URLS", ("proxied", "signed"))
    STORAGES["default"] = {
        "BACKEND": "catalog.storage.S3Media",
        "OPTIONS": {
            "bucket_name": _bucket,
            "endpoint_url": _endpoint,
            "region_name": _region,
            "location": os.environ.get("STLCATALOG_S3_PREFIX", ""),
            "signed": _urls == "signed",
            # A server of one's own seldom has a name for each bucket.
            "path_style": bool(_endpoint),
        },
    }
    if _urls == "signed":
        CONTENT_SECURITY_POLICY["DIRECTIVES"]["img-src"].append(
            bucket_origin(_bucket, endpoint=_endpoint, region=_region)
        )

# Work --------------------------------------------------------------------------------------------

CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 900
# With one, a process that finished would wait for the next poll of the broker for its next part.
CELERY_WORKER_PREFETCH_MULTIPLIER = 4
CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL") or "filesystem://"
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        "data_folder_in": str(DATA / "broker" / "queue"),
        "data_folder_out": str(DATA / "broker" / "queue"),
        "control_folder": str(DATA / "broker" / "control"),
        "polling_interval": 0.1,
        "quick_queues": ["encode"],
        "quick_interval": 0.002,
    }
    if CELERY_BROKER_URL.startswith("filesystem:")
    else {
        # A message unanswered for so long is given to another worker: longer than any can be held,
        # which is until those fetched before it are done.
        "visibility_timeout": CELERY_TASK_TIME_LIMIT * (CELERY_WORKER_PREFETCH_MULTIPLIER + 1),
        "priority_steps": [0, 3, 6, 9],
        "socket_connect_timeout": 5,
        "socket_timeout": 30,
        "socket_keepalive": True,
        "health_check_interval": 30,
    }
)
# Who encodes queries: this process, or the workers of the queue `encode`.
SEARCH_ENCODERS = choice("SEARCH_ENCODERS", ("local", "remote"))
# Where questions to them and their answers lie (catalog/box.py).
ANSWERS_URL = f"file://{DATA / 'broker' / 'box'}"
if not CELERY_BROKER_URL.startswith("filesystem:"):
    ANSWERS_URL = (
        CELERY_BROKER_URL
        if CELERY_BROKER_URL.startswith(("redis:", "rediss:"))
        else os.environ.get("CACHE_URL", "")
    )
    if SEARCH_ENCODERS == "remote" and not ANSWERS_URL:
        raise ImproperlyConfigured("SEARCH_ENCODERS=remote needs Redis: set CACHE_URL.")
CELERY_WORKER_MAX_TASKS_PER_CHILD = 2000
# KiB. A process that holds more begins anew after its task: the largest networks need more.
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 1000 * int(os.environ.get("STLCATALOG_WORKER_MB") or 2000)
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = "ingest"
CELERY_TASK_DEFAULT_PRIORITY = 3  # SOON, of catalog/queue.py
# The queue of the workers that embed, perhaps on a machine with a graphics card; none: the workers
# that draw a part embed it too.
EMBED_QUEUE = os.environ.get("STLCATALOG_EMBED_QUEUE", "").strip()
# What would keep an upload waiting has a queue of its own.
CELERY_TASK_ROUTES = {
    name: {"queue": "index"}
    for name in (
        "workers.index_compact",
        "workers.suggestions_refresh",
        "workers.suggestions_renew",
        "workers.engine_remove",
        "workers.evaluation_work",
        "workers.duplicates_refresh",
        "workers.duplicates_left",
        "workers.parts_prepare",
        "workers.batch_read",
        "workers.inspection_learn",
        "workers.inspection_simulate",
        "workers.inspection_tell",
        "workers.inspection_notice",
    )
} | {
    "workers.query_encode": {"queue": "encode"},
    # Somebody waits for it, and must not wait behind a thousand uploads.
    "workers.inspection_run": {"queue": "inspect"},
    "workers.part_embed": {"queue": EMBED_QUEUE or "ingest"},
    "workers.engine_fill": {"queue": EMBED_QUEUE or "index"},
}
# Each process counts in a file of its own here, and knows the others' by their numbers: processes
# of other machines (or containers) that share the data folder have theirs beside it.
# Prometheus's client looks for the folder when it is first imported, whoever does that.
METRICS = Path(
    os.environ.setdefault(
        "PROMETHEUS_MULTIPROC_DIR", str(DATA / "metrics" / (platform.node() or "here"))
    )
)
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "workers.parts_sweep", "schedule": 60.0, "options": {"expires": 55}},
}

# Who is told of inspections ----------------------------------------------------------------------

# What the server is called from outside, for links: https://catalog.example
SITE_URL = os.environ.get("STLCATALOG_URL", "").rstrip("/")
ALERT_TO = os.environ.get("STLCATALOG_ALERT_TO", "").replace(",", " ").split()
DEFAULT_FROM_EMAIL = os.environ.get("STLCATALOG_MAIL_FROM") or "stlcatalog@localhost"
globals().update(mail_server(os.environ.get("EMAIL_URL", "")))
# A webhook's address may lead to this machine or its own network.
WEBHOOKS_PRIVATE = flag("STLCATALOG_WEBHOOKS_PRIVATE", default=False)

# API ---------------------------------------------------------------------------------------------

VERSION = (BASE / "VERSION").read_text(encoding="utf-8").strip()
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "catalog.doors.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PARSER_CLASSES": [
        "catalog.inputs.JsonParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["catalog.doors.ScopePermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "catalog.refusals.exception_handle",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "STL Catalog",
    "DESCRIPTION": "Find parts by picture, by words, by both, or by another mesh.",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_PERMISSIONS": ["catalog.doors.ScopePermission"],
    "SCHEMA_PATH_PREFIX": "/api",
}

# Languages ---------------------------------------------------------------------------------------

LANGUAGE_CODE = os.environ.get("STLCATALOG_LANGUAGE") or "en"
LANGUAGES = [("en", _("English")), ("zh-hant", _("Traditional Chinese"))]
LOCALE_PATHS = [BASE / "locale"]
# A TrueType file that reports set Chinese in; none: the one that is shipped.
PDF_FONT = os.environ.get("STLCATALOG_PDF_FONT", "").strip()
TIME_ZONE = time_zone()
USE_TZ = True
FORMAT_MODULE_PATH = "stlcatalog.formats"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    # A refused request is in its answer; the log is for what went wrong on our side.
    # The file-system broker has no host to name, and kombu would say so at every connection.
    # faiss tells of each processor that it was not built for, as if something were missing.
    "loggers": {
        "django.request": {"level": "ERROR"},
        "kombu.connection": {"level": "ERROR"},
        "faiss.loader": {"level": "WARNING"},
    },
    "root": {"handlers": ["stderr"], "level": os.environ.get("STLCATALOG_LOG_LEVEL") or "INFO"},
}
