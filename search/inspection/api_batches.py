"""The REST doors of batches."""

from typing import Any, ClassVar
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.errors import sentence
from catalog.inputs import OneFileField
from catalog.selectors import PartPaginator, part_get
from search.inspection.api import PhotosField
from search.inspection.batching import (
    batch_create,
    batch_get,
    batch_progress,
    batches,
    batches_counted,
)
from search.models import InspectionBatch


class BatchInput(serializers.Serializer):
    """A zip as archive, or photo many times. Whose pieces they are: part_id for all of them, or
    pieces, or their names."""

    archive = OneFileField(required=False, default=None)
    photo = PhotosField(required=False, default=list)
    part_id = serializers.UUIDField(required=False, default=None, allow_null=True)
    pieces = serializers.CharField(
        required=False, default="", allow_blank=True,
        help_text='JSON: [{"number": "R8107490", "piece": "007", "photos": ["a.jpg", "b.jpg"]}]; '
        "part_id instead of number does too.",
    )  # fmt: skip
    threshold = serializers.FloatField(
        required=False, default=None, allow_null=True, min_value=0.01, max_value=0.9999
    )
    name = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)


BatchOutput = inline_serializer(
    "InspectionBatch",
    {
        "success": serializers.BooleanField(),
        "id": serializers.UUIDField(),
        "name": serializers.CharField(),
        "state": serializers.ChoiceField(InspectionBatch.State.choices),
        "part_id": serializers.UUIDField(allow_null=True),
        "progress": serializers.FloatField(help_text="0 to 1, reading and inspecting together."),
        "pieces": serializers.IntegerField(allow_null=True),
        "counts": serializers.DictField(child=serializers.IntegerField()),
        "refused": serializers.ListField(child=serializers.DictField()),
        "error": serializers.DictField(allow_null=True),
        "created_at": serializers.DateTimeField(),
        "url": serializers.CharField(),
        "inspections_url": serializers.CharField(),
    },
)


def refused_told(batch: InspectionBatch) -> list[dict[str, str]]:
    return [
        {
            "name": entry["name"],
            "code": entry["code"],
            "message": sentence(entry["code"], entry["params"]),
        }
        for entry in batch.refused
    ]


def batch_body(batch: Any) -> dict[str, Any]:
    """Of a counted batch."""
    return {
        "success": True,
        "id": str(batch.uuid),
        "name": batch.name,
        "state": batch.state,
        "part_id": str(batch.part.uuid) if batch.part else None,
        "progress": batch_progress(batch),
        "pieces": batch.total,
        "counts": {**batch.counts, "refused": len(batch.refused)},
        "refused": refused_told(batch),
        "error": (
            {"code": batch.error_code, "message": batch.error_message} if batch.error_code else None
        ),
        "created_at": batch.created_at,
        "url": reverse("api_qc_batch", args=[batch.uuid]),
        "inspections_url": f"{reverse('api_inspections')}?batch={batch.uuid}",
    }


class BatchListApi(APIView):
    scopes: ClassVar = {"GET": "read", "POST": "write"}
    parser_classes = (MultiPartParser, FormParser)

    class PageInput(serializers.Serializer):
        page = serializers.IntegerField(required=False, default=1, min_value=1, max_value=10**6)

    @extend_schema(
        parameters=[PageInput],
        responses=inline_serializer(
            "InspectionBatchPage",
            {
                "success": serializers.BooleanField(),
                "count": serializers.IntegerField(),
                "results": serializers.ListField(child=serializers.DictField()),
            },
        ),
    )
    def get(self, request: Request) -> Response:
        """Batches, the newest first."""
        asked = self.PageInput(data=request.query_params)
        asked.is_valid(raise_exception=True)
        page = PartPaginator(batches(), 30).get_page(asked.validated_data["page"])
        results = [batch_body(batch) for batch in batches_counted(list(page.object_list))]
        return Response({"success": True, "count": page.paginator.count, "results": results})

    @extend_schema(request={"multipart/form-data": BatchInput}, responses={202: BatchOutput})
    def post(self, request: Request) -> Response:
        """Inspect many pieces: a zip of photos, or many photos. Read and inspected by the workers.

        By name: R8107490/007.jpg and R8107490_007.jpg are the piece 007 of the part R8107490;
        photos of one piece lie in a folder of their own, or end in @1, @2 …
        """
        asked = BatchInput(data=request.data)
        asked.is_valid(raise_exception=True)
        known = asked.validated_data
        part_id = known["part_id"]
        batch = batch_create(
            archive=known["archive"],
            photos=known["photo"],
            part=None if part_id is None else part_get(part_id),
            pieces=known["pieces"],
            threshold=known["threshold"],
            name=known["name"],
            by=request.user,
        )
        return Response(batch_body(batch_get(batch.uuid)), status=202)


class BatchApi(APIView):
    scopes: ClassVar = {"GET": "read"}

    @extend_schema(responses=BatchOutput)
    def get(self, request: Request, uuid: UUID) -> Response:
        """How far a batch is, and what was found."""
        return Response(batch_body(batch_get(uuid)))
