"""The engines in Django admin: what is in use, what is being filled, and the buttons between.

One page for all of it. Every change is a POST that says which state it was decided by, so that two
people's buttons never undo each other unseen.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from catalog.errors import ServiceError
from search import engines
from search.lifecycle import installs, selection, switching
from search.models import EngineInstall, EvaluationRun, InstallFault, Selection

State = EngineInstall.State
SHOWN = 20  # selections
FAULTS = 10  # parts that an engine cannot embed


@dataclass(frozen=True)
class Row:
    """One engine as the page shows it."""

    facts: dict[str, Any]
    install: EngineInstall | None
    measured: list[dict[str, Any]]
    others: list[tuple[str, str]]  # in use, which it could stand in for: names and labels
    faults: list[InstallFault]
    faults_more: int

    @property
    def state(self) -> str:
        """What decides which buttons it has."""
        held = self.install.state if self.install else "none"
        return f"{held}{'-used' if self.facts['in_use'] else ''}"

    @property
    def standing(self) -> str:
        """In a word, for a badge's colour."""
        if self.is_only_described:
            return "idle"
        if self.facts["fault"] or (self.install and self.install.state == State.FAILED):
            return "bad"
        if self.facts["in_use"]:
            return "used"
        return "busy" if self.is_busy else "idle"

    @property
    def is_only_described(self) -> bool:
        """Nobody asked for it yet: that its weights are not here is no trouble."""
        return self.install is None and not self.facts["in_use"]

    @property
    def is_busy(self) -> bool:
        busy = (State.FILLING, State.FINISHING, State.REMOVING)
        if self.install is None:
            return False
        run = self.install.evaluation
        return self.install.state in busy or bool(run and run.unfinished)

    @property
    def shows_progress(self) -> bool:
        return bool(self.install) and self.install.state in {
            State.FILLING, State.PAUSED, State.FINISHING, State.FAILED,
        }  # fmt: skip

    @property
    def time_left(self) -> str:
        seconds = self.install.seconds_left if self.install else None
        if not seconds:
            return ""
        if seconds < 90:
            n = max(1, round(seconds))
            return ngettext("about %(n)s second left", "about %(n)s seconds left", n) % {"n": n}
        if seconds < 90 * 60:
            n = round(seconds / 60)
            return ngettext("about %(n)s minute left", "about %(n)s minutes left", n) % {"n": n}
        n = round(seconds / 3600)
        return ngettext("about %(n)s hour left", "about %(n)s hours left", n) % {"n": n}

    @property
    def may_install(self) -> bool:
        if not self.facts["weights"]:
            return False
        changed = self.install is not None and not installs.is_current(self.install)
        return changed or (self.install is None and not self.facts["in_use"])

    @property
    def may_activate(self) -> bool:
        return (
            self.facts["weights"] and not self.facts["in_use"] and self.install is not None
            and self.install.state == State.READY
        )  # fmt: skip

    @property
    def may_remove(self) -> bool:
        return (
            not self.facts["in_use"] and self.install is not None
            and self.install.state != State.REMOVING
        )  # fmt: skip


def rows_read() -> list[Row]:
    found = EngineInstall.objects.select_related("evaluation")
    held = {row.engine: row for row in found}
    used = engines.in_use()
    faults = dict(selection.faults())
    rows = []
    for facts in switching.engine_facts():
        name = facts["name"]
        install = held.get(name)
        bad = list(install.faults.select_related("part")[: FAULTS + 1]) if install else []
        rows.append(
            Row(
                facts={**facts, "fault": faults.get(name) or facts["weights_error"] or ""},
                install=install,
                measured=measured(install.evaluation, used, name) if install else [],
                others=[(of, engines.label(of)) for of in used if of != name],
                faults=bad[:FAULTS],
                faults_more=max(0, install.missing - FAULTS) if install and bad[FAULTS:] else 0,
            )
        )
    return rows


def measured(run: EvaluationRun | None, used: list[str], name: str) -> list[dict[str, Any]]:
    """nDCG with its interval of the engine and of those in use, on questions all could answer."""
    if run is None or run.state != EvaluationRun.State.DONE:
        return []
    found = []
    for engine in [name, *(of for of in used if of != name)]:
        of = run.metrics.get("engines", {}).get(engine, {}).get("common", {})
        if "ndcg" in of:
            mean, low, high = of["ndcg"]
            found.append(
                {"label": engines.label(engine), "mean": f"{mean:.3f}", "low": f"{low:.3f}",
                 "high": f"{high:.3f}", "n": of["n"]}
            )  # fmt: skip
    return found


