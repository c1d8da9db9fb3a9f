"""The search pages' paths, with and without the trailing slash."""

from django.urls import include, path, re_path

from catalog.api_urls import UUID
from search import pages
from search.evaluation import pages as pages_judging
from search.explanation import pages as why

urlpatterns = [
    re_path(r"^$", pages.search, name="search"),
    path("", include("search.inspection.page_urls")),
    re_path(r"^judge/?$", pages_judging.judge, name="judge"),
    re_path(r"^judge/click/?$", pages_judging.click, name="judge_click"),
    re_path(rf"^parts/{UUID}/similar/?$", pages.part_similar, name="part_similar"),
    re_path(rf"^parts/{UUID}/why/?$", why.part_why, name="part_why"),
    re_path(rf"^parts/{UUID}/why/surface/?$", why.part_why_surface, name="part_why_surface"),
]
