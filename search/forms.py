"""What the search page accepts: one form for four tabs, whose filled fields make one query."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog.forms import HouseForm
from catalog.models import Category
from search.engines import engines_for
from search.query import Query
from search.selectors import Filters

# Tabs by their name in the address, and the kind of query each makes.
KINDS = {"picture": "image", "text": "text", "both": "hybrid", "stl": "mesh"}
MEGABYTE = 1024 * 1024


class CategoriesField(forms.ModelMultipleChoiceField):
    """Categories by their numbers; one too large for any database is not known either."""

    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value)
        except OverflowError as error:
            raise forms.ValidationError(
                self.error_messages["invalid_choice"], code="invalid_choice"
            ) from error


class FilterForm(HouseForm):
    """What hits are narrowed to; lengths in millimetres."""

    k = forms.IntegerField(
        label=gettext_lazy("Results"),
        required=False,
        error_messages={"invalid": gettext_lazy("The number of results is a whole number.")},
    )
    category = CategoriesField(
        queryset=None,
        required=False,
        label=gettext_lazy("Category"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": gettext_lazy("This category is not known.")},
    )
    watertight = forms.TypedChoiceField(
        label=gettext_lazy("Watertight"),
        required=False,
        choices=[
            ("", gettext_lazy("Either")),
            ("yes", gettext_lazy("Yes")),
            ("no", gettext_lazy("No")),
        ],
        coerce=lambda answer: answer == "yes",
        empty_value=None,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"].queryset = Category.objects.all()
        limits = settings.SEARCH.search
        self.fields["k"].widget.attrs.update(
            min=1, max=limits.max_k, placeholder=limits.default_k, inputmode="numeric"
        )
        for name, label in length_labels().items():
            self.fields[name] = forms.FloatField(
                label=label,
                required=False,
                min_value=0,
                widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
                error_messages={
                    "invalid": gettext_lazy("Give a number."),
                    "min_value": gettext_lazy("Give a number from 0 up."),
                },
            )

    def clean_k(self) -> int | None:
        k, most = self.cleaned_data["k"], settings.SEARCH.search.max_k
        if k is not None and not 1 <= k <= most:
            text = _("The number of results must lie between 1 and %(most)s.")
            raise forms.ValidationError(text % {"most": most})
        return k

    def clean(self) -> dict[str, Any]:
        known = super().clean()
        for low, high in (("x_min", "x_max"), ("y_min", "y_max"), ("z_min", "z_max"),
                          ("volume_min", "volume_max")):  # fmt: skip
            least, most = known.get(low), known.get(high)
            if least is not None and most is not None and least > most:
                self.add_error(high, _("The most is smaller than the least."))
        return known

    def filters(self) -> Filters:
        known = self.cleaned_data
        bounds = {
            end: tuple(known.get(f"{axis}_{end}") for axis in "xyz") for end in ("min", "max")
        }
        return Filters(
            category=tuple(category.pk for category in known["category"]),
            size_min=bounds["min"] if any(v is not None for v in bounds["min"]) else None,
            size_max=bounds["max"] if any(v is not None for v in bounds["max"]) else None,
            volume_min=known.get("volume_min"),
            volume_max=known.get("volume_max"),
            watertight=known.get("watertight"),
        )

    @property
    def narrowed(self) -> int:
        """How many filters are set, for the panel's head."""
        names = ("category", "watertight", *length_labels())
        return sum(bool(self.data.getlist(name) and any(self.data.getlist(name))) for name in names)


def length_labels() -> dict[str, str]:
    return {
        "x_min": _("Width at least, mm"),
        "x_max": _("Width at most, mm"),
        "y_min": _("Depth at least, mm"),
        "y_max": _("Depth at most, mm"),
        "z_min": _("Height at least, mm"),
        "z_max": _("Height at most, mm"),
        "volume_min": _("Volume at least, mm³"),
        "volume_max": _("Volume at most, mm³"),
    }


def percent_field(label: str) -> forms.FloatField:
    widget = forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"})
    return forms.FloatField(label=label, required=False, min_value=0, max_value=100, widget=widget)


class MarksForm(HouseForm):
    """Parts marked as more or less like what is looked for, by their ids.

    `more` and `less` are those marked already; `mark_more`, `mark_less` and `unmark` the button
    that was pressed. Marks belong to the words they were made for: `marked_for`.
    """

    engine = forms.CharField(label=gettext_lazy("Compare by"), required=False, max_length=60)

    def marks(self, question: str = "") -> dict[str, tuple[str, ...]]:
        """`more` and `less` after the button."""
        if self.data.get("marked_for", question).strip() != question:
            return {"more": (), "less": ()}
        pressed = {name: self._ids(f"mark_{name}") for name in ("more", "less")}
        gone = {*self._ids("unmark"), *pressed["more"], *pressed["less"]}
        return {
            name: (*(one for one in self._ids(name) if one not in gone), *of)
            for name, of in pressed.items()
        }

    def _ids(self, name: str) -> list[str]:
        return [part[:60] for part in self.data.getlist(name) if part]


