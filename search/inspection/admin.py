"""Inspections in Django admin: looked at, run again and decided; what is asked of pieces, what was
learnt, and who is told, kept there."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from catalog.admin import ReadOnlyInline
from catalog.errors import ServiceError, sentence
from search.admin import LookOnly
from search.inspection import learning, services, telling
from search.inspection.bodies import media_url
from search.inspection.selectors import others_of
from search.inspection.wording import Others, reason_sentences, verdict_sentence
from search.models import (
    Inspection,
    InspectionBatch,
    InspectionNotice,
    InspectionPhoto,
    QcCalibration,
    QcThreshold,
    Webhook,
)

TESTS_MOST = 5  # webhooks tested at once: each may take ten seconds


def picture(name: str, *, width: int) -> str:
    """A picture of a photo; it is fetched when it is scrolled to."""
    if not name:
        return "–"
    url = media_url(name)
    image = '<img src="{}" width="{}" alt="{}" loading="lazy">'
    image = format_html(image, url, width, _("photo"))
    return format_html('<a href="{}">{}</a>', url, image)


class PhotoInline(ReadOnlyInline):
    model = InspectionPhoto
    fields = ("drawn_over", "verdict", "alike", "why", "widest", "shown_share", "corrected")
    readonly_fields = ("drawn_over", "alike", "why", "widest", "shown_share", "corrected")

    @admin.display(description=gettext_lazy("picture"))
    def drawn_over(self, photo: InspectionPhoto) -> str:
        return picture(photo.overlay or photo.shown or photo.file.name, width=320)

    @admin.display(description=gettext_lazy("similarity"))
    def alike(self, photo: InspectionPhoto) -> str:
        return rounded(photo.similarity)

    @admin.display(description=gettext_lazy("widest deviation, mm"))
    def widest(self, photo: InspectionPhoto) -> str:
        return rounded(photo.max_dev_mm, places=2)

    @admin.display(description=gettext_lazy("surface seen"))
    def shown_share(self, photo: InspectionPhoto) -> str:
        return percent(photo.coverage)

    def get_formset(self, request: HttpRequest, obj: Any = None, **options: Any) -> Any:
        # Asked once for all the photos, before any of them is shown.
        self.others = others_of(*obj.photos.all()) if obj else {}
        return super().get_formset(request, obj, **options)

    @admin.display(description=gettext_lazy("reasons"))
    def why(self, photo: InspectionPhoto) -> str:
        return sentences(photo.reasons, self.others)

    @admin.display(description=gettext_lazy("corrected"))
    def corrected(self, photo: InspectionPhoto) -> str:
        if photo.corrected_at is None:
            return "–"
        return f"{photo.corrected_by or ''} {photo.corrected_at:%Y-%m-%d %H:%M}".strip()


def rounded(value: float | None, *, places: int = 3) -> str:
    return "–" if value is None else f"{value:.{places}f}"


def percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def sentences(reasons: list[dict[str, Any]], others: Others) -> str:
    told = ((said,) for said in reason_sentences(reasons, others))
    return format_html_join("", "<div>{}</div>", told) or "–"


@admin.register(Inspection)
class InspectionAdmin(LookOnly):
    list_display = ("overlay", "piece_shown", "part", "state", "verdict", "similarity_shown",
                    "decision", "decided_by", "created_at")  # fmt: skip
    list_display_links = ("piece_shown",)
    list_filter = ("verdict", "state", "decision", "created_at", "part__category")
    list_select_related = ("part", "decided_by")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("piece", "note", "part__number", "part__name", "part__name_zh")
    date_hierarchy = "created_at"
    inlines = (PhotoInline,)
    actions = ("run_again", "decide_good", "decide_bad", "decide_open")
    fields = (
        "page", "part", "piece", "batch", "state", "error_shown", "verdict_shown", "why",
        "similarity_shown", "threshold", "good_shown", "coverage_shown", "scaled",
        "calibration", "learnt_shown", "decision", "decided_by", "decided_at", "note", "by",
        "created_at", "finished_at",
    )  # fmt: skip
    readonly_fields = ("page", "error_shown", "verdict_shown", "why", "similarity_shown",
                       "good_shown", "coverage_shown", "learnt_shown")  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Inspection]:
        return super().get_queryset(request).prefetch_related("photos__corrected_by")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def delete_model(self, request: HttpRequest, obj: Inspection) -> None:
        services.inspection_erase(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Inspection]) -> None:
        for inspection in queryset:
            services.inspection_erase(inspection)

    @admin.display(description=gettext_lazy("picture"))
    def overlay(self, inspection: Inspection) -> str:
        for photo in inspection.photos.all():
            if photo.overlay or photo.shown:
                return picture(photo.overlay or photo.shown, width=96)
        return "–"

    @admin.display(description=gettext_lazy("piece"), ordering="piece")
    def piece_shown(self, inspection: Inspection) -> str:
        return inspection.piece or str(inspection.uuid)[:8]

    @admin.display(description=gettext_lazy("similarity"), ordering="similarity")
    def similarity_shown(self, inspection: Inspection) -> str:
        return rounded(inspection.similarity)

    @admin.display(description=gettext_lazy("chance of a good piece"))
    def good_shown(self, inspection: Inspection) -> str:
        return rounded(inspection.p_good)

    @admin.display(description=gettext_lazy("surface seen"))
    def coverage_shown(self, inspection: Inspection) -> str:
        return percent(inspection.coverage)

    @admin.display(description=gettext_lazy("page"))
    def page(self, inspection: Inspection) -> str:
        url = reverse("inspection", args=[inspection.uuid])
        return format_html('<a href="{}">{}</a>', url, url)

    @admin.display(description=gettext_lazy("error"))
    def error_shown(self, inspection: Inspection) -> str:
        return inspection.error_message or "–"

    @admin.display(description=gettext_lazy("verdict"))
    def verdict_shown(self, inspection: Inspection) -> str:
        said = verdict_sentence(inspection.verdict)
        return f"{inspection.get_verdict_display()}: {said}" if said else "–"

    @admin.display(description=gettext_lazy("reasons"))
    def why(self, inspection: Inspection) -> str:
        return sentences(inspection.reasons, others_of(inspection))

    @admin.display(description=gettext_lazy("learnt from the part's own pieces"))
    def learnt_shown(self, inspection: Inspection) -> str:
        if not inspection.learnt:
            return "–"
        return learnt_sentence(inspection.learnt)

    @admin.action(description=gettext_lazy("Run again"), permissions=["act"])
    def run_again(self, request: HttpRequest, queryset: QuerySet[Inspection]) -> None:
        n = 0
        for inspection in queryset:
            try:
                services.inspection_again(inspection)
            except ServiceError as error:
                messages.error(request, f"{inspection.part}: {error}")
            else:
                n += 1
        text = ngettext("%(n)s inspection was queued.", "%(n)s inspections were queued.", n)
        messages.success(request, text % {"n": n})

    @admin.action(description=gettext_lazy("These are good pieces"), permissions=["act"])
    def decide_good(self, request: HttpRequest, queryset: QuerySet[Inspection]) -> None:
        self._decide(request, queryset, Inspection.Decision.GOOD)

    @admin.action(description=gettext_lazy("These are bad pieces"), permissions=["act"])
    def decide_bad(self, request: HttpRequest, queryset: QuerySet[Inspection]) -> None:
        self._decide(request, queryset, Inspection.Decision.BAD)

    @admin.action(description=gettext_lazy("Take the decisions back"), permissions=["act"])
    def decide_open(self, request: HttpRequest, queryset: QuerySet[Inspection]) -> None:
        self._decide(request, queryset, Inspection.Decision.OPEN)

    def _decide(self, request: HttpRequest, queryset: QuerySet[Inspection], decision: str) -> None:
        n = 0
        for inspection in queryset:
            services.inspection_decide(inspection, decision=decision, by=request.user)
            n += 1
        text = ngettext("%(n)s inspection was decided.", "%(n)s inspections were decided.", n)
        messages.success(request, text % {"n": n})


def learnt_sentence(learnt: dict[str, Any]) -> str:
    return _("%(good)s good and %(bad)s bad pieces; log odds moved by %(shift)s") % {
        "good": learnt["n_good"],
        "bad": learnt["n_bad"],
        "shift": f"{float(learnt['shift']):+.2f}",
    }


@admin.register(InspectionBatch)
class InspectionBatchAdmin(LookOnly):
    list_display = ("__str__", "state", "total", "n_inspections", "n_refused", "by", "created_at")
    list_filter = ("state", "created_at")
    list_select_related = ("by",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("name",)
    fields = ("name", "part", "state", "error_shown", "total", "n_inspections", "refused_shown",
              "by", "created_at", "finished_at")  # fmt: skip
    readonly_fields = ("error_shown", "n_inspections", "refused_shown")

    def get_queryset(self, request: HttpRequest) -> QuerySet[InspectionBatch]:
        return super().get_queryset(request).annotate(n_made=Count("inspections"))

    @admin.display(description=gettext_lazy("inspections"), ordering="n_made")
    def n_inspections(self, batch: Any) -> int:
        return batch.n_made

    @admin.display(description=gettext_lazy("refused"))
    def n_refused(self, batch: InspectionBatch) -> int:
        return len(batch.refused)

    @admin.display(description=gettext_lazy("error"))
    def error_shown(self, batch: InspectionBatch) -> str:
        return batch.error_message or "–"

    @admin.display(description=gettext_lazy("refused"))
    def refused_shown(self, batch: InspectionBatch) -> str:
        rows = (
            (row.get("name", ""), sentence(row.get("code", ""), row.get("params") or {}))
            for row in batch.refused[:100]
        )
        return format_html_join("", "<div>{}: {}</div>", rows) or "–"


class ThresholdForm(forms.ModelForm):
    class Meta:
        model = QcThreshold
        fields = ("category", "threshold", "tolerance", "tolerance_mm", "size")

    def clean_category(self) -> Any:
        category = self.cleaned_data["category"]
        general = QcThreshold.objects.filter(category=None).exclude(pk=self.instance.pk)
        if category is None and general.exists():
            raise forms.ValidationError(_("There is a general threshold already; change that."))
        return category


@admin.register(QcThreshold)
class QcThresholdAdmin(admin.ModelAdmin):
    form = ThresholdForm
    list_display = ("__str__", "threshold", "tolerance", "tolerance_mm", "size")
    list_select_related = ("category",)
    autocomplete_fields = ("category",)
    list_per_page = 100


@admin.register(QcCalibration)
class QcCalibrationAdmin(LookOnly):
    list_display = ("__str__", "shift", "n_good", "n_bad", "in_use", "made_at")
    list_select_related = ("part",)
    list_per_page = 100
    show_full_result_count = False
    search_fields = ("part__number", "part__name", "part__name_zh")
    actions = ("learn_anew", "forget")
    fields = ("part", "shift", "n_good", "n_bad", "version", "in_use", "made_at")
    readonly_fields = ("shift", "in_use")

    @admin.display(description=gettext_lazy("shift of the log odds"))
    def shift(self, row: QcCalibration) -> str:
        value = row.data.get("shift")
        return f"{value:+.2f}" if isinstance(value, int | float) else "–"

    @admin.display(description=gettext_lazy("in use"), boolean=True)
    def in_use(self, row: QcCalibration) -> bool:
        """What another version of the product learnt is of no use to this one."""
        return learning.is_current(row)

    @admin.action(description=gettext_lazy("Learn anew"), permissions=["act"])
    def learn_anew(self, request: HttpRequest, queryset: QuerySet[QcCalibration]) -> None:
        for row in queryset:
            learning.learning_ask(row.part_id)
        messages.success(request, _("The workers will read all decisions again."))

    @admin.action(
        description=gettext_lazy("Forget: learn from later decisions only"), permissions=["act"]
    )
    def forget(self, request: HttpRequest, queryset: QuerySet[QcCalibration]) -> None:
        for row in queryset:
            learning.calibration_forget(row)
        messages.success(request, _("Forgotten; the decisions themselves stay."))


class HttpsField(forms.URLField):
    """An address without a scheme is one of https."""

    def __init__(self, **options: Any) -> None:
        super().__init__(assume_scheme="https", **options)


class WebhookForm(forms.ModelForm):
    class Meta:
        model = Webhook
        fields = ("name", "url", "event", "secret", "active")
        field_classes: ClassVar = {"url": HttpsField}


@admin.register(Webhook)
class WebhookAdmin(admin.ModelAdmin):
    form = WebhookForm
    list_display = ("name", "url", "event", "active", "last_at", "last_status")
    list_filter = ("active", "event")
    search_fields = ("name", "url")
    readonly_fields = ("last_at", "last_status")
    actions = ("test",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = ["name", "url", "event", "active", "last_at", "last_status"]
        # Who may only look could sign messages with it.
        may = self.has_change_permission(request, obj) or self.has_add_permission(request)
        return [*fields[:3], "secret", *fields[3:]] if may else fields

    @admin.action(description=gettext_lazy("Send a test"), permissions=["change"])
    def test(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        for webhook in queryset[:TESTS_MOST]:
            posted = telling.webhook_test(webhook)
            say = messages.success if posted.ok else messages.error
            say(request, f"{webhook.name}: {posted.answer}")


@admin.register(InspectionNotice)
class InspectionNoticeAdmin(LookOnly):
    list_display = ("inspection_page", "receiver", "event", "state", "attempts", "answer",
                    "created_at", "sent_at")  # fmt: skip
    list_filter = ("state", "event", "webhook")
    list_select_related = ("inspection", "webhook")
    list_per_page = 50
    show_full_result_count = False
    actions = ("send_again",)

    @admin.display(description=gettext_lazy("inspection"))
    def inspection_page(self, notice: InspectionNotice) -> str:
        uuid = notice.inspection.uuid
        return format_html('<a href="{}">{}</a>', reverse("inspection", args=[uuid]), str(uuid)[:8])

    @admin.display(description=gettext_lazy("receiver"), ordering="webhook")
    def receiver(self, notice: InspectionNotice) -> str:
        return notice.webhook.name if notice.webhook else _("e-mail")

    @admin.action(description=gettext_lazy("Send again"), permissions=["act"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[InspectionNotice]) -> None:
        n = telling.notices_again(queryset)
        text = ngettext("%(n)s notice was queued.", "%(n)s notices were queued.", n)
        messages.success(request, text % {"n": n})