@admin.register(EngineInstall)
class EngineInstallAdmin(admin.ModelAdmin):
    """The list of engines is the page; its rows have no forms of their own."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("search.change_engineinstall")

    def get_urls(self) -> list[Any]:
        door = self.admin_site.admin_view
        return [
            path("", door(self.board), name="search_engineinstall_changelist"),
            path("act/", door(require_POST(self.act)), name="search_engines_act"),
            path("<str:name>/remove/", door(self.remove), name="search_engines_remove"),
        ]

    def board(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = rows_read()
        now = selection.selection_current()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Engines"),
            "opts": self.opts,
            "rows": rows,
            "revision": now.revision,
            "used": [engines.label(name) for name in now.names],
            "history": history(now.revision),
            "configured": [engines.label(name) for name in selection.configured().names],
            "orphans": switching.keys_orphaned(),
            "busy": any(row.is_busy for row in rows),
            "may_act": self.has_act_permission(request),
            "evaluation_url": evaluation_url,
        }
        return TemplateResponse(request, "admin/search/engines.html", context)

    def act(self, request: HttpRequest) -> HttpResponse:
        """One of the page's buttons."""
        if not self.has_act_permission(request):
            raise PermissionDenied
        asked = request.POST
        try:
            message = self.act_on(asked.get("action", ""), asked.get("engine", ""), request)
        except ServiceError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, message)
        return HttpResponseRedirect(reverse("admin:search_engineinstall_changelist"))

    def act_on(self, action: str, name: str, request: HttpRequest) -> str:
        """Do it, and say what was done. Raises `ServiceError`."""
        asked, user = request.POST, request.user
        engine = {"engine": engines.label(name)}
        match action:
            case "install":
                installs.engine_install(name, user=user)
                return _("%(engine)s is being filled; searches go on as they were.") % engine
            case "pause":
                installs.install_pause(installs.install_get(name))
                return _("Filling %(engine)s is paused.") % engine
            case "resume":
                installs.install_resume(installs.install_get(name))
                return _("Filling %(engine)s goes on.") % engine
            case "measure":
                installs.install_measure(installs.install_get(name), user=user)
                return _("%(engine)s is being measured beside the engines in use.") % engine
            case "activate":
                used = switching.engine_activate(
                    name, instead_of=asked.get("instead_of", ""), first=bool(asked.get("first")),
                    force=bool(asked.get("force")), user=user,
                    seen=number(asked.get("revision")),
                )  # fmt: skip
            case "first":
                used = switching.engine_activate(
                    name, first=True, user=user, seen=number(asked.get("revision"))
                )
            case "retire":
                used = switching.engine_retire(name, user=user, seen=number(asked.get("revision")))
            case "rollback":
                used = switching.engine_rollback(
                    to=number(asked.get("to")), user=user, seen=number(asked.get("revision"))
                )
            case "remove":
                switching.engine_remove(name)
                return _("%(engine)s is being removed.") % engine
            case _:
                raise ServiceError("action_unknown")
        names = ", ".join(engines.label(of) for of in used.names)
        return _("Now in use: %(engines)s.") % {"engines": names}

    def remove(self, request: HttpRequest, name: str) -> HttpResponse:
        """What would be lost, before it is."""
        if not self.has_act_permission(request):
            raise PermissionDenied
        try:
            loss = switching.removal_loss(installs.install_get(name))
        except ServiceError as error:
            messages.error(request, str(error))
            return redirect("admin:search_engineinstall_changelist")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Remove %(engine)s?") % {"engine": engines.label(name)},
            "opts": self.opts,
            "engine": name,
            "label": engines.label(name),
            "loss": loss,
        }
        return TemplateResponse(request, "admin/search/engine_remove.html", context)


def number(text: str | None) -> int | None:
    """A number of a form's hidden field; one that is none was not decided by anything."""
    if text is None or text == "":
        return None
    if not text.isdecimal() or len(text) > 9:
        raise ServiceError("selection_moved", status=409)
    return int(text)


def history(newest: int) -> list[dict[str, Any]]:
    """The last selections, the one in use first; the configuration's is number 0."""
    rows = [
        {
            "revision": row.revision,
            "names": ", ".join(engines.label(of["name"]) for of in row.engines),
            "made_at": row.made_at,
            "made_by": row.made_by,
            "note": row.note,
            "now": row.revision == newest,
        }
        for row in Selection.objects.select_related("made_by")[:SHOWN]
    ]
    if len(rows) < SHOWN:
        names = ", ".join(engines.label(name) for name in selection.configured().names)
        rows.append({"revision": 0, "names": names, "now": newest == 0})
    return rows


def evaluation_url(run: EvaluationRun) -> str:
    try:
        return reverse("admin:search_evaluationrun_change", args=[run.pk])
    except NoReverseMatch:
        return ""
