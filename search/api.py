"""The search's REST doors: parse, call `search_run`, answer."""

import json
from typing import Any, ClassVar

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.errors import ServiceError
from catalog.inputs import JsonParser, OneFileField
from catalog.models import Part
from catalog.selectors import part_get
from search.evaluation.logs import search_log
from search.neighbours import parts_similar
from search.query import Query
from search.selectors import Filters
from search.services import Answer, Hit, search_run

# What databases hold in a key; beyond it they answer with an error.
CATEGORY_MOST = 2**63 - 1
CATEGORIES_MOST = 1000  # of one query: a statement holds so many values, and no more


class FiltersInput(serializers.Serializer):
    """What hits are narrowed to; extents in millimetres along x, y, z (null is no limit)."""

    category = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=CATEGORY_MOST),
        required=False,
        max_length=CATEGORIES_MOST,
    )
    size_min = serializers.ListField(
        child=serializers.FloatField(allow_null=True), min_length=3, max_length=3, required=False
    )
    size_max = serializers.ListField(
        child=serializers.FloatField(allow_null=True), min_length=3, max_length=3, required=False
    )
    volume_min = serializers.FloatField(required=False)
    volume_max = serializers.FloatField(required=False)
    watertight = serializers.BooleanField(required=False, allow_null=True)
    status = serializers.ListField(
        child=serializers.ChoiceField(Part.Status.choices), required=False, min_length=1
    )

    def get_value(self, dictionary: Any) -> Any:
        # A form carries it as one JSON text, not as the many fields DRF would look for.
        return dictionary.get(self.field_name, empty)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str):
            try:
                data = json.loads(data or "{}")
            except (ValueError, RecursionError) as error:
                raise serializers.ValidationError(_("Send filters as a JSON object.")) from error
        if isinstance(data, dict) and isinstance(data.get("category"), int):
            data = {**data, "category": [data["category"]]}
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> Filters:
        return Filters(**{k: tuple(v) if isinstance(v, list) else v for k, v in attrs.items()})


class MarksField(serializers.ListField):
    """Ids of parts: a list, in a form repeated or with commas."""

    child = serializers.UUIDField()

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, default=(), **options)

    def get_value(self, dictionary: Any) -> Any:
        if hasattr(dictionary, "getlist"):
            texts = dictionary.getlist(self.field_name)
            return [part for text in texts for part in str(text).split(",") if part] or empty
        return dictionary.get(self.field_name, empty)


class MarksInput(serializers.Serializer):
    more = MarksField(help_text="Parts that what is looked for is more like.")
    less = MarksField(help_text="Parts that it is less like; they are not among the results.")


class EngineInput(MarksInput):
    k = serializers.IntegerField(required=False, default=None, allow_null=True)
    engine = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=40,
        help_text="The engine that answers, by its name in GET /api/engines/; or words, where text "
        "is asked; or fusion, all that can answer together: the default where there are several.",
    )


class QueryInput(EngineInput):
    filters = FiltersInput(required=False, default=Filters())


class CropField(serializers.Field):
    """left,top,right,bottom in fractions of the upright picture, as a list or with commas."""

    def to_internal_value(self, data: Any) -> tuple[float, ...]:
        try:
            sides = data.split(",") if isinstance(data, str) else list(data)
            crop = tuple(float(side) for side in sides)
            left, top, right, bottom = crop
        except (TypeError, ValueError, OverflowError) as error:
            raise serializers.ValidationError(_("Send crop as four numbers.")) from error
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            raise serializers.ValidationError(
                _("A crop runs from left to right and from top to bottom, within 0 and 1.")
            )
        return crop

    def to_representation(self, value: Any) -> Any:
        return value


class VerifyInput(serializers.Serializer):
    verify = serializers.BooleanField(
        required=False,
        default=None,
        allow_null=True,
        help_text="Lay the outlines of the first hits over the picture and put them in the order "
        "of how they fit, within about a second; the configuration's choice by default.",
    )


class ImageQueryInput(QueryInput, VerifyInput):
    image = OneFileField()
    crop = CropField(required=False, default=None)


class WordsQueryInput(QueryInput):
    expand = serializers.BooleanField(
        required=False,
        default=None,
        allow_null=True,
        help_text="Ask in the glossary's other words too; the configuration's choice by default.",
    )


