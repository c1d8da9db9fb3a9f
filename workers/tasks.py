"""The Celery doors: a name, ids in, one call. Everything else is in the rooms behind them."""

from typing import Any

from celery import shared_task
from celery.signals import celeryd_init, worker_ready

from search.remote import client as remote
from workers import claims, comparisons, filling, pipeline, preparations, suggestions, upgrades


@shared_task(name="workers.part_ingest")
def part_ingest(part_id: int) -> None:
    pipeline.part_ingest(part_id)


@shared_task(name="workers.part_embed")
def part_embed(part_id: int) -> None:
    """Handed over by the workers that draw: `STLCATALOG_EMBED_QUEUE`."""
    pipeline.part_ingest(part_id, embeds=True)


@shared_task(name="workers.part_restored")
def part_restored(part_id: int) -> None:
    """Back from the trash: engines that were filled meanwhile lack it."""
    from search.lifecycle.installs import part_arrived

    part_arrived(part_id)


@shared_task(name="workers.parts_sweep")
def parts_sweep(starting: bool = False) -> None:
    """Every minute, and when a worker starts: what was left behind, and what has grown."""
    from search.evaluation.logs import logs_prune
    from search.evaluation.services import evaluation_send, evaluations_waiting
    from search.indices import spaces_to_compact
    from search.inspection.batching import batches_sweep
    from search.inspection.learning import learning_sweep
    from search.inspection.services import inspections_sweep
    from search.inspection.telling import telling_sweep
    from search.lifecycle.installs import installs_sweep, keys_untended

    claims.parts_sweep(starting=starting)
    untended = keys_untended()
    for space_key in spaces_to_compact():
        if space_key not in untended:
            index_compact.delay(space_key)
    if suggestions.is_due():
        suggestions_refresh.delay()
    if comparisons.is_due():
        duplicates_refresh.delay()
    if preparations.is_due():
        parts_prepare.delay()
    if upgrades.is_due():
        upgrades.begin()
    installs_sweep(starting=starting)
    batches_sweep(starting=starting)
    inspections_sweep(starting=starting)
    learning_sweep()
    telling_sweep()
    logs_prune()
    for run_id in evaluations_waiting():
        evaluation_send(run_id)


# Of a million parts with twelve views each, a build takes longer than any other task may.
BUILD_LIMIT = 3600  # seconds; less than after which Redis gives the message to another worker


@shared_task(name="workers.index_compact", time_limit=BUILD_LIMIT)
def index_compact(space_key: str) -> None:
    from search import indices

    indices.index_compact(space_key)


@shared_task(name="workers.category_words")
def category_words(category_id: int) -> None:
    """A category was renamed: its parts are found by the new name."""
    from catalog.services import category_words_write

    category_words_write(category_id)


@shared_task(name="workers.suggestions_around")
def suggestions_around(part_id: int) -> None:
    """Somebody said what a part is, or is not."""
    suggestions.around(part_id)


@shared_task(name="workers.suggestions_renew")
def suggestions_renew() -> None:
    """The categories changed."""
    suggestions.renew()


@shared_task(name="workers.suggestions_refresh")
def suggestions_refresh() -> None:
    """Every minute, while there are parts to be classified again."""
    suggestions.refresh()


@shared_task(name="workers.engine_fill", time_limit=BUILD_LIMIT)
def engine_fill(install_id: int, ticket: int) -> None:
    """Make vectors of an engine for a while; the run sends the next one, the last builds its
    indices."""
    filling.fill_run(install_id, ticket)


@shared_task(name="workers.engine_remove")
def engine_remove(install_id: int) -> None:
    """Delete vectors of an engine for a while."""
    filling.removal_run(install_id)


@shared_task(name="workers.duplicates_refresh")
def duplicates_refresh() -> None:
    """Every minute, while there are parts to be compared again."""
    comparisons.refresh()


@shared_task(name="workers.duplicates_left")
def duplicates_left(part_id: int) -> None:
    """A part went to the trash: those like it look for others."""
    from search.duplicates import services as duplicates

    duplicates.part_left(part_id)


@shared_task(name="workers.inspection_run")
def inspection_run(inspection_id: int) -> None:
    """Look at the photos of a piece."""
    from search.inspection import services

    services.inspection_run(inspection_id)


@shared_task(name="workers.parts_prepare")
def parts_prepare() -> None:
    """Every minute, while there are parts to be prepared for inspections."""
    preparations.refresh()


@shared_task(name="workers.batch_read")
def batch_read(batch_id: int) -> None:
    """Make the inspections of an archive of photos."""
    from search.inspection import batching

    batching.batch_read(batch_id)


@shared_task(name="workers.inspection_learn")
def inspection_learn(part_id: int) -> None:
    """Somebody decided whether a piece of the part is good; 0: of all parts."""
    from search.inspection import learning

    learning.part_learn(part_id)


@shared_task(name="workers.inspection_simulate")
def inspection_simulate(part_id: int) -> None:
    """Simulate photos of a part's good pieces for a while; what is left waits its turn."""
    from search.inspection import simulating

    simulating.part_simulate(part_id)


@shared_task(name="workers.inspection_tell")
def inspection_tell(inspection_id: int) -> None:
    """A verdict is there: who is to know of it?"""
    from search.inspection import telling

    telling.inspection_tell(inspection_id)


@shared_task(name="workers.inspection_notice")
def inspection_notice(notice_id: int) -> None:
    """Tell one receiver of an inspection."""
    from search.inspection import telling

    telling.notice_send(notice_id)


@shared_task(name="workers.query_encode", acks_late=False)
def query_encode(question: str) -> None:
    """Somebody waits: a question lost with its worker is not worth asking again."""
    from search.remote.answer import question_answer

    question_answer(question)


@celeryd_init.connect
def encoders_here(**kwargs: object) -> None:
    """A worker encodes by itself, whoever encodes the web's queries."""
    remote.answers_here()


@shared_task(name="workers.evaluation_work")
def evaluation_work(run_id: int, progress: int | None = None) -> None:
    """A slice of measuring engines; what is left waits behind whatever came meanwhile."""
    from search.evaluation import services as evaluation

    if evaluation.evaluation_work(run_id, progress=progress):
        evaluation.evaluation_send(run_id)


@worker_ready.connect
def worker_begins(sender: Any, **kwargs: object) -> None:
    queues = sender.app.amqp.queues.consume_from
    if remote.QUEUE in queues:
        from search.remote.answer import live

        live()
    if "ingest" in queues:
        parts_sweep.delay(starting=True)
