"""Webhooks and people are told of verdicts: once a run, signed, and only where that is allowed."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from search.inspection import posting, services, telling
from search.inspection.posting import is_public, message_post
from search.models import Inspection, InspectionNotice, Webhook
from tests.factories.inspections import inspection_make, part_make
from tests.factories.work import work_off

pytestmark = pytest.mark.django_db(transaction=True)


class Receiver:
    """An HTTP server on loopback that keeps what it is told, and answers `status`."""

    def __init__(self) -> None:
        self.told: list[tuple[dict[str, str], bytes]] = []
        self.status, self.location, self.wait = 200, "", 0.0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.told.append((dict(self.headers), body))
                time.sleep(receiver.wait)
                self.send_response(receiver.status)
                if receiver.location:
                    self.send_header("Location", receiver.location)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?of=qc"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _headers, body in self.told]


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOKS_PRIVATE = True
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def hook(receiver: Receiver) -> Callable[..., Webhook]:
    def make(event: str = "fail", **fields: Any) -> Webhook:
        return Webhook.objects.create(
            **{"name": event, "url": receiver.url, "event": event} | fields
        )

    return make


def ended(verdict: str = "fail", **fields: Any) -> Inspection:
    """An inspection whose run has just ended."""
    known = {"similarity": 0.1, "untold": True, "reasons": [{"code": "missing", "params": {}}]}
    inspection = inspection_make(part_make(), verdict=verdict, **(known | fields))
    telling.inspection_tell(inspection.pk)
    return inspection


def test_a_run_that_ends_is_told(compare: Any, receiver: Receiver, hook: Any) -> None:
    hook("done")
    hook("alert")
    hook("fail")
    found = compare("good", piece="no. 7")
    assert [body["event"] for body in receiver.bodies] == ["done"]
    told = receiver.bodies[0]
    assert told["id"] == found["id"] and told["photos"][0]["measures"]["iou"] > 0.9
    assert (
        told.items() >= {name: found[name] for name in ("verdict", "similarity", "piece")}.items()
    )
    compare("good", threshold=0.999)
    assert sorted(body["event"] for body in receiver.bodies[1:]) == ["alert", "done"]


def addresses_in(body: Any) -> Iterator[str]:
    for name, value in body.items() if isinstance(body, dict) else enumerate(body):
        if isinstance(value, dict | list):
            yield from addresses_in(value)
        elif str(name) == "page" or str(name).endswith("url"):
            yield value


def test_a_receiver_can_follow_the_addresses(
    compare: Any, writer: Any, receiver: Receiver, hook: Any, settings: Any
) -> None:
    settings.SITE_URL = "https://catalog.example"
    hook("done")
    found = compare("good")
    writer.post(f"/api/qc/inspections/{found['id']}/again")
    work_off()
    told = receiver.bodies[-1]
    assert told["earlier"][0]["photos"] and told["heat_url"]
    addresses = list(addresses_in(told))
    assert len(addresses) == 10  # two of the inspection, its heat, four of a photo, three earlier
    for address in addresses:
        assert address.startswith("https://catalog.example/")
        assert writer.get(address.removeprefix("https://catalog.example")).status_code == 200
    # The same are paths to whoever asks us: they know where they asked.
    assert writer.get(f"/api/qc/inspections/{found['id']}").json()["heat_url"].startswith("/")


def test_addresses_of_a_storage_elsewhere_stay_as_they_are(
    receiver: Receiver, hook: Any, settings: Any
) -> None:
    settings.SITE_URL, settings.MEDIA_URL = "https://catalog.example", "https://bucket.example/m/"
    hook()
    inspection = ended()
    work_off()
    photo = receiver.bodies[0]["photos"][0]
    name = inspection.photos.get().file.name
    assert photo["photo_url"] == f"https://bucket.example/m/{name}"
    assert photo["mask_url"] is None


def test_without_an_address_of_the_server_paths_are_told(
    receiver: Receiver, hook: Any, settings: Any
) -> None:
    settings.SITE_URL = ""
    hook()
    ended()
    work_off()
    assert receiver.bodies[0]["page"].startswith("/qc/")
    assert receiver.bodies[0]["url"].startswith("/api/")


def test_a_message_is_signed(receiver: Receiver, hook: Any, settings: Any) -> None:
    settings.SITE_URL = "https://catalog.example"
    made = hook(secret="of two")
    inspection = ended()
    work_off()
    headers, body = receiver.told[0]
    signed = headers["X-STLCatalog-Timestamp"].encode() + b"." + body
    expected = hmac.new(b"of two", signed, hashlib.sha256).hexdigest()
    assert headers["X-STLCatalog-Signature"] == f"sha256={expected}"
    assert abs(int(headers["X-STLCatalog-Timestamp"]) - time.time()) < 60
    assert headers["Content-Type"].startswith("application/json")
    assert headers["X-STLCatalog-Event"] == "fail"
    notice = InspectionNotice.objects.get()
    assert headers["X-STLCatalog-Delivery"] == str(notice.uuid)
    assert json.loads(body)["page"] == f"https://catalog.example/qc/{inspection.uuid}"
    assert (notice.state, notice.answer, notice.attempts) == ("sent", "200 OK", 1)
    made.refresh_from_db()
    assert made.last_status == "200 OK" and made.last_at is not None


def test_nobody_is_told_twice_of_a_run(receiver: Receiver, hook: Any) -> None:
    hook()
    inspection = ended()
    telling.inspection_tell(inspection.pk)
    Inspection.objects.update(untold=True)  # as though its worker had died there
    telling.inspection_tell(inspection.pk)
    work_off()
    telling.notice_send(InspectionNotice.objects.get().pk)
    assert len(receiver.told) == 1
    Inspection.objects.update(revision=2, untold=True)
    telling.inspection_tell(inspection.pk)
    work_off()
    assert len(receiver.told) == 2


def test_two_workers_at_once_send_one_message(receiver: Receiver, hook: Any) -> None:
    from django.db import connection

    hook()
    receiver.wait = 0.3
    ended()
    pk = InspectionNotice.objects.get().pk

    def send() -> None:
        telling.notice_send(pk)
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receiver.told) == 1


def test_what_fails_is_tried_three_times_with_pauses(receiver: Receiver, hook: Any) -> None:
    made = hook()
    receiver.status = 503
    ended()
    notice = InspectionNotice.objects.get()
    pauses = []
    for _ in range(4):
        work_off()
        telling.notice_send(notice.pk)  # not due yet: nothing
        before = timezone.now()
        notice.refresh_from_db()
        pauses.append((notice.due_at - before).total_seconds())
        InspectionNotice.objects.update(due_at=before)
        telling.notice_send(notice.pk)
    notice.refresh_from_db()
    assert (notice.state, notice.attempts) == ("failed", 3) and len(receiver.told) == 3
    assert 10 < pauses[0] < 16 and 100 < pauses[1] < 121
    made.refresh_from_db()
    assert made.last_status.startswith("503")


def test_the_sweep_sends_what_was_lost(receiver: Receiver, hook: Any) -> None:
    from tests.factories.work import queue_clear

    hook()
    inspection = inspection_make(part_make(), verdict="fail", untold=True)
    assert telling.telling_sweep() == 0  # its own message may still come
    long_ago = timezone.now() - timedelta(minutes=5)
    Inspection.objects.update(finished_at=long_ago)
    assert telling.telling_sweep() == 1
    queue_clear()
    telling.inspection_tell(inspection.pk)
    queue_clear()
    InspectionNotice.objects.update(due_at=long_ago)
    assert telling.telling_sweep() == 1
    work_off()
    assert len(receiver.told) == 1 and telling.telling_sweep() == 0


def test_a_verdict_that_another_run_replaces_is_not_told(
    receiver: Receiver, hook: Any, settings: Any
) -> None:
    hook()
    settings.ALERT_TO = ["qc@example.com"]
    services.inspection_again(ended())
    for pk in InspectionNotice.objects.values_list("pk", flat=True):
        telling.notice_send(pk)
    assert {notice.state for notice in InspectionNotice.objects.all()} == {"outdated"}
    assert not receiver.told and not mail.outbox


def test_a_redirect_is_not_followed(receiver: Receiver, hook: Any) -> None:
    hook()
    receiver.status, receiver.location = 302, receiver.url
    ended()
    work_off()
    assert len(receiver.told) == 1
    assert InspectionNotice.objects.get().answer.startswith("302")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://[::1]:{port}/",
        "http://0.0.0.0:{port}/", "http://2130706433:{port}/", "http://0x7f.1:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/", "http://10.0.0.1/", "http://169.254.169.254/latest",
        "http://192.168.1.1/", "http://[fd00::1]/", "http://[64:ff9b::7f00:1]/",
    ],
)  # fmt: skip
def test_addresses_of_this_machine_and_its_network_are_refused(
    receiver: Receiver, settings: Any, url: str
) -> None:
    settings.WEBHOOKS_PRIVATE = False
    made = Webhook.objects.create(name="x", url=url.format(port=receiver.server.server_port))
    posted = telling.webhook_test(made)
    assert not posted.ok and not receiver.told
    made.refresh_from_db()
    assert made.last_status == posted.answer != ""


def test_a_name_that_resolves_here_is_refused(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address that was checked is the one connected to: a name cannot change in between."""
    import socket

    asked = []
    resolve = socket.getaddrinfo
    answers = iter(["93.184.215.14", "127.0.0.1"])

    def resolves(host: str, *args: Any, **options: Any) -> Any:
        if host != "rebinds.example":
            return resolve(host, *args, **options)
        asked.append(host)
        return resolve(next(answers), *args, **options)

    reached = []

    def connects(address: tuple[str, int], **options: Any) -> Any:
        reached.append(address)
        raise TimeoutError

    monkeypatch.setattr(socket, "getaddrinfo", resolves)
    monkeypatch.setattr(socket, "create_connection", connects)
    port = receiver.server.server_port
    url = f"http://rebinds.example:{port}/"
    assert not message_post(url, b"{}", headers={}, private=False).ok
    assert reached == [("93.184.215.14", port)] and len(asked) == 1
    posted = message_post(url, b"{}", headers={}, private=False)
    assert posted.answer == "refused: 127.0.0.1 is not a public address"
    assert len(reached) == 1 and not receiver.told


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "file:///etc/passwd", "http://", "nothing", "http://x:99999/"]
)
def test_what_is_no_address_of_the_web_is_refused(url: str) -> None:
    assert not message_post(url, b"{}", headers={}, private=True).ok


