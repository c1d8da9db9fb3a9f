"""The REST door that says why a part answers a query."""

from dataclasses import asdict
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.inputs import JsonParser, OneFileField
from catalog.models import Part
from catalog.selectors import part_get
from search.api import CropField, MarksInput, picture_bytes
from search.explanation.facts import features, sentences
from search.explanation.services import Explained, explain_run, surface_run
from search.query import Query


class ExplainInput(MarksInput):
    """A part, and what it was found by: image or text or both, a mesh file, or another part."""

    part_id = serializers.UUIDField()
    image = OneFileField(required=False, default=None)
    text = serializers.CharField(
        required=False, default="", allow_blank=True, trim_whitespace=False
    )
    file = OneFileField(required=False, default=None)
    like = serializers.UUIDField(required=False, default=None, allow_null=True)
    engine = serializers.CharField(required=False, default="", allow_blank=True, max_length=40)
    alpha = serializers.FloatField(required=False, default=None, allow_null=True)
    crop = CropField(required=False, default=None)
    expand = serializers.BooleanField(required=False, default=None, allow_null=True)
    faithfulness = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Measure too how the similarity falls when the hottest places are blurred away.",
    )
    surface = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Add the heat of the whole part, from all its views, for its preview mesh.",
    )

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        ways = [
            asked["image"] is not None or bool(asked["text"].strip()),
            asked["file"] is not None,
            asked["like"] is not None,
        ]
        if sum(ways) != 1:
            raise serializers.ValidationError(
                _("Send one of these, as the part was found: image and/or text; file; or like.")
            )
        return asked


class SideOutput(serializers.Serializer):
    picture_url = serializers.CharField()
    heatmap_url = serializers.CharField()


ExplainedOutput = inline_serializer(
    "Explained",
    {
        "success": serializers.BooleanField(),
        "part_id": serializers.UUIDField(),
        "engine": serializers.CharField(),
        "method": serializers.CharField(
            help_text="How the cells were found: exact, integrated, legrad, gradcam or "
            "occlusion; several with + between."
        ),
        "heat_method": serializers.CharField(
            help_text="How the heat maps were found: masks, which measure what the similarity "
            "loses when places are blurred away; or as method says, from the cells."
        ),
        "target": serializers.CharField(help_text="picture, words, both, mesh or part."),
        "similarity": serializers.FloatField(
            help_text="Of the query, moved by the marks if there are any, and the part."
        ),
        "similarity_unmarked": serializers.FloatField(
            allow_null=True, help_text="Without the marks; null where there are none."
        ),
        "cells": serializers.ListField(
            child=serializers.ListField(child=serializers.FloatField()),
            help_text="What each cell of the view adds; exact methods' cells add up to the "
            "similarity of the drawn view, of a picture and words to the mean of the two by alpha.",
        ),
        "best_view": serializers.IntegerField(),
        "query": SideOutput(allow_null=True),
        "hit": SideOutput(),
        "pairs": serializers.ListField(
            child=serializers.ListField(child=serializers.FloatField()),
            help_text="[x, y, u, v, s]: a place of the query's picture and of the view, in "
            "fractions from their upper left, and how alike they are.",
        ),
        "key_features": serializers.ListField(child=serializers.DictField()),
        "explanation": serializers.CharField(),
        "faithfulness": serializers.DictField(allow_null=True),
        "surface": serializers.CharField(required=False, help_text="Base64."),
        "took_ms": serializers.FloatField(),
    },
)


def explained_body(explained: Explained) -> dict[str, Any]:
    found = explained.found
    query = None
    if found["query_picture"]:
        query = {"picture_url": found["query_picture"], "heatmap_url": found["query_heat"]}
    return {
        "success": True,
        "part_id": str(explained.part.uuid),
        "engine": explained.engine,
        "method": found["method"],
        "heat_method": found["heat_method"],
        "target": found["target"],
        "similarity": round(found["similarity"], 4),
        "similarity_unmarked": found["alone"]
        if found["alone"] is None
        else round(found["alone"], 4),
        "cells": found["cells"],
        "best_view": found["view"],
        "query": query,
        "hit": {
            "picture_url": view_url(explained.part, found["view"]),
            "heatmap_url": found["hit_heat"],
        },
        "pairs": found["pairs"],
        "key_features": [asdict(feature) for feature in features(explained)],
        "explanation": " ".join(sentences(explained)),
        "faithfulness": found["faithfulness"],
        "took_ms": explained.took_ms,
    }


def view_url(part: Part, viewpoint: int) -> str:
    views = {view.viewpoint: view for view in part.views.all()}
    return views[viewpoint].image.url if viewpoint in views else ""


class ExplainApi(APIView):
    """Explaining writes nothing: a token that reads may ask."""

    scopes: ClassVar = {"POST": "read"}
    parser_classes = (MultiPartParser, FormParser, JsonParser)

    @extend_schema(
        request={"multipart/form-data": ExplainInput, "application/json": ExplainInput},
        responses=ExplainedOutput,
    )
    def post(self, request: Request) -> Response:
        """Why a part answers a query: heat over both pictures, places that match, measured facts.

        Pictures come as data URIs; nothing of the query is stored.
        """
        import base64

        asked = ExplainInput(data=request.data)
        asked.is_valid(raise_exception=True)
        known = asked.validated_data
        query = query_of(known)
        part = part_get(known["part_id"])
        like = None if known["like"] is None else part_get(known["like"])
        explained = explain_run(query, part, like=like, faithful=known["faithfulness"])
        body = explained_body(explained)
        if known["surface"]:
            packed = surface_run(query, part, like=like)
            body["surface"] = base64.b64encode(packed).decode("ascii")
        return Response(body)


def query_of(known: dict[str, Any]) -> Query:
    """The validated input as the query it was."""
    image, text = picture_bytes(known["image"]), known["text"]
    kind = "hybrid" if image is not None and text.strip() else "image"
    if known["file"] is not None:
        kind = "mesh"
    elif image is None:
        kind = "text"
    return Query(
        kind=kind,
        image=image,
        text=text,
        mesh=known["file"],
        engine=known["engine"],
        alpha=known["alpha"],
        crop=known["crop"],
        expand=known["expand"],
        more=known["more"],
        less=known["less"],
    )
