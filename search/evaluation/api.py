"""REST doors of judgements and evaluations: parse, call one service, answer."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.errors import ServiceError
from catalog.selectors import part_get
from search.evaluation import judging
from search.evaluation import services as evaluation
from search.evaluation.questions import DEFAULT_SOURCES, KINDS, SOURCES, Choice
from search.models import EvaluationRun, Judgement

RUNS_SHOWN = 50


class JudgementInput(serializers.Serializer):
    """A hit of a search with a thumb, or words and a part with a grade."""

    part = serializers.UUIDField()
    search = serializers.CharField(
        required=False, max_length=24, help_text="What the search's answer calls `search`."
    )
    thumb = serializers.CharField(
        required=False, max_length=10, help_text="up, down, or none to take it back."
    )
    text = serializers.CharField(required=False, max_length=500)
    grade = serializers.FloatField(
        required=False,
        min_value=0,
        max_value=Judgement.GRADE_MOST,
        help_text="0 is wrong, 1 related, 2 right, 3 exactly it.",
    )

    def validate(self, asked: dict[str, Any]) -> dict[str, Any]:
        if {"search", "thumb"} <= asked.keys() or {"text", "grade"} <= asked.keys():
            return asked
        raise ServiceError("judgement_incomplete")


JudgementOutput = inline_serializer(
    "JudgementAnswer",
    {
        "success": serializers.BooleanField(),
        "part": serializers.UUIDField(),
        "thumb": serializers.CharField(required=False),
        "grade": serializers.FloatField(required=False),
    },
)


class JudgementListApi(APIView):
    scopes: ClassVar = {"POST": "admin"}

    @extend_schema(request=JudgementInput, responses=JudgementOutput)
    def post(self, request: Request) -> Response:
        """Say whether a part is right for a query; engines are measured by it."""
        form = JudgementInput(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        by = request.user if request.user.pk else None
        if "search" in asked:
            thumb = judging.thumb_give(
                search=asked["search"], part=asked["part"], thumb=asked["thumb"], by=by
            )
            return Response({"success": True, "part": asked["part"], "thumb": thumb})
        judging.judgement_write(
            query=judging.text_query(asked["text"]),
            part=part_get(asked["part"]),
            grade=asked["grade"],
            by=by,
        )
        return Response({"success": True, "part": asked["part"], "grade": asked["grade"]}, 201)


class RunInput(serializers.Serializer):
    engines = serializers.ListField(
        child=serializers.CharField(max_length=80),
        required=False,
        default=list,
        max_length=12,
        help_text="a+b are both together; by default every engine in use, the words and fusion.",
    )
    sources = serializers.ListField(
        child=serializers.ChoiceField(SOURCES), required=False, default=list(DEFAULT_SOURCES)
    )
    kinds = serializers.ListField(
        child=serializers.ChoiceField(KINDS), required=False, default=list
    )
    query_set = serializers.CharField(required=False, default="", allow_blank=True, max_length=80)
    k = serializers.IntegerField(required=False, default=10)
    limit = serializers.IntegerField(required=False, default=500)
    seed = serializers.IntegerField(required=False, default=0)
    threads = serializers.IntegerField(required=False, default=4)
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)


class RunOutput(serializers.ModelSerializer):
    error = serializers.CharField()
    percent = serializers.IntegerField()

    class Meta:
        model = EvaluationRun
        fields = (
            "id", "state", "error", "engines", "plan", "total", "position", "percent", "note",
            "config_hash", "created_at", "started_at", "finished_at",
        )  # fmt: skip


class RunDetailOutput(RunOutput):
    class Meta(RunOutput.Meta):
        fields = (*RunOutput.Meta.fields, "metrics", "versions")


class EvaluationListApi(APIView):
    scopes: ClassVar = {"GET": "read", "POST": "admin"}

    @extend_schema(
        responses=inline_serializer(
            "EvaluationList",
            {"success": serializers.BooleanField(), "results": RunOutput(many=True)},
        )
    )
    def get(self, request: Request) -> Response:
        """The newest evaluations, without their figures."""
        runs = EvaluationRun.objects.defer("questions", "metrics", "versions")[:RUNS_SHOWN]
        return Response({"success": True, "results": RunOutput(runs, many=True).data})

    @extend_schema(request=RunInput, responses={202: RunDetailOutput})
    def post(self, request: Request) -> Response:
        """Measure engines on judged queries; a worker does it, and the run says how far it is."""
        form = RunInput(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        choice = Choice(
            sources=tuple(asked["sources"]),
            kinds=tuple(asked["kinds"]),
            query_set=asked["query_set"],
            limit=asked["limit"],
            seed=asked["seed"],
        )
        run = evaluation.evaluation_start(
            names=asked["engines"],
            plan=evaluation.Plan(choice, asked["k"], asked["threads"]),
            note=asked["note"],
            by=request.user if request.user.pk else None,
        )
        return Response({"success": True, **RunDetailOutput(run).data}, 202)


class EvaluationApi(APIView):
    scopes: ClassVar = {"GET": "read", "DELETE": "admin"}

    @extend_schema(responses=RunDetailOutput)
    def get(self, request: Request, run: str) -> Response:
        """One evaluation with its figures."""
        return Response({"success": True, **RunDetailOutput(_run(run)).data})

    @extend_schema(responses=RunDetailOutput)
    def delete(self, request: Request, run: str) -> Response:
        """Stop one that is not finished. What was measured until then is kept."""
        if not evaluation.evaluation_cancel(_run(run)):
            raise ServiceError("evaluation_over", status=409)
        return Response({"success": True, **RunDetailOutput(_run(run)).data})


def _run(pk: str) -> EvaluationRun:
    run = EvaluationRun.objects.filter(pk=pk).first()
    if run is None:
        raise ServiceError("evaluation_unknown", status=404)
    return run
