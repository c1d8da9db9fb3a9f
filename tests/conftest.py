"""Fixtures that many rooms' tests share."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.utils import translation
from hypothesis import settings as hypothesis_settings
from rest_framework.test import APIClient

from tests.factories import meshes
from tests.factories.work import queue_clear, work_off

# A law holds or not; how long its first case takes is the business of the machine and its imports.
hypothesis_settings.register_profile("house", deadline=None)
hypothesis_settings.load_profile("house")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """A database without what migrations sow: such as every test leaves it that commits.

    Otherwise the first of them alone would meet the shipped glossary.
    """
    with django_db_blocker.unblock():
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture(autouse=True)
def clean_state() -> Iterator[None]:
    """Every test starts with an empty queue and cache, no index and no glossary in memory.

    And in the language of the settings: a request leaves its own active in the thread.
    """
    from search.evaluation.logs import _writer
    from search.glossary import _glossary
    from search.indices import _held

    translation.deactivate()
    cache.clear()
    queue_clear()
    _held.cache_clear()
    _glossary.cache_clear()
    yield
    _writer.drain()  # before the database is emptied


@pytest.fixture
def staff(django_user_model: Any) -> Any:
    return django_user_model.objects.create_superuser("admin", password="a long enough word")


@pytest.fixture
def api() -> APIClient:
    """A client that has come without a token."""
    return APIClient()


@pytest.fixture
def token_client(db: None) -> Callable[..., APIClient]:
    """Makes a client that comes with a token of these scopes."""
    from catalog.services import token_create

    def make(*scopes: str) -> APIClient:
        _token, key = token_create(name="test", scopes=scopes)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
        return client

    return make


@pytest.fixture
def writer(token_client: Callable[..., APIClient]) -> APIClient:
    return token_client("read", "write")


@pytest.fixture
def logged_in(staff: Any) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def stl() -> Callable[..., SimpleUploadedFile]:
    """Makes an upload: a binary STL of the given triangles, a box without them."""

    def make(triangles: Any = None, name: str = "box.stl") -> SimpleUploadedFile:
        triangles = meshes.box() if triangles is None else triangles
        return SimpleUploadedFile(name, meshes.stl_binary(triangles))

    return make


@pytest.fixture
def work() -> Callable[[], int]:
    """Does what is queued, as a worker would, in this process."""
    return work_off
