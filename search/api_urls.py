"""The search's paths under /api/, with and without the trailing slash."""

from django.urls import include, path, re_path

from catalog.api_urls import UUID
from search import api, api_classify
from search.evaluation import api as api_judging
from search.explanation import api as api_explain
from search.lifecycle import api as api_engines

urlpatterns = [
    re_path(r"^search/image/?$", api.ImageSearchApi.as_view(), name="api_search_image"),
    re_path(r"^search/text/?$", api.TextSearchApi.as_view(), name="api_search_text"),
    re_path(r"^search/hybrid/?$", api.HybridSearchApi.as_view(), name="api_search_hybrid"),
    re_path(r"^search/mesh/?$", api.MeshSearchApi.as_view(), name="api_search_mesh"),
    re_path(rf"^parts/{UUID}/similar/?$", api.PartSimilarApi.as_view(), name="api_part_similar"),
    re_path(r"^classify/?$", api_classify.ClassifyApi.as_view(), name="api_classify"),
    re_path(r"^explain/?$", api_explain.ExplainApi.as_view(), name="api_explain"),
    path("", include("search.inspection.urls")),
    re_path(r"^engines/?$", api_engines.EngineListApi.as_view(), name="api_engines"),
    re_path(r"^indices/?$", api_engines.IndexListApi.as_view(), name="api_indices"),
    re_path(r"^judgements/?$", api_judging.JudgementListApi.as_view(), name="api_judgements"),
    re_path(r"^evaluations/?$", api_judging.EvaluationListApi.as_view(), name="api_evaluations"),
    re_path(
        r"^evaluations/(?P<run>\d{1,18})/?$",
        api_judging.EvaluationApi.as_view(),
        name="api_evaluation",
    ),
]
