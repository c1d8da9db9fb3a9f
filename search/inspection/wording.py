"""Verdicts and reasons as sentences for their reader."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.errors import SENTENCES, sentence
from catalog.models import Part

REASONS = {
    # against the piece
    "other_part": gettext_lazy("It fits another part better: %(name)s."),
    "missing": gettext_lazy(
        "Something is missing: %(value_mm)s mm wide, where %(limit_mm)s mm is allowed."
    ),
    "extra": gettext_lazy(
        "There is something too much: %(value_mm)s mm wide, where %(limit_mm)s mm is allowed."
    ),
    "local_deviation": gettext_lazy(
        "The outline is off by %(value_mm)s mm in one place, where %(limit_mm)s mm is allowed."
    ),
    "size_deviation": gettext_lazy("It is %(percent)s %% the size of the part."),
    "surface_deviation": gettext_lazy("The surface looks otherwise in one place."),
    "edges_missing": gettext_lazy("Edges that the part has are not to be seen."),
    "unsure": gettext_lazy("Good pieces and bad ones may look like this. It cannot be told."),
    "unlike": gettext_lazy("Taken together, it differs more than good pieces do."),
    # against the photo
    "piece_small": gettext_lazy("The piece is too small in the photo. Go nearer."),
    "piece_cut": gettext_lazy("The piece is cut off by the photo's border."),
    "several_objects": gettext_lazy("There is more than one object in the photo."),
    "glare": gettext_lazy("Parts of the piece are blown out by glare."),
    "dark": gettext_lazy("The photo is too dark."),
    "blurred": gettext_lazy("The photo is blurred."),
    "not_a_photo": gettext_lazy("This looks like a drawing or a screenshot, not like a photo."),
    "low_contrast": gettext_lazy(
        "Piece and ground are hard to tell apart. Use a ground of another colour."
    ),
    "pose_doubtful": gettext_lazy("It is not sure how the piece lies."),
    "pose_ambiguous": gettext_lazy("The piece could as well lie another way."),
    "rival_near": gettext_lazy("It can hardly be told from another part: %(name)s."),
}
VERDICTS = {
    "pass": gettext_lazy("The piece looks like the part."),
    "review": gettext_lazy("Somebody should look at this piece."),
    "fail": gettext_lazy("The piece differs from the part."),
}
STAGES = {
    "mask": gettext_lazy("Cutting the piece out"),
    "pose": gettext_lazy("Finding how it lies"),
    "measures": gettext_lazy("Measuring the differences"),
    "competition": gettext_lazy("Comparing with similar parts"),
}


Others = Mapping[str, Part]
"""other parts that reasons speak of, by uuid, as `selectors.others_of` reads them"""


def other_name(told: Mapping[str, Any], others: Others) -> str:
    """How {"part", "name"} is called in the reader's language; once that part is gone, what it was
    called when the inspection ran."""
    other = others.get(told["part"])
    return str(other or told.get("name") or _("a part that is gone"))


def reason_sentence(code: str, params: Mapping[str, Any]) -> str:
    """One reason in the reader's language."""
    shown = dict(params)
    if "factor" in shown:
        shown["percent"] = f"{float(shown['factor']) * 100:.1f}"
    wanted = str(shown.get("kind", "")) if code == "local_deviation" else code
    text = REASONS.get(wanted) or REASONS.get(code)
    if text is not None:
        try:
            return str(text) % shown
        except (KeyError, ValueError):
            return str(text).split("%", 1)[0].strip()
    return sentence(code, shown) if code in SENTENCES else code


def reasons_told(reasons: Iterable[Mapping[str, Any]], others: Others) -> list[dict[str, Any]]:
    """Each reason with its sentence: [{"code", "message", ...its numbers}]."""
    told = []
    for reason in reasons:
        code, params = reason["code"], dict(reason.get("params", {}))
        if "part" in params:
            params["name"] = other_name(params, others)
        told.append({**params, "code": code, "message": reason_sentence(code, params)})
    return told


def reason_sentences(reasons: Iterable[Mapping[str, Any]], others: Others) -> list[str]:
    return [reason["message"] for reason in reasons_told(reasons, others)]


def rivals_told(rivals: Iterable[Mapping[str, Any]], others: Others) -> list[dict[str, Any]]:
    """An inspection's rivals, each by its name in the reader's language."""
    return [{**rival, "name": other_name(rival, others)} for rival in rivals]


def verdict_sentence(verdict: str) -> str:
    return str(VERDICTS[verdict]) if verdict in VERDICTS else ""
