"""What the pages of evaluations show: reads runs, decides nothing and writes nothing."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.tables import MARK, Echo, cell
from search import engines
from search.engine.metrics import bootstrap_intervals
from search.engine.significance import holm, paired_p
from search.evaluation.charts import Bars, Lines, bars_draw, lines_draw
from search.evaluation.metrics import FEW, GROUPS, MEASURES
from search.evaluation.questions import ready_parts
from search.models import EvaluationQuery, EvaluationRun, EvaluationValue, Judgement

DEFAULT_MEASURE = "ndcg"
REAL = 0.05  # a corrected p below it is called a difference
WORST = 10
HISTORY = 24
LINES = 8  # colours there are


@dataclass(frozen=True)
class Cell:
    """A mean with its interval; `best` among the engines beside it."""

    mean: float
    low: float
    high: float
    n: int
    best: bool = False

    @property
    def few(self) -> bool:
        """Of too few questions for its interval to be wide enough."""
        return self.n < FEW


@dataclass(frozen=True)
class Row:
    label: str
    cells: list[Cell | None]
    series: int = 0
    extra: Any = None


def measure_names(k: int) -> dict[str, str]:
    return {
        "ndcg": _("nDCG@%(k)s") % {"k": k},
        "precision": _("Precision@%(k)s") % {"k": k},
        "recall": _("Recall@%(k)s") % {"k": k},
        "rr": _("MRR"),
    }


def measure_sentences(k: int) -> dict[str, str]:
    return {
        "ndcg": _(
            "How good the order is: each hit counts by its grade, an earlier one more, against the "
            "best order there could be. 1 is perfect."
        ),
        "precision": _(
            "Of the first %(k)s places, the share that holds a right part; an empty place counts "
            "as wrong."
        )
        % {"k": k},
        "recall": _(
            "Of all parts that are right, the share found in the first %(k)s places. Where more "
            "than %(k)s are right it cannot reach 1."
        )
        % {"k": k},
        "rr": _(
            "1 divided by the place of the first right hit, on average: 1 when the first hit is "
            "always right, ½ when the second is."
        ),
    }


def group_label(group: str) -> str:
    """ "kind:text" as people say it."""
    what, _colon, word = group.partition(":")
    labels = {
        "all": _("All questions"),
        "common": _("Questions that every engine answered"),
        "image": _("pictures"),
        "text": _("words"),
        "hybrid": _("picture and words"),
        "mesh": _("meshes"),
        "en": _("English"),
        "zh": _("Chinese"),
        "file": _("judged in a file"),
        "category": _("categories"),
        "staff": _("judged by staff"),
        "click": _("hits that were opened"),
    }
    return labels.get(word or what, word or what)


def engine_label(name: str) -> str:
    return " + ".join(str(engines.LABELS.get(part, part)) for part in name.split("+"))


def run_report(run: EvaluationRun, measure: str = DEFAULT_MEASURE) -> dict[str, Any]:
    """Everything of one run's page."""
    measure = measure if measure in MEASURES else DEFAULT_MEASURE
    k = run.plan["k"]
    names, sentences = measure_names(k), measure_sentences(k)
    found = run.metrics.get("engines", {})
    order = [name for name in run.engines if name in found]
    labels = {name: engine_label(name) for name in order}
    return {
        "run": run,
        "k": k,
        "measure": measure,
        "measures": [(name, names[name], sentences[name]) for name in names],
        "measure_name": names[measure],
        "engines": [labels[name] for name in order],
        "all_rows": _all_rows(found, order, list(names)),
        "uneven": len({found[name]["all"]["n"] for name in order}) > 1,
        "groups": _group_rows(found, order, measure),
        "chart": _chart(found, order, measure),
        "pairs": _pair_rows(run.metrics.get("pairs", []), measure),
        "times": _time_rows(run, order),
        "spaces": _space_rows(run),
        "took": _duration(run),
        "worst": [
            (value, group_label(value.kind), engine_label(value.engine))
            for value in worst_questions(run, order)
        ],
        "refused": sum(run.metrics.get("refused", {}).values()),
        "gone": run.metrics.get("gone", 0),
        "switched": run.metrics.get("switched", False),
        "beside": bool(run.metrics.get("latency")) and _others_meanwhile(run),
        "few": any(0 < of.get("n", 0) < FEW for held in found.values() for of in held.values())
        and FEW,
    }