class TextQueryInput(WordsQueryInput):
    query = serializers.CharField(required=False, trim_whitespace=False, allow_blank=True)
    text = serializers.CharField(
        required=False,
        trim_whitespace=False,
        allow_blank=True,
        help_text="The same as query, by the name it has in hybrid search.",
    )

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        if "query" not in asked and "text" not in asked:
            missing = self.fields["query"].error_messages["required"]
            raise serializers.ValidationError({"query": [missing]})
        query = asked.pop("query", "")
        return {**asked, "text": query or asked.get("text", "")}


class HybridQueryInput(WordsQueryInput, VerifyInput):
    image = OneFileField(required=False, default=None)
    text = serializers.CharField(required=False, default="", allow_blank=True)
    alpha = serializers.FloatField(required=False, default=None, allow_null=True)
    crop = CropField(required=False, default=None)


class MeshQueryInput(QueryInput):
    file = OneFileField()


class HitOutput(serializers.Serializer):
    part_id = serializers.UUIDField(source="part.uuid")
    number = serializers.CharField(source="part.number")
    name = serializers.CharField(source="part.name")
    name_zh = serializers.CharField(source="part.name_zh")
    class_name = serializers.SerializerMethodField()
    rank = serializers.IntegerField()
    score = serializers.FloatField(
        help_text="Of the search; where `verified` is true, `rank` follows the fit as well."
    )
    similarity = serializers.FloatField(allow_null=True)
    strength = serializers.FloatField(
        allow_null=True, help_text="The similarity calibrated to 0..1."
    )
    weak = serializers.BooleanField()
    marked = serializers.BooleanField(help_text="Whether it is among `more` of the query.")
    best_view = serializers.IntegerField(allow_null=True)
    best_view_url = serializers.CharField(source="view_url")
    thumbnail_url = serializers.CharField()
    fit = serializers.FloatField(
        allow_null=True,
        help_text="How much the part's outline and the piece in the picture cover each other, "
        "0..1 (intersection over union); null where it was not laid over the picture.",
    )
    outline = serializers.CharField(
        help_text="A data URI: the piece in the picture with the part's outline over it."
    )
    rankings = serializers.SerializerMethodField(
        help_text="The rank that each engine, and the words, gave the part by themselves."
    )
    shares = serializers.SerializerMethodField(
        help_text="Of the score, what each of them made: 0..1, together 1."
    )
    similarities = serializers.SerializerMethodField(
        help_text="Each engine's own similarity, where it compared the part."
    )
    strengths = serializers.SerializerMethodField(
        help_text="Each engine's similarity calibrated to 0..1."
    )

    def get_rankings(self, hit: Hit) -> dict[str, int]:
        return {n: said.rank for n, said in hit.by_engine.items() if said.rank is not None}

    def get_shares(self, hit: Hit) -> dict[str, float]:
        return {n: said.share for n, said in hit.by_engine.items()}

    def get_similarities(self, hit: Hit) -> dict[str, float]:
        every = {n: said.similarity for n, said in hit.by_engine.items()}
        return {n: similarity for n, similarity in every.items() if similarity is not None}

    def get_strengths(self, hit: Hit) -> dict[str, float]:
        every = {n: said.strength for n, said in hit.by_engine.items()}
        return {n: strength for n, strength in every.items() if strength is not None}

    def get_class_name(self, hit: Hit) -> str:
        return hit.part.category.label if hit.part.category else ""

    def to_representation(self, hit: Hit) -> dict[str, Any]:
        shown = super().to_representation(hit)
        if hit.relation is not None:
            shown["relation"] = {
                "kind": hit.relation.kind,
                "factor": round(hit.relation.factor, 6),
            }
        return shown


