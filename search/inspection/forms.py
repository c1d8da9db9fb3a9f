"""What the inspector's pages accept. Fields and their sentences only: services do the work."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from catalog.forms import SieveForm
from search.inspection.history import PERIODS
from search.inspection.models import Verdict
from search.inspection.selectors import InspectionFilters
from search.models import Inspection

BY_LABELS = {"day": _("by day"), "week": _("by week"), "month": _("by month")}


class DayField(forms.DateField):
    """A day of a browser's calendar."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        super().__init__(required=False, widget=widget, input_formats=["%Y-%m-%d"], **options)


class HistoryForm(SieveForm):
    """The list of inspections narrowed, and its chart."""

    q = forms.CharField(required=False, max_length=120)
    verdict = forms.ChoiceField(
        required=False, label=_("Verdict"), choices=[("", _("Any verdict")), *Verdict.choices]
    )
    decision = forms.ChoiceField(
        required=False,
        label=_("Decision"),
        choices=[
            ("", _("Decided or not")),
            ("open", _("not decided")),
            ("good", _("good piece")),
            ("bad", _("bad piece")),
        ],
    )
    since = DayField(label=_("From"))
    until = DayField(label=_("To"))
    by = forms.ChoiceField(
        required=False, label=_("Chart"), choices=[(key, BY_LABELS[key]) for key in PERIODS]
    )
    part = forms.UUIDField(required=False)
    batch = forms.UUIDField(required=False)

    CHOICES = ("category", "verdict", "decision", "since", "until")
    NARROWS = ("q", "category", "verdict", "decision", "since", "until", "part", "batch")

    def kept(self) -> dict[str, Any]:
        known = self.known()
        return {name: known[name] for name in ("part", "batch", "by") if known.get(name)}

    def filters(self) -> InspectionFilters:
        known = self.known()
        decision, category = known.get("decision"), known.get("category")
        return InspectionFilters(
            part=known.get("part"),
            category=category.pk if category else None,
            batch=known.get("batch"),
            verdict=known.get("verdict") or "",
            decision={"": None, "open": ""}.get(decision or "", decision),
            since=known.get("since"),
            until=known.get("until"),
            q=known.get("q") or "",
        )

    @property
    def narrowed(self) -> str:
        """The filters that are set, as an address holds them; empty when there are none."""
        known, held = self.known(), QueryDict(mutable=True)
        for name in self.NARROWS:
            if known.get(name):
                held[name] = str(self.data.get(name, ""))
        return held.urlencode()


def filters_of_list(text: str) -> InspectionFilters | None:
    """The filters of the list that a page was opened from; None when it was not."""
    return HistoryForm(QueryDict(text[:1000])).filters() if text else None


def uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def said_of(text: str) -> str | None:
    """What a button says of a piece, as a row keeps it; None for nothing."""
    return {"open": Inspection.Decision.OPEN}.get(text, text) if text else None
