"""The API described: OpenAPI 3, Swagger UI, and the answer for paths that do not exist."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.errors import ServiceError


class SchemaApi(SpectacularAPIView):
    scopes: ClassVar = {"GET": "read"}


class DocsApi(SpectacularSwaggerSplitView):
    scopes: ClassVar = {"GET": "read"}


class NoSuchApi(APIView):
    """A path under /api/ that nothing answers: 404 as JSON, for any method."""

    scopes: ClassVar = dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE"), "open")

    @extend_schema(exclude=True)
    def get(self, request: Request, **kwargs: Any) -> Response:
        raise ServiceError("no_such_api", status=404, path=request.path)

    post = put = patch = delete = get
