"""The REST doors of inspections."""

from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.errors import ServiceError
from catalog.inputs import JsonParser
from catalog.models import Category, Part
from catalog.selectors import part_by_number, part_get
from search.inspection import services
from search.inspection.bodies import inspection_body, inspection_brief
from search.inspection.selectors import InspectionFilters, inspection_get, inspections_page
from search.models import Inspection


class PhotosField(serializers.ListField):
    """Several files of one name: photo=…&photo=…"""

    child = serializers.FileField(allow_empty_file=True, max_length=1000)

    def get_value(self, dictionary: Any) -> Any:
        if hasattr(dictionary, "getlist"):
            return dictionary.getlist(self.field_name)
        return super().get_value(dictionary)


class CompareInput(serializers.Serializer):
    """A piece: photo, one to four times, and the part it should be."""

    part_id = serializers.UUIDField(required=False, default=None, allow_null=True)
    number = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=80,
        help_text="The part's number, instead of part_id.",
    )  # fmt: skip
    photo = PhotosField(help_text="1 to 4 photos of one piece, as repeated fields.")
    threshold = serializers.FloatField(
        required=False, default=None, allow_null=True, min_value=0.01, max_value=0.9999,
        help_text="Similarity from which the piece passes; below it, `alert` is true. Default: "
        "the category's, or the configuration's.",
    )  # fmt: skip
    piece = serializers.CharField(required=False, default="", allow_blank=True, max_length=120)
    wait = serializers.FloatField(
        required=False, default=None, allow_null=True, min_value=0, max_value=50,
        help_text="Seconds to wait for the verdict; without one by then the answer is 202.",
    )  # fmt: skip


InspectionOutput = inline_serializer(
    "InspectionAnswer",
    {
        "success": serializers.BooleanField(),
        "id": serializers.UUIDField(),
        "part_id": serializers.UUIDField(),
        "state": serializers.ChoiceField(Inspection.State.choices),
        "progress": serializers.DictField(allow_null=True),
        "verdict": serializers.ChoiceField(["pass", "review", "fail"], allow_null=True),
        "similarity": serializers.FloatField(
            allow_null=True, help_text="0 to 1, monotone in p_good; 0.9 where a piece just passes."
        ),
        "p_good": serializers.FloatField(allow_null=True),
        "threshold": serializers.FloatField(allow_null=True),
        "alert": serializers.BooleanField(help_text="The similarity is below the threshold."),
        "reasons": serializers.ListField(child=serializers.DictField()),
        "coverage": serializers.FloatField(allow_null=True),
        "competitors": serializers.ListField(child=serializers.DictField()),
        "scale": serializers.ChoiceField(["assumed_from_stl", "sheet"]),
        "calibration": serializers.CharField(allow_null=True),
        "learnt": serializers.DictField(
            allow_null=True,
            help_text="What decisions about this part's pieces had taught when it ran: n_good, "
            "n_bad, and the shift of the log odds.",
        ),
        "photos": serializers.ListField(
            child=serializers.DictField(),
            help_text="Each with its verdict, reasons, pose (a point p in mm about the middle of "
            "the part's box is seen at rotation p + translation, at pixel focal x / z + width / 2, "
            "focal y / z + height / 2), measures (shares of the part's diagonal), blobs (places "
            "that differ, the worst first) and worst_point in pixels, coverage, and the addresses "
            "of its pictures, all width by height pixels: photo, overlay, part and mask.",
        ),
        "revision": serializers.IntegerField(),
        "earlier": serializers.ListField(
            child=serializers.DictField(), help_text="What runs before this one found."
        ),
        "decision": serializers.ChoiceField(["good", "bad"], allow_null=True),
        "note": serializers.CharField(),
        "took_ms": serializers.DictField(child=serializers.FloatField()),
    },
)


def part_asked(part_id: UUID | None, number: str) -> Part:
    """The part by either. Raises `ServiceError` when it is not named once, or not known."""
    if (part_id is None) == (not number):
        raise ServiceError("part_one")
    return part_get(part_id) if part_id is not None else part_by_number(number)


