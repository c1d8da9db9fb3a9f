"""Every path of the product."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.i18n import JavaScriptCatalog

from catalog.media import media
from stlcatalog import schema
from stlcatalog.metrics import metrics
from stlcatalog.probes import healthz, readyz

urlpatterns = [
    path("api/", include("catalog.api_urls")),
    path("", include("search.duplicates.urls")),
    path("api/", include("search.api_urls")),
    re_path(r"^api/schema/?$", schema.SchemaApi.as_view(), name="schema"),
    re_path(r"^api/docs/?$", schema.DocsApi.as_view(url_name="schema"), name="api_docs"),
    re_path(r"^api/.*$", schema.NoSuchApi.as_view()),
    re_path(r"^healthz/?$", healthz, name="healthz"),
    re_path(r"^readyz/?$", readyz, name="readyz"),
    re_path(r"^metrics/?$", metrics, name="metrics"),
    path("media/<path:path>", media, name="media"),
    path("admin/", admin.site.urls),
    path("jsi18n/", JavaScriptCatalog.as_view(), name="javascript-catalog"),
    path("", include("catalog.page_urls")),
    path("", include("search.page_urls")),
]

handler400 = "stlcatalog.probes.bad_request"
handler403 = "stlcatalog.probes.forbidden"
handler404 = "stlcatalog.probes.not_found"
handler500 = "stlcatalog.probes.server_error"
