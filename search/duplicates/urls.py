"""The paths of duplicates: their page, and under /api/ their REST doors."""

from django.urls import re_path

from search.duplicates import api as api_duplicates
from search.duplicates import pages as pages_duplicates

urlpatterns = [
    re_path(
        r"^api/duplicates/?$", api_duplicates.DuplicateListApi.as_view(), name="api_duplicates"
    ),
    re_path(
        r"^api/duplicates/(?P<pair_id>\d{1,18})/?$",
        api_duplicates.DuplicateApi.as_view(),
        name="api_duplicate",
    ),
    re_path(r"^duplicates/?$", pages_duplicates.duplicate_list, name="duplicates"),
    re_path(
        r"^duplicates/(?P<pk>\d{1,18})/?$",
        pages_duplicates.duplicate_decide,
        name="duplicate_decide",
    ),
]
