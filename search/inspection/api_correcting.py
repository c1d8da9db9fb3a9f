"""The REST doors of corrections, and of running an inspection again."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.errors import ServiceError
from catalog.inputs import JsonParser, OneFileField
from search.inspection import services
from search.inspection.api import InspectionOutput
from search.inspection.bodies import inspection_body
from search.inspection.correcting import MASK_BYTES, photo_correct
from search.inspection.selectors import inspection_get


class JsonField(serializers.JSONField):
    """JSON in a field of a form. What is nested deeper than Python reads is no JSON."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return super().to_internal_value(data)
        except RecursionError:
            self.fail("invalid")


class CorrectionInput(serializers.Serializer):
    mask = OneFileField(
        required=False, default=None,
        help_text="PNG or WebP of the photo's `width` by `height` pixels, light on the piece.",
    )  # fmt: skip
    rectangle = JsonField(
        required=False, default=None, allow_null=True,
        help_text='{"x", "y", "width", "height"} in pixels: the piece is looked for within it.',
    )  # fmt: skip
    pose = JsonField(
        required=False, default=None, allow_null=True,
        help_text='{"rotation": 3 x 3, "translation": 3 mm, "focal": pixels}: a point p of the '
        "part (mm, about the middle of its box) is at rotation p + translation before the "
        "camera, and at (focal x / z + width / 2, focal y / z + height / 2) in the photo.",
    )  # fmt: skip
    reset = serializers.BooleanField(
        required=False, default=False, help_text="Take earlier corrections of this photo back."
    )


class CorrectionApi(APIView):
    scopes: ClassVar = {"POST": "write"}
    parser_classes = (MultiPartParser, FormParser, JsonParser)

    @extend_schema(
        request={"multipart/form-data": CorrectionInput}, responses={202: InspectionOutput}
    )
    def post(self, request: Request, uuid: UUID, place: str) -> Response:
        """Say where the piece is in a photo, or how it lies. The inspection runs again with it."""
        asked = CorrectionInput(data=request.data)
        asked.is_valid(raise_exception=True)
        known = asked.validated_data
        photo_correct(
            inspection_get(uuid),
            int(place),
            mask=mask_sent(known["mask"]),
            rectangle=known["rectangle"],
            pose=known["pose"],
            reset=known["reset"],
            by=request.user,
        )
        return Response(inspection_body(inspection_get(uuid)), status=202)


def mask_sent(file: Any) -> bytes | None:
    """The mask's bytes; refused before it is read when it is too large."""
    if file is None:
        return None
    if file.size > MASK_BYTES:
        raise ServiceError("bad_mask")
    return bytes(file.read())


class AgainApi(APIView):
    scopes: ClassVar = {"POST": "write"}

    @extend_schema(request=None, responses={202: InspectionOutput})
    def post(self, request: Request, uuid: UUID) -> Response:
        """Run the inspection again: with today's thresholds, and what was learnt of the part."""
        services.inspection_again(inspection_get(uuid))
        return Response(inspection_body(inspection_get(uuid)), status=202)