def _others_meanwhile(run: EvaluationRun) -> bool:
    """Whether another run was under way at the same time."""
    began = EvaluationRun.objects.filter(started_at__lt=run.finished_at or timezone.now())
    lasted = began.filter(Q(finished_at__gt=run.started_at) | Q(finished_at__isnull=True))
    return lasted.exclude(pk=run.pk).exists()


def values_csv(run: EvaluationRun) -> Iterator[str]:
    """Every question's values of a run, a line for each engine that it was asked."""
    writer = csv.writer(Echo())
    columns = ("position", "question", "label", "kind", "language", "source", "engine")
    numbers = (*MEASURES, "ms")
    yield MARK + writer.writerow([*columns, *numbers, "error"])
    rows = run.values.order_by("position", "engine").values_list(*columns, *numbers, "error")
    for row in rows.iterator(chunk_size=2000):
        yield writer.writerow(["" if value is None else cell(value) for value in row])


def _duration(run: EvaluationRun) -> str:
    if not (run.started_at and run.finished_at):
        return ""
    seconds = round((run.finished_at - run.started_at).total_seconds())
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _cells(of: Sequence[Mapping[str, Any] | None], measure: str) -> list[Cell | None]:
    means = [held[measure][0] for held in of if held and held.get("n")]
    best = max(means, default=0.0)
    # Over other questions a higher mean says nothing.
    same = len({held["n"] for held in of if held and held.get("n")}) == 1
    alike = len(set(means)) < 2 or not same
    return [
        Cell(*held[measure], n=held["n"], best=not alike and held[measure][0] == best)
        if held and held.get("n")
        else None
        for held in of
    ]


def _all_rows(found: Mapping[str, Any], order: list[str], measures: list[str]) -> list[Row]:
    """An engine a row, over the questions that all of them answered when there are such."""
    group = "common" if all(found[name].get("common", {}).get("n") for name in order) else "all"
    columns = [_cells([found[name].get(group) for name in order], m) for m in measures]
    return [
        Row(engine_label(name), [column[place] for column in columns], place,
            found[name].get(group, {}).get("n", 0))
        for place, name in enumerate(order)
    ]  # fmt: skip


def _group_rows(found: Mapping[str, Any], order: list[str], measure: str) -> list[Row]:
    """A group a row, an engine a column."""
    every = list(dict.fromkeys(group for name in order for group in found[name]))
    first = [group for group in ("all", "common") if group in every]
    rest = [group for what in GROUPS for group in every if group.startswith(f"{what}:")]
    rows = []
    for group in first + rest:
        cells = _cells([found[name].get(group) for name in order], measure)
        if any(cells):
            rows.append(Row(group_label(group), cells))
    return rows


def _chart(found: Mapping[str, Any], order: list[str], measure: str) -> Bars:
    rows = []
    for place, name in enumerate(order):
        of = found[name].get("common", {})
        of = of if of.get("n") else found[name]["all"]
        if of.get("n"):
            rows.append((engine_label(name), place, of[measure]))
    return bars_draw(rows)


def _pair_rows(pairs: Sequence[Mapping[str, Any]], measure: str) -> list[dict[str, Any]]:
    return [
        {
            **pair,
            "a": engine_label(pair["a"]),
            "b": engine_label(pair["b"]),
            "mean": pair["difference"][0],
            "low": pair["difference"][1],
            "high": pair["difference"][2],
            "better": _better(pair),
            "few": pair["n"] < FEW,
        }
        for pair in pairs
        if pair["measure"] == measure
    ]


def _better(pair: Mapping[str, Any]) -> str:
    if pair["p_holm"] >= REAL:
        return ""
    return engine_label(pair["a"] if pair["difference"][0] > 0 else pair["b"])


def _time_rows(run: EvaluationRun, order: list[str]) -> list[dict[str, Any]]:
    latency, threads = run.metrics.get("latency", {}), run.metrics.get("threads", {})
    return [
        {"engine": engine_label(name), **latency[name], "load": threads.get(name)}
        for name in order
        if name in latency
    ]


def _space_rows(run: EvaluationRun) -> list[dict[str, Any]]:
    return [
        {"engine": engine_label(name), **space}
        for name, spaces in run.versions.items()
        for space in spaces
    ]


