"""The catalogue's pages and the ways in and out, with and without the trailing slash."""

from django.contrib.auth.views import LogoutView
from django.urls import re_path
from django.views.i18n import set_language

from catalog import pages
from catalog.api_urls import UUID

urlpatterns = [
    re_path(r"^parts/?$", pages.part_list, name="part_list"),
    re_path(rf"^parts/{UUID}/?$", pages.part_detail, name="part_detail"),
    re_path(rf"^parts/{UUID}/progress/?$", pages.part_progress, name="part_progress"),
    re_path(rf"^parts/{UUID}/edit/?$", pages.part_edit, name="part_edit"),
    re_path(rf"^parts/{UUID}/unit/?$", pages.part_unit, name="part_unit"),
    re_path(rf"^parts/{UUID}/delete/?$", pages.part_delete, name="part_delete"),
    re_path(rf"^parts/{UUID}/restore/?$", pages.part_restore, name="part_restore"),
    re_path(rf"^parts/{UUID}/retry/?$", pages.part_retry, name="part_retry"),
    re_path(
        r"^suggestions/(?P<pk>\d{1,18})/(?P<answer>accept|reject)/?$",
        pages.suggestion_answer,
        name="suggestion_answer",
    ),
    re_path(r"^trash/?$", pages.trash, name="trash"),
    re_path(r"^upload/?$", pages.part_upload, name="part_upload"),
    re_path(r"^login/?$", pages.Login.as_view(), name="login"),
    re_path(r"^logout/?$", LogoutView.as_view(), name="logout"),
    re_path(r"^language/?$", set_language, name="set_language"),
]