AnswerOutput = inline_serializer(
    "Answer",
    {
        "success": serializers.BooleanField(),
        "results": HitOutput(many=True),
        "engine": serializers.CharField(),
        "weak": serializers.BooleanField(),
        "took_ms": serializers.DictField(child=serializers.FloatField()),
        "photo": serializers.DictField(required=False),
        "verified": serializers.BooleanField(
            help_text="Whether the first hits were laid over the picture and put in that order."
        ),
        "unverified_why": serializers.CharField(
            help_text="Where that was asked for and could not be done: why."
        ),
        "engines_failed": serializers.DictField(
            child=serializers.CharField(),
            help_text="Engines of the fusion that could not answer, each with the reason.",
        ),
        "marks_ignored": serializers.ListField(
            child=serializers.CharField(),
            help_text="Ids in `more` and `less` that are not parts which can be found.",
        ),
        "expanded": serializers.ListField(
            child=serializers.CharField(),
            help_text="The other words that the text was searched in.",
        ),
        "search": serializers.CharField(
            allow_null=True, help_text="Names this search where its hits are judged."
        ),
    },
)


def answer_body(answer: Answer) -> dict[str, Any]:
    body: dict[str, Any] = {
        "success": True,
        "results": HitOutput(answer.results, many=True).data,
        "engine": answer.engine,
        "weak": answer.weak,
        "took_ms": answer.took_ms,
        "expanded": answer.expanded,
        "engines_failed": answer.engines_failed,
        "marks_ignored": list(answer.marks.ignored),
        "verified": answer.verified,
        "unverified_why": answer.unverified_why,
    }
    if answer.photo is not None:
        body["photo"] = answer.photo.to_json()
    return body


def picture_bytes(file: Any) -> bytes | None:
    """An uploaded picture's bytes, refused before they are read when there are too many."""
    if file is None:
        return None
    most = settings.SEARCH.limits.picture_mb
    if file.size > most * 1024 * 1024:
        raise ServiceError("picture_too_large", status=413, most=most)
    return file.read()


class SearchApi(APIView):
    """One kind of query. Searching writes nothing: a token that reads may search."""

    scopes: ClassVar = {"POST": "read"}
    parser_classes = (MultiPartParser, FormParser, JsonParser)
    kind: ClassVar[str]
    Input: ClassVar[type[QueryInput]]

    def answer(self, request: Request) -> Response:
        asked = self.Input(data=request.data)
        asked.is_valid(raise_exception=True)
        query = Query(kind=self.kind, **self.fields(dict(asked.validated_data)))
        answer = search_run(query)
        logged = search_log(query=query, answer=answer, door="api", user=request.user)
        return Response({**answer_body(answer), "search": logged.key if logged else None})

    def fields(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The validated input as fields of `Query`."""
        return asked


class ImageSearchApi(SearchApi):
    kind, Input = "image", ImageQueryInput

    @extend_schema(request={"multipart/form-data": ImageQueryInput}, responses=AnswerOutput)
    def post(self, request: Request) -> Response:
        """Find parts by a picture: a photo, a drawing, a render."""
        return self.answer(request)

    def fields(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {**asked, "image": picture_bytes(asked["image"])}


class TextSearchApi(SearchApi):
    kind, Input = "text", TextQueryInput

    @extend_schema(request=TextQueryInput, responses=AnswerOutput)
    def post(self, request: Request) -> Response:
        """Find parts by words or a part number, in English or Chinese: names and shapes."""
        return self.answer(request)


class HybridSearchApi(SearchApi):
    kind, Input = "hybrid", HybridQueryInput

    @extend_schema(request={"multipart/form-data": HybridQueryInput}, responses=AnswerOutput)
    def post(self, request: Request) -> Response:
        """Find parts by a picture and words together; alpha is the picture's share."""
        return self.answer(request)

    def fields(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {**asked, "image": picture_bytes(asked["image"])}


class MeshSearchApi(SearchApi):
    kind, Input = "mesh", MeshQueryInput

    @extend_schema(request={"multipart/form-data": MeshQueryInput}, responses=AnswerOutput)
    def post(self, request: Request) -> Response:
        """Find parts by another mesh; `relation` says same, scaled, mirrored or similar."""
        return self.answer(request)

    def fields(self, asked: dict[str, Any]) -> dict[str, Any]:
        asked["mesh"] = asked.pop("file")
        return asked


class PartSimilarApi(APIView):
    scopes: ClassVar = {"GET": "read"}

    @extend_schema(parameters=[EngineInput], responses=AnswerOutput)
    def get(self, request: Request, uuid: str) -> Response:
        """The parts most like a part of the catalogue, as its mesh would find them."""
        asked = EngineInput(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return Response(answer_body(parts_similar(part_get(uuid), **asked.validated_data)))