def worst_questions(run: EvaluationRun, order: Sequence[str]) -> list[EvaluationValue]:
    """The questions answered worst by what users get, or by the last engine of the run."""
    if run.state != EvaluationRun.State.DONE or not order:
        return []
    engine = engines.FUSION if engines.FUSION in order else order[-1]
    rows = run.values.filter(engine=engine, error="", ndcg__lt=1).order_by("ndcg", "position")
    return list(rows[:WORST])


# Several runs ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class History:
    """The newest finished runs, the oldest first: a chart, and a table that says the same."""

    chart: Lines
    engines: list[str]
    rows: list[tuple[EvaluationRun, list[Cell | None]]]


def history(measure: str = DEFAULT_MEASURE) -> History | None:
    """None without two runs that found anything."""
    done = EvaluationRun.objects.filter(state=EvaluationRun.State.DONE)
    runs = [run for run in done.defer("questions", "versions")[:HISTORY] if _means(run, measure)]
    if len(runs) < 2:
        return None
    runs.reverse()
    names = list(dict.fromkeys(name for run in runs for name in run.metrics["engines"]))
    cells = [[_means(run, measure).get(name) for name in names] for run in runs]
    series = {
        engine_label(name): (place, [of[place].mean if of[place] else None for of in cells])
        for place, name in enumerate(names[:LINES])
    }
    chart = lines_draw([f"#{run.pk}" for run in runs], series)
    return History(
        chart, [engine_label(name) for name in names], list(zip(runs, cells, strict=True))
    )


def _means(run: EvaluationRun, measure: str) -> dict[str, Cell]:
    """Of each engine that answered, over all its questions."""
    of = {name: held["all"] for name, held in run.metrics.get("engines", {}).items()}
    return {name: Cell(*held[measure], n=held["n"]) for name, held in of.items() if held.get("n")}


def runs_compare(first: EvaluationRun, second: EvaluationRun) -> list[dict[str, Any]]:
    """Each engine of both, on the questions both asked: then, now, and whether that is chance."""
    found: list[dict[str, Any]] = []
    for engine in [name for name in first.engines if name in second.engines]:
        then, now = _by_question(first, engine), _by_question(second, engine)
        both = sorted(then.keys() & now.keys())
        if not both:
            continue
        a, b = (np.array([of[ref] for ref in both]) for of in (then, now))
        reach = bootstrap_intervals(b - a)
        for place, measure in enumerate(MEASURES):
            found.append(
                {
                    "engine": engine_label(engine),
                    "measure": measure,
                    "n": len(both),
                    "then": a[:, place].mean(),
                    "now": b[:, place].mean(),
                    "mean": (b - a)[:, place].mean(),
                    "low": reach[place, 0],
                    "high": reach[place, 1],
                    "p": paired_p(b[:, place], a[:, place]),
                }
            )
    for row, p in zip(found, holm([row["p"] for row in found]), strict=True):
        row |= {"p_holm": p, "real": p < REAL, "few": row["n"] < FEW}
    return found


def _by_question(run: EvaluationRun, engine: str) -> dict[str, tuple[float, ...]]:
    rows = run.values.filter(engine=engine, error="").values_list("question", *MEASURES)
    return {row[0]: row[1:] for row in rows.iterator()}


def settings_differ(first: EvaluationRun, second: EvaluationRun) -> dict[str, bool]:
    """What else changed between two runs, besides what is measured."""

    def of_spaces(run: EvaluationRun, *names: str) -> dict[str, Any]:
        return {
            engine: [[space.get(name) for name in names] for space in spaces]
            for engine, spaces in run.versions.items()
        }

    return {
        "depth": first.plan["k"] != second.plan["k"],
        "config": first.config_hash != second.config_hash,
        "spaces": of_spaces(first, "space") != of_spaces(second, "space"),
        "parts": of_spaces(first, "parts", "last_seq") != of_spaces(second, "parts", "last_seq"),
    }


def stock() -> dict[str, int]:
    """How much there is to measure by, for the form that starts a run."""
    judged = dict(
        Judgement.objects.values_list("source")
        .annotate(n=Count("query", distinct=True))
        .order_by("source")
    )
    return {
        "file": judged.get("file", 0),
        "staff": judged.get("staff", 0),
        "click": judged.get("click", 0),
        "filed": ready_parts().filter(category__isnull=False).count(),
    }


def query_sets() -> list[str]:
    rows = EvaluationQuery.objects.exclude(query_set="").order_by("query_set")
    return list(rows.values_list("query_set", flat=True).distinct())
