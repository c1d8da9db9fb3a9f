"""Who is told of a verdict: webhooks, and people by e-mail when a piece fails.

1. The transaction that keeps a verdict marks it as untold and queues `inspection_tell`.
2. That makes a notice for each receiver, once for each run, and queues them.
3. `notice_send` claims one, sends it, and keeps what came of it; what fails is tried TRIES times.
4. The sweep sends what a lost message or a dead worker left behind.

A worker that dies between sending and keeping sends again: a receiver knows a notice by its id.
"""

import json
import logging
import smtplib
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from rest_framework.utils.encoders import JSONEncoder

from catalog.queue import NOW, enqueue
from search.inspection.bodies import inspection_body
from search.inspection.posting import Posted, message_post, signature
from search.inspection.selectors import inspection_get, others_of
from search.inspection.wording import Others, reason_sentences, verdict_sentence
from search.models import Inspection, InspectionNotice, Webhook

log = logging.getLogger(__name__)

Event, State = Webhook.Event, InspectionNotice.State

TRIES = 3
WAITS = (timedelta(seconds=15), timedelta(minutes=2))
LEASE = timedelta(seconds=60)
LOST_AFTER = timedelta(seconds=60)
SWEEP_MOST = 500


def inspection_tell(inspection_id: int) -> None:
    """Make the notices of a verdict that was not told yet, and queue them. Idempotent."""
    with transaction.atomic():
        rows = Inspection.objects.select_for_update().filter(pk=inspection_id, untold=True)
        inspection = rows.first()
        if inspection is None:
            return
        Inspection.objects.filter(pk=inspection_id).update(untold=False)
        if inspection.state != Inspection.State.DONE:  # to be run again: that verdict is told
            return
        notices = [
            InspectionNotice(
                inspection=inspection, revision=inspection.revision, webhook=webhook, event=event
            )
            for webhook, event in receivers(events_of(inspection))
        ]
        InspectionNotice.objects.bulk_create(notices, ignore_conflicts=True)
        made = InspectionNotice.objects.filter(
            inspection=inspection, revision=inspection.revision, state=State.WAITING
        )
        for pk in made.values_list("pk", flat=True):
            enqueue("workers.inspection_notice", pk, priority=NOW)


def events_of(inspection: Inspection) -> set[str]:
    events = {Event.DONE.value}
    if inspection.verdict == "fail":
        events.add(Event.FAIL.value)
    if inspection.alert:
        events.add(Event.ALERT.value)
    return events


def receivers(events: set[str]) -> list[tuple[Webhook | None, str]]:
    """Each with the event it is told of; None: people, by e-mail."""
    hooks = Webhook.objects.filter(active=True, event__in=events)
    found: list[tuple[Webhook | None, str]] = [(hook, hook.event) for hook in hooks]
    if settings.ALERT_TO and Event.FAIL in events:
        found.append((None, Event.FAIL.value))
    return found


def notice_send(notice_id: int) -> None:
    """Send a notice that is due, and keep what came of it; nothing when it is not, or another's."""
    now = timezone.now()
    due = InspectionNotice.objects.filter(pk=notice_id, state=State.WAITING, due_at__lte=now)
    if not due.update(due_at=now + LEASE, attempts=F("attempts") + 1):
        return
    notice = InspectionNotice.objects.select_related("inspection", "webhook").get(pk=notice_id)
    inspection, webhook = notice.inspection, notice.webhook
    rows = InspectionNotice.objects.filter(pk=notice_id)
    if (inspection.revision, inspection.state) != (notice.revision, Inspection.State.DONE):
        rows.update(state=State.OUTDATED)
        return
    if webhook is not None and not webhook.active:
        rows.update(state=State.FAILED, answer="switched off")
        return
    posted = mail_send(inspection) if webhook is None else webhook_tell(notice, webhook)
    if posted.ok:
        rows.update(state=State.SENT, answer=posted.answer, sent_at=timezone.now())
    elif notice.attempts >= TRIES:
        rows.update(state=State.FAILED, answer=posted.answer)
        log.warning("notice %s was given up: %s", notice.uuid, posted.answer)
    else:
        wait = WAITS[min(notice.attempts, len(WAITS)) - 1]
        with transaction.atomic():
            rows.update(answer=posted.answer, due_at=timezone.now() + wait)
            seconds = wait.total_seconds()
            enqueue("workers.inspection_notice", notice_id, countdown=seconds, priority=NOW)


def notices_again(notices: QuerySet[InspectionNotice]) -> int:
    """Try those again that were given up. Returns how many."""
    given_up = notices.filter(state=State.FAILED)
    with transaction.atomic():
        pks = list(given_up.values_list("pk", flat=True)[:SWEEP_MOST])
        InspectionNotice.objects.filter(pk__in=pks).update(
            state=State.WAITING, attempts=0, due_at=timezone.now()
        )
        for pk in pks:
            enqueue("workers.inspection_notice", pk)
    return len(pks)


