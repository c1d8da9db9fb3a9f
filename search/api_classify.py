"""The REST door that says which category a mesh, a photo or a part belongs to."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.api import CategoryBrief
from catalog.inputs import JsonParser, OneFileField
from catalog.selectors import part_get
from search.api import CropField, picture_bytes
from search.classify import Classified, classify_run


class ClassifyInput(serializers.Serializer):
    """One of file, image and part_id."""

    file = OneFileField(required=False, default=None)
    image = OneFileField(required=False, default=None)
    part_id = serializers.UUIDField(required=False, default=None, allow_null=True)
    crop = CropField(required=False, default=None)


class SuggestionOutput(serializers.Serializer):
    category = CategoryBrief()
    confidence = serializers.FloatField()


ClassifiedOutput = inline_serializer(
    "Classified",
    {
        "success": serializers.BooleanField(),
        "suggestions": SuggestionOutput(many=True),
        "none": serializers.BooleanField(),
        "took_ms": serializers.DictField(child=serializers.FloatField()),
        "photo": serializers.DictField(required=False),
    },
)


def classified_body(found: Classified) -> dict[str, Any]:
    body: dict[str, Any] = {
        "success": True,
        "suggestions": [
            {"category": CategoryBrief(category).data, "confidence": round(confidence, 4)}
            for category, confidence in found.suggestions
        ],
        "none": found.none,
        "took_ms": found.took_ms,
    }
    if found.photo is not None:
        body["photo"] = found.photo.to_json()
    return body


class ClassifyApi(APIView):
    """Classifying writes nothing: a token that reads may ask."""

    scopes: ClassVar = {"POST": "read"}
    parser_classes = (MultiPartParser, FormParser, JsonParser)

    @extend_schema(
        request={"multipart/form-data": ClassifyInput, "application/json": ClassifyInput},
        responses=ClassifiedOutput,
    )
    def post(self, request: Request) -> Response:
        """The likely categories of a mesh (file), a photo (image) or a part (part_id), best first.

        Confidence is the share of such answers that are right. `none` says that it is none of the
        categories: nothing reached the configured threshold.
        """
        asked = ClassifyInput(data=request.data)
        asked.is_valid(raise_exception=True)
        known = asked.validated_data
        part_id = known["part_id"]
        found = classify_run(
            mesh=known["file"],
            image=picture_bytes(known["image"]),
            part=None if part_id is None else part_get(part_id),
            crop=known["crop"],
        )
        return Response(classified_body(found))
