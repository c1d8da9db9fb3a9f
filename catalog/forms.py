"""What the catalogue's pages accept. Fields and their sentences only: services do the work."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog.models import Category, Part
from catalog.selectors import ORDERINGS, PartFilters
from catalog.services import tags_clean

ORDER_LABELS = {
    "-created_at": _("Newest first"),
    "created_at": _("Oldest first"),
    "name": _("Name A–Z"),
    "-name": _("Name Z–A"),
    "number": _("Number, ascending"),
    "-number": _("Number, descending"),
    "volume": _("Smallest first"),
    "-volume": _("Largest first"),
}


class TagsField(forms.CharField):
    """Words with commas between, Western or Chinese, as a list."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, "max_length": 3000, **options})

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        text = super().clean(value)
        for comma in "，、;；\n":
            text = text.replace(comma, ",")
        return [tag.strip() for tag in text.split(",") if tag.strip()]


class HouseForm(forms.Form):
    """Fields point at their help and their errors, for those who listen to the page."""

    required_css_class = "required"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)


class SieveForm(forms.Form):
    """A list narrowed by words and choices; `templates/_sieve.html` shows it. An unknown value
    counts as none: old links must not break."""

    q = forms.CharField(required=False, max_length=500)
    category = forms.ModelChoiceField(
        queryset=None, required=False, label=_("Category"), empty_label=_("All categories")
    )
    page = forms.IntegerField(required=False, min_value=1, max_value=10**6)

    # What is chosen from, in this order; the rest is said by links.
    CHOICES: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"].queryset = Category.objects.all()

    def choices(self) -> list[forms.BoundField]:
        return [self[name] for name in self.CHOICES]

    def known(self) -> dict[str, Any]:
        """The values that are valid."""
        self.is_valid()
        return self.cleaned_data

    def kept(self) -> dict[str, Any]:
        """What was said by links, and stays when another choice is made."""
        return {}

    def page_number(self) -> int:
        return self.known().get("page") or 1


class PartFilterForm(SieveForm):
    """The list of parts narrowed."""

    status = forms.ChoiceField(
        required=False, label=_("Status"), choices=[("", _("Any status")), *Part.Status.choices]
    )
    ordering = forms.ChoiceField(
        required=False,
        label=_("Order"),
        choices=[(key, ORDER_LABELS[key]) for key in ORDERINGS],
    )

    CHOICES = ("category", "status", "ordering")

    def filters(self) -> PartFilters:
        known = self.known()
        category = known.get("category")
        return PartFilters(
            q=known.get("q") or "",
            category=category.pk if category else None,
            status=known.get("status") or "",
            ordering=known.get("ordering") or PartFilters.ordering,
        )


class PartForm(HouseForm):
    """What people say of a part."""

    name = forms.CharField(
        label=_("Name"), max_length=300, error_messages={"required": _("A part needs a name.")}
    )
    name_zh = forms.CharField(label=_("Chinese name"), max_length=300, required=False)
    number = forms.CharField(label=_("Part number"), max_length=80, required=False)
    category = forms.ModelChoiceField(
        queryset=None, required=False, label=_("Category"), empty_label=_("No category")
    )
    tags = TagsField(label=_("Tags"), help_text=_("Words with commas between."))
    unit = forms.ChoiceField(
        label=_("Unit of the file"),
        choices=Part.Unit.choices,
        help_text=_("Sizes are shown in millimetres; the unit says how to read the file."),
    )
    description = forms.CharField(
        label=_("Description"), max_length=20_000, required=False, widget=forms.Textarea
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"].queryset = Category.objects.all()

    @classmethod
    def of(cls, part: Part) -> "PartForm":
        names = ("name", "name_zh", "number", "category", "tags", "unit", "description")
        return cls(initial={name: getattr(part, name) for name in names})

    def changes(self, part: Part) -> dict[str, Any]:
        """The valid fields. The unit only when it is another: an unchanged one confirms nothing."""
        fields = dict(self.cleaned_data)
        if fields["unit"] == part.unit:
            del fields["unit"]
        return fields


class PromptsField(forms.CharField):
    """Phrases, one a line, as a list: a phrase may hold commas."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)

    def clean(self, value: Any) -> list[str]:
        return tags_clean(super().clean(value).splitlines())


class CategoryForm(forms.ModelForm):
    """A category as the staff edits it."""

    prompts = PromptsField(
        label=_("Prompts"),
        required=False,
        max_length=3000,
        help_text=_(
            "What a picture of such a part shows, one phrase a line, in English or Chinese: "
            "a ring with a stone. Parts are classified by these and by the names."
        ),
    )

    class Meta:
        model = Category
        fields = ("name", "name_zh", "prompts", "parent")

    def clean_parent(self) -> Category | None:
        parent = above = self.cleaned_data["parent"]
        while above is not None and self.instance.pk:
            if above.pk == self.instance.pk:
                raise forms.ValidationError(_("A category cannot lie below itself."))
            above = above.parent
        return parent


class UnitForm(forms.Form):
    unit = forms.ChoiceField(choices=Part.Unit.choices)


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One or more files; an empty one passes, since the service says what is wrong with it."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        files = data if isinstance(data, (list, tuple)) else [data]
        return [super(FilesField, self).clean(file, initial) for file in files or [None]]


class UploadForm(HouseForm):
    """Many files at once, and what holds for all of them."""

    files = FilesField(
        label=_("Files"),
        allow_empty_file=True,
        error_messages={"required": _("Choose at least one file.")},
    )
    category = forms.ModelChoiceField(
        queryset=None, required=False, label=_("Category"), empty_label=_("No category")
    )
    tags = TagsField(label=_("Tags"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"].queryset = Category.objects.all()
