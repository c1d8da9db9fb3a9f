"""The search pages' paths, with and without the trailing slash."""

from django.urls import re_path

from catalog.api_urls import UUID
from search import pages

urlpatterns = [
    re_path(r"^$", pages.search, name="search"),
    re_path(rf"^parts/{UUID}/similar/?$", pages.part_similar, name="part_similar"),
]