def telling_sweep() -> int:
    """Send what a lost message or a dead worker left behind. Returns how much."""
    since = timezone.now() - LOST_AFTER
    untold = Inspection.objects.filter(untold=True, finished_at__lte=since)
    due = InspectionNotice.objects.filter(state=State.WAITING, due_at__lte=since)
    inspections = list(untold.order_by("finished_at").values_list("pk", flat=True)[:SWEEP_MOST])
    notices = list(due.order_by("due_at").values_list("pk", flat=True)[:SWEEP_MOST])
    for pk in inspections:
        enqueue("workers.inspection_tell", pk)
    for pk in notices:
        enqueue("workers.inspection_notice", pk)
    return len(inspections) + len(notices)


# --- webhooks -----------------------------------------------------------------------------------


def webhook_tell(notice: InspectionNotice, webhook: Webhook) -> Posted:
    """The inspection as the API gives it, with whole addresses, `event`, `delivery` and the address
    of its page."""
    inspection = inspection_get(notice.inspection.uuid)
    with override(settings.LANGUAGE_CODE):
        body = addresses_whole(inspection_body(inspection))
    body |= {
        "event": notice.event,
        "delivery": str(notice.uuid),
        "page": page_address(inspection),
    }
    return webhook_post(webhook, body, delivery=str(notice.uuid))


def webhook_test(webhook: Webhook) -> Posted:
    """Tell the address that it would be told, now."""
    body = {"event": "test", "webhook": webhook.name, "told_of": webhook.event}
    return webhook_post(webhook, body, delivery="test")


def webhook_post(webhook: Webhook, body: dict[str, Any], *, delivery: str) -> Posted:
    data = json.dumps(body, cls=JSONEncoder, ensure_ascii=False).encode()
    timestamp = int(time.time())
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": f"STLCatalog/{settings.VERSION}",
        "X-STLCatalog-Event": str(body["event"]),
        "X-STLCatalog-Delivery": delivery,
        "X-STLCatalog-Timestamp": str(timestamp),
    }
    if webhook.secret:
        headers["X-STLCatalog-Signature"] = signature(webhook.secret, timestamp, data)
    posted = message_post(webhook.url, data, headers=headers, private=settings.WEBHOOKS_PRIVATE)
    Webhook.objects.filter(pk=webhook.pk).update(
        last_at=timezone.now(), last_status=posted.answer[:200]
    )
    return posted


def page_address(inspection: Inspection) -> str:
    """Where people see it."""
    return address_whole(reverse("inspection", args=[inspection.uuid]))


def addresses_whole(body: Any) -> Any:
    """The body, its addresses (`url`, `…_url`) such that a receiver can follow them."""
    if isinstance(body, list):
        return [addresses_whole(value) for value in body]
    if not isinstance(body, dict):
        return body
    return {
        name: address_whole(value)
        if isinstance(value, str) and (name == "url" or name.endswith("_url"))
        else addresses_whole(value)
        for name, value in body.items()
    }


def address_whole(address: str) -> str:
    """A path of ours after the server's own address, where somebody said that; what a storage
    gave whole, signed or not, stays as it is."""
    ours = address.startswith("/") and not address.startswith("//")
    return settings.SITE_URL + address if ours else address


# --- e-mail -------------------------------------------------------------------------------------


def mail_send(inspection: Inspection) -> Posted:
    """Tell people of a failed piece, in both languages."""
    subject, text = mail_text(inspection)
    try:
        EmailMessage(subject, text, to=settings.ALERT_TO).send()
    except (OSError, smtplib.SMTPException, ValueError) as error:
        return Posted(False, f"{type(error).__name__}: {error}"[:200])
    return Posted(True, ", ".join(settings.ALERT_TO)[:200])


def mail_text(inspection: Inspection) -> tuple[str, str]:
    """(subject, text): the server's own language first."""
    codes = [code for code, _name in settings.LANGUAGES]
    codes.sort(key=lambda code: code != settings.LANGUAGE_CODE)
    parts, others = [], others_of(inspection)
    for code in codes:
        with override(code):
            parts.append(_mail_part(inspection, others))
    subject = " ".join(parts[0][0].split())[:200]
    return subject, "\n\n--\n\n".join(text for _subject, text in parts) + "\n"


def _mail_part(inspection: Inspection, others: Others) -> tuple[str, str]:
    part, piece = str(inspection.part), inspection.piece
    named = f"{part} ({piece})" if piece else part
    subject = _("Inspection failed: %(piece)s") % {"piece": named}
    lines = [subject, "", verdict_sentence(inspection.verdict)]
    lines += [f"- {reason}" for reason in reason_sentences(inspection.reasons, others)]
    lines.append("")
    if inspection.similarity is not None and inspection.threshold is not None:
        numbers = {"found": f"{inspection.similarity:.2f}", "asked": f"{inspection.threshold:.2f}"}
        lines.append(_("Similarity %(found)s, asked for: %(asked)s") % numbers)
    lines.append(page_address(inspection))
    return subject, "\n".join(lines)
