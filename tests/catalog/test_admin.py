"""Staff who may only look can change nothing in the admin, by no action of it."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client

from catalog import services
from catalog.models import ApiToken, Category, Part, PipelineStep, Suggestion
from search.models import Snapshot, Space

pytestmark = pytest.mark.django_db


@pytest.fixture
def looker(django_user_model) -> Client:
    user = django_user_model.objects.create_user("looker", password="a long word", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client = Client()
    client.force_login(user)
    return client


def send(client: Client, action: str, part: Part) -> Part:
    body = {"action": action, "_selected_action": [part.pk]}
    assert client.post("/admin/catalog/part/", body).status_code in {200, 302}
    part.refresh_from_db()
    return part


def test_who_may_only_look_cannot_act(looker, stl) -> None:
    part, _created = services.part_upload(file=stl())
    assert looker.get("/admin/catalog/part/").status_code == 200
    assert send(looker, "to_trash", part).deleted_at is None


def test_who_may_change_parts_can(logged_in, stl) -> None:
    part, _created = services.part_upload(file=stl())
    assert send(logged_in, "to_trash", part).deleted_at is not None
    body = {"action": "restore", "_selected_action": [part.pk]}
    assert logged_in.post("/admin/catalog/part/?trash=1", body).status_code == 302
    part.refresh_from_db()
    assert part.deleted_at is None


@pytest.mark.parametrize(
    "model", [ApiToken, Category, Part, PipelineStep, Suggestion, Snapshot, Space]
)
def test_every_action_of_ours_asks_for_a_permission_to_write(model, rf, looker) -> None:
    model_admin = admin.site.get_model_admin(model)
    request = rf.get("/")
    request.user = looker.get("/admin/").wsgi_request.user
    assert set(model_admin.get_actions(request)) == set()
    assert (
        looker.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/").status_code == 200
    )
