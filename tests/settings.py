"""The product's settings with a data folder of the run's own. Nothing real is faked."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_data = tempfile.mkdtemp(prefix="stlcatalog-tests-")
atexit.register(shutil.rmtree, _data, ignore_errors=True)
os.environ["STLCATALOG_DATA"] = _data
os.environ["TZ"] = "UTC"  # not the zone of whoever runs them
os.environ.pop("DATABASE_URL", None)
for _name in ("CELERY_BROKER_URL", "CACHE_URL"):
    os.environ.pop(_name, None)
    if _url := os.environ.get(f"TEST_{_name}"):
        os.environ[_name] = _url
# Compiled code is the same for every run: kept between them, where `make run` keeps it.
os.environ.setdefault(
    "NUMBA_CACHE_DIR", str(Path(__file__).resolve().parent.parent / "var" / "cache" / "numba")
)

from stlcatalog.settings import *  # noqa: E402, F403

if url := os.environ.get("TEST_DATABASE_URL"):
    DATABASES = {"default": dj_database_url.parse(url)}  # noqa: F405
else:
    # A file, not memory: tests with threads and processes see what users would.
    DATABASES["default"]["TEST"] = {"NAME": str(Path(_data) / "test.sqlite3")}  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {  # noqa: F405
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