class SimilarForm(MarksForm):
    """How the parts similar to a part are asked for. What is not known is left out."""

    def clean_engine(self) -> str:
        engine = self.cleaned_data["engine"]
        return engine if engine in dict(engines_for("mesh")) else ""

    def asked(self) -> dict[str, Any]:
        """The engine and the marks; of a form that is not valid, the marks alone."""
        self.is_valid()
        return {"engine": self.cleaned_data.get("engine", ""), **self.marks()}


class SearchForm(FilterForm, MarksForm):
    """The question itself. `tab` decides which of its fields are asked for."""

    q = forms.CharField(required=False, strip=True)
    image = forms.FileField(required=False, allow_empty_file=True)
    mesh = forms.FileField(required=False, allow_empty_file=True)
    # "no" asks in the user's own words only; a box that is not ticked says nothing.
    expand = forms.CharField(required=False, max_length=10)
    # "yes" asks for the second look, "now" by the page's script after the first answer.
    verify = forms.CharField(required=False, max_length=10)
    alpha = forms.FloatField(
        label=gettext_lazy("The picture's share"), required=False, min_value=0, max_value=1
    )
    crop_left = percent_field(gettext_lazy("Left edge, %"))
    crop_top = percent_field(gettext_lazy("Top edge, %"))
    crop_right = percent_field(gettext_lazy("Right edge, %"))
    crop_bottom = percent_field(gettext_lazy("Bottom edge, %"))

    def __init__(self, *args: Any, tab: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tab = tab

    def clean_q(self) -> str:
        words, most = self.cleaned_data["q"], settings.SEARCH.limits.text_characters
        if len(words) > most:
            text = _("The words are %(found)s characters long; the most is %(most)s.")
            raise forms.ValidationError(text % {"found": len(words), "most": most})
        if not words and self.tab == "text":
            raise forms.ValidationError(_("Write what you look for."))
        return words

    def clean_image(self) -> Any:
        picture, most = self.cleaned_data["image"], settings.SEARCH.limits.picture_mb
        if self.tab in {"picture", "both"}:
            if picture is None and self.tab == "picture":
                raise forms.ValidationError(_("Choose a picture first."))
            if picture is not None and picture.size > most * MEGABYTE:
                text = _("The picture is larger than %(most)s MB.")
                raise forms.ValidationError(text % {"most": most})
        return picture

    def clean_mesh(self) -> Any:
        mesh = self.cleaned_data["mesh"]
        if self.tab == "stl" and mesh is None:
            raise forms.ValidationError(_("Choose an STL or another mesh file first."))
        return mesh

    def clean_engine(self) -> str:
        # The engine of another tab, left in a link or a hidden field, is no reason to refuse.
        engine = self.cleaned_data["engine"]
        return engine if engine in dict(engines_for(KINDS[self.tab])) else ""

    def clean(self) -> dict[str, Any]:
        known = super().clean()
        if self.tab == "both" and not self.errors and not (known["q"] or known["image"]):
            raise forms.ValidationError(_("Choose a picture, write some words, or both."))
        left, top, right, bottom = self.crop_percent
        if (right - left < 1 or bottom - top < 1) and not self.errors:
            raise forms.ValidationError(_("The frame is empty: draw it a little larger."))
        return known

    @property
    def crop_percent(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in percent of the picture; what is not given is the edge."""
        edges = {"crop_left": 0.0, "crop_top": 0.0, "crop_right": 100.0, "crop_bottom": 100.0}
        given = {name: self.cleaned_data.get(name) for name in edges}
        left, top, right, bottom = (
            edge if given[name] is None else given[name] for name, edge in edges.items()
        )
        return left, top, right, bottom

    @property
    def verifies(self) -> bool:
        """Whether the hits are to be laid over the picture that was sent."""
        pictured = self.tab in {"picture", "both"} and bool(self.cleaned_data["image"])
        return pictured and self.cleaned_data["verify"] in {"yes", "now"}

    def query(self) -> Query:
        """The query of the valid form."""
        known, kind = self.cleaned_data, KINDS[self.tab]
        picture = known["image"]
        cropped = any(known.get(f"crop_{edge}") is not None
                      for edge in ("left", "top", "right", "bottom"))  # fmt: skip
        left, top, right, bottom = (edge / 100 for edge in self.crop_percent)
        return Query(
            kind=kind,
            image=picture.read() if picture and self.tab in {"picture", "both"} else None,
            text=known["q"] if self.tab in {"text", "both"} else "",
            mesh=known["mesh"] if self.tab == "stl" else None,
            k=known["k"],
            engine=known["engine"],
            filters=self.filters(),
            alpha=known["alpha"] if self.tab == "both" else None,
            crop=(left, top, right, bottom) if cropped else None,
            expand=False if known["expand"] == "no" else None,
            show_cut=True,
            verify=self.verifies,
            **self.marks(known["q"]),
        )

    def sentences(self) -> list[str]:
        """Every fault as a sentence; a filter's is told by its label."""
        own = {"q", "image", "mesh", "k", NON_FIELD_ERRORS}
        return [
            str(error)
            if field in own or not self.fields[field].label
            else f"{self.fields[field].label}: {error}"
            for field, errors in self.errors.items()
            for error in errors
        ]
