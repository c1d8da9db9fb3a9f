"""The REST doors of duplicates: the list of pairs, and what somebody says of one."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.api import PER_PAGE_MAX, PartOutput
from catalog.models import Part
from search.duplicates import services as duplicates
from search.models import DuplicatePair
from search.templatetags.duplicates import likeness_says


class PairOutput(serializers.ModelSerializer):
    """Two parts: `part_a` is the one that was here first, `factor` the size of b over a's."""

    part_a = PartOutput()
    part_b = PartOutput()
    decided_by = serializers.CharField(source="decided_by.get_username", default=None)

    class Meta:
        model = DuplicatePair
        fields = (
            "id", "part_a", "part_b", "relation", "factor", "score", "state", "found_at",
            "decided_by", "decided_at",
        )  # fmt: skip


def part_duplicates(part: Part) -> list[dict[str, Any]]:
    """What a part looks like, for its own answer: `factor` is its size over the other's."""
    return [
        {
            "id": likeness.pair.pk,
            "part_id": str(likeness.other.uuid),
            "number": likeness.other.number,
            "name": likeness.other.name,
            "relation": likeness.pair.relation,
            "factor": round(likeness.factor, 6),
            "score": round(likeness.pair.score, 4),
            "state": likeness.pair.state,
            "says": likeness_says(likeness),
        }
        for likeness in duplicates.part_likenesses(part)
    ]


class DuplicateListApi(APIView):
    scopes: ClassVar = {"GET": "read"}

    class FilterInput(serializers.Serializer):
        state = serializers.ChoiceField(
            ["", *DuplicatePair.State.values], required=False, default="open", allow_blank=True
        )
        relation = serializers.ChoiceField(
            DuplicatePair.Relation.choices, required=False, default="", allow_blank=True
        )
        part = serializers.UUIDField(required=False, default=None)
        page = serializers.IntegerField(required=False, default=1, min_value=1, max_value=1_000_000)
        per_page = serializers.IntegerField(
            required=False, default=duplicates.PER_PAGE, min_value=1, max_value=PER_PAGE_MAX
        )

    @extend_schema(
        parameters=[FilterInput],
        responses=inline_serializer(
            "DuplicatePage",
            {
                "success": serializers.BooleanField(),
                "count": serializers.IntegerField(),
                "page": serializers.IntegerField(),
                "pages": serializers.IntegerField(),
                "results": PairOutput(many=True),
            },
        ),
    )
    def get(self, request: Request) -> Response:
        """Pairs of parts that look like one part twice, the likest first; open ones by default."""
        query = self.FilterInput(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        filters = duplicates.PairFilters(
            state=asked["state"],
            relation=asked["relation"],
            part=str(asked["part"] or ""),
        )
        found = duplicates.pairs_page(filters, page=asked["page"], per_page=asked["per_page"])
        return Response(
            {
                "success": True,
                "count": found.paginator.count,
                "page": found.number,
                "pages": found.paginator.num_pages,
                "results": PairOutput(found.object_list, many=True).data,
            }
        )


class DuplicateApi(APIView):
    scopes: ClassVar = {"GET": "read", "POST": "write"}

    class DecisionInput(serializers.Serializer):
        state = serializers.ChoiceField(
            DuplicatePair.State.choices,
            help_text="dismissed: two parts, never ask again; confirmed: one part twice; open: "
            "ask again.",
        )
        trash = serializers.UUIDField(
            required=False,
            default=None,
            allow_null=True,
            help_text="With confirmed: the one of the two parts that goes to the trash.",
        )

    @extend_schema(responses=PairOutput)
    def get(self, request: Request, pair_id: str) -> Response:
        return self.answer(duplicates.pair_get(int(pair_id)))

    @extend_schema(request=DecisionInput, responses=PairOutput)
    def post(self, request: Request, pair_id: str) -> Response:
        """Say what a pair is. What was dismissed is not proposed again."""
        asked = self.DecisionInput(data=request.data)
        asked.is_valid(raise_exception=True)
        pair = duplicates.pair_decide(
            pair=duplicates.pair_get(int(pair_id)),
            state=asked.validated_data["state"],
            trash=str(asked.validated_data["trash"] or ""),
            user=request.user,
        )
        return self.answer(pair)

    def answer(self, pair: DuplicatePair) -> Response:
        return Response({"success": True, **PairOutput(pair).data})
