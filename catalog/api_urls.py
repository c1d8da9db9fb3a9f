"""The catalogue's paths under /api/, with and without the trailing slash."""

from django.urls import re_path

from catalog import api

UUID = r"(?P<uuid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"

urlpatterns = [
    re_path(r"^parts/?$", api.PartListApi.as_view(), name="api_parts"),
    re_path(rf"^parts/{UUID}/?$", api.PartDetailApi.as_view(), name="api_part"),
    re_path(rf"^parts/{UUID}/restore/?$", api.PartRestoreApi.as_view(), name="api_part_restore"),
    re_path(rf"^parts/{UUID}/retry/?$", api.PartRetryApi.as_view(), name="api_part_retry"),
    re_path(r"^categories/?$", api.CategoryListApi.as_view(), name="api_categories"),
]
