"""The catalogue's REST doors: parse, call one service or selector, answer."""

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field, inline_serializer
from rest_framework import serializers
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog import selectors, services
from catalog.extras import part_extra
from catalog.inputs import JsonParser, OneFileField
from catalog.models import Category, Part, PipelineStep

PER_PAGE_MAX = 200


class TagsField(serializers.Field):
    """A JSON list, or one string with commas between (what a form or curl sends)."""

    def to_internal_value(self, data: Any) -> list[str]:
        if isinstance(data, str):
            data = data.replace("，", ",").replace("、", ",").split(",")
        if not isinstance(data, list) or not all(isinstance(tag, str) for tag in data):
            raise serializers.ValidationError(_("Send tags as a list of words."))
        return services.tags_clean(data)

    def to_representation(self, value: list[str]) -> list[str]:
        return value

    def get_value(self, dictionary: Any) -> Any:
        # In a form a repeated field is a list; DRF's default takes the last one.
        values = dictionary.getlist(self.field_name) if hasattr(dictionary, "getlist") else None
        if values is not None and len(values) > 1:
            return values
        return super().get_value(dictionary)


class CategoryOutput(serializers.ModelSerializer):
    n_parts = serializers.IntegerField(read_only=True, required=False)

    class Meta:
        model = Category
        fields = ("id", "name", "name_zh", "prompts", "parent", "n_parts")


class CategoryBrief(serializers.ModelSerializer):
    class Meta:
        model = Category
        fields = ("id", "name", "name_zh")


class PartOutput(serializers.ModelSerializer):
    """One row of a list of parts."""

    id = serializers.UUIDField(source="uuid")
    category = CategoryBrief()
    thumbnail_url = serializers.SerializerMethodField()
    bbox_mm = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    error = serializers.CharField()

    class Meta:
        model = Part
        fields = (
            "id", "number", "name", "name_zh", "category", "tags", "status", "error",
            "error_code", "bbox_mm", "volume_mm3", "watertight", "triangles", "thumbnail_url",
            "created_at", "updated_at",
        )  # fmt: skip

    def get_thumbnail_url(self, part: Part) -> str | None:
        return part.thumbnail.url if part.thumbnail else None


class PartDetailOutput(PartOutput):
    """A part with its geometry, steps, views and suggestions."""

    geometry = serializers.SerializerMethodField()
    steps = serializers.SerializerMethodField()
    views = serializers.SerializerMethodField()
    suggestions = serializers.SerializerMethodField()
    duplicates = serializers.SerializerMethodField()
    file = serializers.SerializerMethodField()

    class Meta(PartOutput.Meta):
        fields = (
            *PartOutput.Meta.fields, "description", "unit", "unit_assumed", "geometry", "steps",
            "views", "suggestions", "duplicates", "file",
        )  # fmt: skip

    @extend_schema_field(serializers.DictField())
    def get_geometry(self, part: Part) -> dict[str, Any]:
        return {
            "bbox_mm": part.bbox_mm,
            "volume_mm3": part.volume_mm3,
            "area_mm2": part.area_mm2,
            "centroid_mm": part.centroid_mm,
            "watertight": part.watertight,
            "components": part.components,
            "triangles": part.triangles,
            "format": part.mesh_format,
        }

    @extend_schema_field(serializers.ListField(child=serializers.DictField()))
    def get_steps(self, part: Part) -> list[dict[str, Any]]:
        return [
            {
                "step": step.step,
                "state": step.state,
                "attempts": step.attempts,
                "ms": step.ms,
                "error": step.error,
            }
            for step in selectors.part_steps(part)
        ]

    @extend_schema_field(serializers.ListField(child=serializers.DictField()))
    def get_views(self, part: Part) -> list[dict[str, Any]]:
        return [{"viewpoint": v.viewpoint, "url": v.image.url} for v in part.views.all()]

    @extend_schema_field(serializers.ListField(child=serializers.DictField()))
    def get_suggestions(self, part: Part) -> list[dict[str, Any]]:
        return [
            {
                "id": suggestion.pk,
                "category": CategoryBrief(suggestion.category).data,
                "confidence": round(suggestion.confidence, 4),
                "accepted": suggestion.accepted,
            }
            for suggestion in part.suggestions.all()
        ]

    @extend_schema_field(serializers.ListField(child=serializers.DictField()))
    def get_duplicates(self, part: Part) -> list[dict[str, Any]]:
        return part_extra("duplicates", part)

    @extend_schema_field(serializers.DictField())
    def get_file(self, part: Part) -> dict[str, Any]:
        return {
            "url": part.file.url,
            "name": part.file_name,
            "size": part.file_size,
            "sha256": part.sha256,
        }


