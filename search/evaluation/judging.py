"""What people say of hits: thumbs, and the clicks that say a little. Writes only.

A search that was judged becomes a query that engines are measured by, with the picture or mesh
it was made with.
"""

from typing import Any

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils import timezone

from catalog.errors import ServiceError
from catalog.models import Part
from catalog.selectors import part_get
from search.evaluation.logs import language_of, query_digest, search_made
from search.models import EvaluationQuery, Judgement, SearchLog

THUMBS = {"up": Judgement.RIGHT, "down": Judgement.WRONG}
UNDO = "none"


def thumb_give(*, search: str, part: str, thumb: str, by: Any) -> str:
    """Say of a hit of a search that it is right ("up"), wrong ("down"), or take it back ("none").

    Returns the thumb that stands now. Raises `ServiceError` for what was not found so.
    """
    if thumb not in {*THUMBS, UNDO}:
        known = ", ".join([*THUMBS, UNDO])
        raise ServiceError("choice_unknown", name=thumb[:40], known=known)
    made, found = _hit(search, part)
    if thumb == UNDO:
        _given(made.digest, by).filter(part=found).delete()
        return UNDO
    judgement_write(query=query_of_search(made), part=found, grade=THUMBS[thumb], by=by)
    return thumb


def click_note(*, search: str, part: str, by: Any) -> bool:
    """A hit was opened: a weak sign that it is right. False when that was known."""
    made, found = _hit(search, part)
    query = query_of_search(made)
    rank = made.hits.index(found.pk) + 1
    try:
        with transaction.atomic():
            Judgement.objects.create(
                query=query, part=found, grade=Judgement.CLICKED, source=Judgement.Source.CLICK,
                by=by, rank=rank,
            )  # fmt: skip
    except IntegrityError:
        return False
    return True


def judgement_write(*, query: EvaluationQuery, part: Part, grade: float, by: Any) -> Judgement:
    """One person's grade of a part for a query; a newer one replaces it."""
    if not 0 <= grade <= Judgement.GRADE_MOST:
        raise ServiceError(
            "number_out_of_range", name="grade", value=grade, least=0, most=Judgement.GRADE_MOST
        )
    values = {"grade": grade, "created_at": timezone.now()}
    asked = {"query": query, "part": part, "source": Judgement.Source.STAFF, "by": by}
    if by is not None:
        return Judgement.objects.update_or_create(**asked, defaults=values)[0]
    # Tokens of nobody are one voice; only what people say is once each by a rule of the database.
    with transaction.atomic():
        Judgement.objects.filter(**asked).delete()
        return Judgement.objects.create(**asked, **values)


def text_query(text: str) -> EvaluationQuery:
    """The query that staff judge for these words."""
    return _query("text", text.strip(), query_digest("text", text))


def query_of_search(made: SearchLog) -> EvaluationQuery:
    """The search as a query to measure by. Raises `ServiceError` when its file was not kept."""
    only_words = made.digest == query_digest(made.kind, made.text)
    if not made.file and not only_words:
        raise ServiceError("search_not_kept", status=409)
    return _query(made.kind, made.text, made.digest, file=made.file)


def thumbs_given(digest: str, by: Any) -> dict[int, str]:
    """What somebody said of the hits of a query: {part id: "up" or "down"}."""
    rows = _given(digest, by).values_list("part", "grade")
    return {part: "up" if grade > 0 else "down" for part, grade in rows}


def _hit(search: str, part: str) -> tuple[SearchLog, Part]:
    made = search_made(search)
    if made is None:
        raise ServiceError("search_unknown", status=404)
    found = part_get(part)
    if found.pk not in made.hits:
        raise ServiceError("not_a_hit")
    return made, found


def _given(digest: str, by: Any) -> Any:
    return Judgement.objects.filter(
        query__origin=EvaluationQuery.Origin.STAFF,
        query__digest=digest,
        source=Judgement.Source.STAFF,
        by=by,
    )


def _query(kind: str, text: str, digest: str, *, file: Any = None) -> EvaluationQuery:
    origin = EvaluationQuery.Origin.STAFF
    held = EvaluationQuery.objects.filter(origin=origin, query_set="", digest=digest).first()
    if held is not None:
        return held
    made = EvaluationQuery(
        origin=origin, kind=kind, text=text, language=language_of(text), digest=digest
    )
    if file:
        # Its own copy: the search is forgotten after a while, the query is not.
        suffix = file.name.rpartition(".")[2]
        with file.open("rb") as held_file:
            made.file.save(
                f"asked/queries/{digest[:24]}.{suffix}", ContentFile(held_file.read()), save=False
            )
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError:  # another was quicker
        return EvaluationQuery.objects.get(origin=origin, query_set="", digest=digest)
    return made