def test_public_addresses_are_public() -> None:
    for text in ("93.184.215.14", "2606:4700::1111", "64:ff9b::5db8:d70e"):
        assert is_public(ip_address(text)), text


def test_a_server_that_does_not_answer_is_not_waited_for(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "TIMEOUT_S", 0.2)
    receiver.wait = 1.0
    began = time.monotonic()
    posted = message_post(receiver.url, b"{}", headers={}, private=True)
    assert not posted.ok and posted.answer == "no answer in time"
    assert time.monotonic() - began < 0.9


def test_an_answer_that_drips_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr(posting, "WHOLE_S", 0.5)
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        link, _ = listener.accept()
        with link:
            for _ in range(60):
                try:
                    link.sendall(b"H")
                except OSError:
                    return
                time.sleep(0.1)

    threading.Thread(target=drip, daemon=True).start()
    began = time.monotonic()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    assert not message_post(url, b"{}", headers={}, private=True).ok
    assert time.monotonic() - began < 3
    listener.close()


def test_people_are_told_of_failures_in_both_languages(settings: Any) -> None:
    settings.ALERT_TO = ["qc@example.com", "boss@example.com"]
    settings.SITE_URL = "https://catalog.example"
    inspection = ended(piece="no. 7\nBcc: everyone@example.com")
    ended("review")
    work_off()
    assert len(mail.outbox) == 1
    sent = mail.outbox[0]
    assert sent.to == settings.ALERT_TO and "\n" not in sent.subject and "no. 7" in sent.subject
    assert f"https://catalog.example/qc/{inspection.uuid}" in sent.body
    assert "The piece differs from the part." in sent.body and "零件" in sent.body
    assert InspectionNotice.objects.get().state == "sent"


def test_a_mail_server_that_is_away_is_asked_again(settings: Any) -> None:
    settings.ALERT_TO = ["qc@example.com"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    ended()
    work_off()
    notice = InspectionNotice.objects.get()
    assert (notice.state, notice.attempts) == ("waiting", 1) and "Refused" in notice.answer


def test_a_hook_that_is_switched_off_is_told_nothing(receiver: Receiver, hook: Any) -> None:
    hook(active=False)
    made = hook("done")
    ended()
    Webhook.objects.filter(pk=made.pk).update(active=False)
    work_off()
    assert not receiver.told
