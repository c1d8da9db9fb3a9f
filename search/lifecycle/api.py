"""The REST doors that say which engines and indices there are, and how they are."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from search import indices
from search.lifecycle import switching


class EngineListApi(APIView):
    scopes: ClassVar = {"GET": "read"}

    @extend_schema(
        responses=inline_serializer(
            "EngineList",
            {
                "success": serializers.BooleanField(),
                "results": serializers.ListField(child=serializers.DictField()),
            },
        )
    )
    def get(self, request: Request) -> Response:
        """Every engine: whether it is in use and can be chosen as `engine`, how far one that is
        being installed is, and the spaces of its vectors."""
        return Response({"success": True, "results": switching.engine_facts()})


class IndexListApi(APIView):
    scopes: ClassVar = {"GET": "read"}

    @extend_schema(
        responses=inline_serializer(
            "IndexList",
            {
                "success": serializers.BooleanField(),
                "results": serializers.ListField(child=serializers.DictField()),
            },
        )
    )
    def get(self, request: Request) -> Response:
        """Each space's snapshot: size, recall, watermark, and how far behind it is."""
        return Response({"success": True, "results": indices.index_facts()})
