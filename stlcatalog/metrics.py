"""/metrics for Prometheus: what the processes here have counted, and how the catalogue stands."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from catalog import meters
from catalog.models import Part, PipelineStep
from catalog.queue import queue_lengths
from search.models import EvaluationRun, Space

QUEUES = ("ingest", "index", "inspect", "encode", "gpu")
# Counting grows with the catalogue: not anew for every watcher.
STANDING_S = 15
UNDONE = (PipelineStep.State.WAITING, PipelineStep.State.RUNNING, PipelineStep.State.FAILED)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    from prometheus_client import exposition

    accept = request.headers.get("Accept", "")
    try:
        encode, content_type = exposition.choose_encoder(accept)
    except (TypeError, ValueError):  # a version that is none
        encode, content_type = exposition.choose_encoder("")
    with meters.counted() as registry:
        registry.register(Standing())
        body = encode(registry)
    return HttpResponse(body, content_type=content_type)


class Standing:
    """Gauges read from the database and the broker when they are asked for."""

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily

        held = cache.get_or_set("metrics:standing", standing, STANDING_S)
        for name, text, label, values in held:
            family = GaugeMetricFamily(f"stlcatalog_{name}", text, labels=label)
            for labels, value in values:
                family.add_metric(labels, value)
            yield family
        queues = GaugeMetricFamily(
            "stlcatalog_queue_messages", "Messages that no worker has taken.", labels=["queue"]
        )
        for name, length in queue_lengths(QUEUES).items():
            queues.add_metric([name], length)
        yield queues


def standing() -> list[tuple[str, str, list[str], list[tuple[list[str], float]]]]:
    """(name, meaning, labels, [(their values, the gauge's)]) of each."""
    by_status = dict(
        Part.objects.present().order_by().values_list("status").annotate(n=Count("pk"))
    )
    undone = (
        PipelineStep.objects.filter(state__in=UNDONE, part__deleted_at__isnull=True)
        .values_list("step", "state")
        .annotate(n=Count("pk"))
    )
    spaces = []
    for space in Space.objects.order_by("key"):
        newest = space.snapshots.only("rows", "watermark").first()
        lag = space.last_seq - (newest.watermark if newest else 0)
        spaces.append((space.key, lag, newest.rows if newest else 0))
    running = EvaluationRun.objects.filter(state__in=EvaluationRun.UNFINISHED).count()
    return [
        ("info", "The version that runs.", ["version"], [([settings.VERSION], 1)]),
        ("parts", "Parts by where they stand.", ["status"],
         [([status], by_status.get(status, 0)) for status in Part.Status.values]),
        ("pipeline_steps", "Steps that are not done.", ["step", "state"],
         [([step, state], n) for step, state, n in undone]),
        ("index_lag_rows", "Rows searched exactly, after the snapshot.", ["space"],
         [([key], lag) for key, lag, _rows in spaces]),
        ("index_snapshot_rows", "Rows in the newest snapshot.", ["space"],
         [([key], rows) for key, _lag, rows in spaces]),
        ("evaluations_unfinished", "Evaluations waiting or running.", [], [([], running)]),
    ]  # fmt: skip