class PartListApi(APIView):
    """The catalogue: a page of parts, and the way in for a new one."""

    scopes: ClassVar = {"GET": "read", "POST": "write"}
    parser_classes = (MultiPartParser, FormParser, JsonParser)

    class FilterInput(serializers.Serializer):
        q = serializers.CharField(required=False, default="", allow_blank=True, max_length=500)
        category = serializers.PrimaryKeyRelatedField(
            queryset=Category.objects.all(), required=False, default=None
        )
        status = serializers.ChoiceField(
            Part.Status.choices, required=False, default="", allow_blank=True
        )
        ordering = serializers.ChoiceField(
            sorted(selectors.ORDERINGS), required=False, default="-created_at"
        )
        page = serializers.IntegerField(required=False, default=1, min_value=1, max_value=1_000_000)
        per_page = serializers.IntegerField(
            required=False, default=48, min_value=1, max_value=PER_PAGE_MAX
        )

    class UploadInput(serializers.Serializer):
        file = OneFileField()
        name = serializers.CharField(required=False, default="", allow_blank=True, max_length=1000)
        name_zh = serializers.CharField(
            required=False, default="", allow_blank=True, max_length=1000
        )
        number = serializers.CharField(required=False, default="", allow_blank=True, max_length=80)
        description = serializers.CharField(
            required=False, default="", allow_blank=True, max_length=20_000
        )
        category = serializers.PrimaryKeyRelatedField(
            queryset=Category.objects.all(), required=False, default=None, allow_null=True
        )
        tags = TagsField(required=False, default=list)

    @extend_schema(
        parameters=[FilterInput],
        responses=inline_serializer(
            "PartPage",
            {
                "success": serializers.BooleanField(),
                "count": serializers.IntegerField(),
                "page": serializers.IntegerField(),
                "pages": serializers.IntegerField(),
                "results": PartOutput(many=True),
            },
        ),
    )
    def get(self, request: Request) -> Response:
        query = self.FilterInput(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = dict(query.validated_data)
        page, per_page = asked.pop("page"), asked.pop("per_page")
        category = asked.pop("category")
        filters = selectors.PartFilters(**asked, category=category and category.pk)
        found = selectors.parts_page(filters, page=page, per_page=per_page)
        return Response(
            {
                "success": True,
                "count": found.paginator.count,
                "page": found.number,
                "pages": found.paginator.num_pages,
                "results": PartOutput(found.object_list, many=True).data,
            }
        )

    @extend_schema(
        request={"multipart/form-data": UploadInput}, responses={200: PartOutput, 201: PartOutput}
    )
    def post(self, request: Request) -> Response:
        upload = self.UploadInput(data=request.data)
        upload.is_valid(raise_exception=True)
        part, created = services.part_upload(**upload.validated_data, owner=request.user)
        body = {"success": True, "created": created, **PartOutput(part).data}
        return Response(body, status=201 if created else 200)


class PartDetailApi(APIView):
    scopes: ClassVar = {"GET": "read", "PATCH": "write", "DELETE": "write"}

    class UpdateInput(serializers.Serializer):
        name = serializers.CharField(required=False, max_length=300)
        name_zh = serializers.CharField(required=False, allow_blank=True, max_length=300)
        number = serializers.CharField(required=False, allow_blank=True, max_length=80)
        description = serializers.CharField(required=False, allow_blank=True, max_length=20_000)
        tags = TagsField(required=False)
        category = serializers.PrimaryKeyRelatedField(
            queryset=Category.objects.all(), required=False, allow_null=True
        )
        unit = serializers.ChoiceField(Part.Unit.choices, required=False)

    @extend_schema(responses=PartDetailOutput)
    def get(self, request: Request, uuid: str) -> Response:
        part = selectors.part_get(uuid)
        return Response({"success": True, **PartDetailOutput(part).data})

    @extend_schema(request=UpdateInput, responses=PartDetailOutput)
    def patch(self, request: Request, uuid: str) -> Response:
        change = self.UpdateInput(data=request.data, partial=True)
        change.is_valid(raise_exception=True)
        services.part_update(part=selectors.part_get(uuid), **change.validated_data)
        return self.get(request, uuid)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, uuid: str) -> Response:
        services.part_delete(part=selectors.part_get(uuid))
        return Response(status=204)


class PartRestoreApi(APIView):
    """Out of the trash."""

    scopes: ClassVar = {"POST": "write"}

    @extend_schema(request=None, responses=PartDetailOutput)
    def post(self, request: Request, uuid: str) -> Response:
        services.part_restore(part=selectors.part_get(uuid, trash=True))
        part = selectors.part_get(uuid)
        return Response({"success": True, **PartDetailOutput(part).data})


class PartRetryApi(APIView):
    """Process the part again, from `step` on, or from the first step that is not done."""

    scopes: ClassVar = {"POST": "write"}

    class RetryInput(serializers.Serializer):
        step = serializers.ChoiceField(PipelineStep.Step.choices, required=False, default=None)

    @extend_schema(request=RetryInput, responses={202: PartOutput})
    def post(self, request: Request, uuid: str) -> Response:
        asked = self.RetryInput(data=request.data)
        asked.is_valid(raise_exception=True)
        services.part_retry(part=selectors.part_get(uuid), **asked.validated_data)
        part = selectors.part_get(uuid)
        return Response({"success": True, **PartOutput(part).data}, status=202)


class CategoryListApi(APIView):
    scopes: ClassVar = {"GET": "read", "POST": "write"}

    class CreateInput(serializers.Serializer):
        name = serializers.CharField(max_length=120)
        name_zh = serializers.CharField(
            required=False, default="", allow_blank=True, max_length=120
        )
        prompts = TagsField(required=False, default=list)
        parent = serializers.PrimaryKeyRelatedField(
            queryset=Category.objects.all(), required=False, default=None, allow_null=True
        )

    @extend_schema(
        responses=inline_serializer(
            "CategoryList",
            {"success": serializers.BooleanField(), "results": CategoryOutput(many=True)},
        )
    )
    def get(self, request: Request) -> Response:
        categories = CategoryOutput(selectors.categories_list(), many=True).data
        return Response({"success": True, "results": categories})

    @extend_schema(request=CreateInput, responses={201: CategoryOutput})
    def post(self, request: Request) -> Response:
        asked = self.CreateInput(data=request.data)
        asked.is_valid(raise_exception=True)
        category = services.category_create(**asked.validated_data)
        return Response({"success": True, **CategoryOutput(category).data}, status=201)