class CompareApi(APIView):
    """Is this piece that part? Keeps the photos and the verdict."""

    scopes: ClassVar = {"POST": "write"}
    parser_classes = (MultiPartParser, FormParser)

    @extend_schema(
        request={"multipart/form-data": CompareInput},
        responses={200: InspectionOutput, 202: InspectionOutput},
    )
    def post(self, request: Request) -> Response:
        """Compare one to four photos of a piece with a part.

        Waits for the verdict; one that takes longer than `wait` is at `url` when it is done.
        """
        asked = CompareInput(data=request.data)
        asked.is_valid(raise_exception=True)
        known = asked.validated_data
        inspection = services.inspection_create(
            part=part_asked(known["part_id"], known["number"]),
            photos=[services.photo_sent(file) for file in known["photo"]],
            threshold=known["threshold"],
            piece=known["piece"],
            by=request.user,
        )
        wait = known["wait"]
        if wait is None:
            wait = settings.SEARCH.inspection.wait_s
        services.inspection_wait(inspection, seconds=wait)
        body = inspection_body(inspection_get(inspection.uuid))
        return Response(body, status=200 if inspection.finished else 202)


class InspectionListApi(APIView):
    scopes: ClassVar = {"GET": "read"}

    class FilterInput(serializers.Serializer):
        part = serializers.UUIDField(required=False, default=None)
        category = serializers.PrimaryKeyRelatedField(
            queryset=Category.objects.all(), required=False, default=None
        )
        batch = serializers.UUIDField(required=False, default=None)
        verdict = serializers.ChoiceField(["pass", "review", "fail"], required=False, default="")
        state = serializers.ChoiceField(Inspection.State.choices, required=False, default="")
        decision = serializers.ChoiceField(
            ["good", "bad", "open"], required=False, default=None, allow_null=True
        )
        since = serializers.DateField(required=False, default=None)
        until = serializers.DateField(required=False, default=None)
        q = serializers.CharField(required=False, default="", allow_blank=True, max_length=120)
        page = serializers.IntegerField(required=False, default=1, min_value=1, max_value=10**6)
        per_page = serializers.IntegerField(required=False, default=30, min_value=1, max_value=100)

    @extend_schema(
        parameters=[FilterInput],
        responses=inline_serializer(
            "InspectionPage",
            {
                "success": serializers.BooleanField(),
                "count": serializers.IntegerField(),
                "page": serializers.IntegerField(),
                "pages": serializers.IntegerField(),
                "results": serializers.ListField(child=serializers.DictField()),
            },
        ),
    )
    def get(self, request: Request) -> Response:
        """Inspections, the newest first."""
        asked = self.FilterInput(data=request.query_params)
        asked.is_valid(raise_exception=True)
        page = inspections_page(
            filters_of(asked.validated_data),
            page=asked.validated_data["page"],
            per_page=asked.validated_data["per_page"],
        )
        return Response(
            {
                "success": True,
                "count": page.paginator.count,
                "page": page.number,
                "pages": page.paginator.num_pages,
                "results": [inspection_brief(row) for row in page.object_list],
            }
        )


def filters_of(known: dict[str, Any]) -> InspectionFilters:
    decision, category = known["decision"], known["category"]
    return InspectionFilters(
        part=known["part"],
        category=category and category.pk,
        batch=known["batch"],
        verdict=known["verdict"],
        state=known["state"],
        decision="" if decision == "open" else decision,
        since=known["since"],
        until=known["until"],
        q=known["q"],
    )


class InspectionApi(APIView):
    scopes: ClassVar = {"GET": "read", "PATCH": "write"}
    parser_classes = (MultiPartParser, FormParser, JsonParser)

    class DecisionInput(serializers.Serializer):
        decision = serializers.ChoiceField(
            ["good", "bad", "open"], required=False, default=None, allow_null=True
        )
        note = serializers.CharField(
            required=False, default=None, allow_null=True, allow_blank=True, max_length=2000
        )

    @extend_schema(responses=InspectionOutput)
    def get(self, request: Request, uuid: UUID) -> Response:
        return Response(inspection_body(inspection_get(uuid)))

    @extend_schema(request=DecisionInput, responses=InspectionOutput)
    def patch(self, request: Request, uuid: UUID) -> Response:
        """What a person says of the piece (good, bad or open again), and a note."""
        asked = self.DecisionInput(data=request.data)
        asked.is_valid(raise_exception=True)
        decision = asked.validated_data["decision"]
        services.inspection_decide(
            inspection_get(uuid),
            decision="" if decision == "open" else decision,
            note=asked.validated_data["note"],
            by=request.user,
        )
        return Response(inspection_body(inspection_get(uuid)))
