"""Queries encoded by a worker give the same answers, and "not now" when none can."""

import io
import signal
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from django.test import Client
from PIL import Image, ImageDraw

from catalog.queue import NoAnswer, answers, ask
from search import encoders
from search.encode import photo_encode, text_encode
from search.remote import client as remote
from search.remote import wire
from search.remote.answer import question_answer
from tests.factories.processes import encode_worker, kill, until
from tests.factories.work import queue_clear


@pytest.fixture(autouse=True)
def nobody() -> None:
    """No worker of an earlier test is taken for alive."""
    answers().beat(remote.QUEUE, seconds=0)


@pytest.fixture
def remotely(settings) -> Iterator[None]:
    """Queries go to the workers; no network is loaded in this process."""
    settings.SEARCH_ENCODERS = "remote"
    encoders.encoders_forget()
    yield
    encoders.encoders_forget()


def brief(settings, seconds: float = 0.4, **more: float) -> None:
    of = settings.SEARCH.remote.model_copy(update={"deadline_s": seconds, **more})
    settings.SEARCH = settings.SEARCH.model_copy(update={"remote": of})


def pictures(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 224, 224, 3), np.uint8)


def photo(colour: str = "gray") -> bytes:
    picture = Image.new("RGB", (320, 240), "white")
    ImageDraw.Draw(picture).ellipse((60, 40, 250, 200), fill=colour, outline="black", width=6)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


@pytest.mark.django_db(transaction=True)
@pytest.mark.walk
class TestWithAWorker:
    def test_the_same_vectors_as_here_and_no_network_here(self, settings) -> None:
        texts = ["a ring with a stone", "六角螺栓", "R8107490"]
        here = encoders.word_encoder("mini")
        looks, words = here.pictures_embed_both(pictures(5))
        said = here.texts_embed(texts)
        photo_here = photo_encode(photo(), ["mini"], show=True)
        told_here = text_encode("ring", ["mini"], also=["band"])["mini"]
        settings.SEARCH_ENCODERS = "remote"
        encoders.encoders_forget()
        with encode_worker() as process:
            there = encoders.word_encoder("mini", query=True)
            assert isinstance(there, remote.RemoteEncoder)
            assert (there.space, there.words_space) == (here.space, here.words_space)
            assert there.calibration == here.calibration
            looks_there, words_there = there.pictures_embed_both(pictures(5))
            for mine, theirs in (
                (looks, looks_there),
                (words, words_there),
                (looks, there.pictures_embed(pictures(5))),
                (said, there.texts_embed(texts)),
                (photo_here.vectors["mini"], photo_encode(photo(), ["mini"]).vectors["mini"]),
                (told_here, text_encode("ring", ["mini"], also=["band"])["mini"]),
            ):
                assert theirs.dtype == np.float32
                assert theirs.shape == mine.shape
                assert np.einsum("ij,ij->i", mine, theirs) == pytest.approx(1, abs=1e-5)
            assert there.texts_embed([]).shape == (0, said.shape[1])
            # Nothing was loaded but the description.
            assert encoders.encoder("mini")._loaded is None
            assert encoders.encoder("mini")._student is None

            # It hangs with many in its hands, and is killed: each is refused in time.
            brief(settings, 1.0)
            ends: list[str] = []
            threads = [threading.Thread(target=self.one, args=(ends, seed)) for seed in range(8)]
            process.send_signal(signal.SIGSTOP)
            for thread in threads:
                thread.start()
            until(lambda: answers().waiting() > 0)
            kill(process)
            for thread in threads:
                thread.join(15)
            assert len(ends) == 8
            assert "late" in ends
            assert set(ends) <= {"late", "away"}
        with encode_worker():
            brief(settings, 10.0)
            looks_again = encoders.encoder("mini", query=True).pictures_embed(pictures(5))
            assert np.einsum("ij,ij->i", looks, looks_again) == pytest.approx(1, abs=1e-5)
        encoders.encoders_forget()

    @staticmethod
    def one(ends: list[str], seed: int) -> None:
        from catalog.errors import ServiceError

        try:
            encoders.encoder("mini", query=True).pictures_embed(pictures(4, seed))
            ends.append("answered")
        except ServiceError as error:
            ends.append(error.code.removeprefix("encoders_"))


@pytest.mark.django_db
class TestWithoutOne:
    def test_nobody_lives(self, remotely, api, client: Client) -> None:
        start = time.monotonic()
        image = io.BytesIO(photo())
        for path, body, kind in (
            ("/api/search/text", {"query": "a ring"}, "json"),
            ("/api/search/image", {"image": image}, "multipart"),
            ("/api/classify", {"image": io.BytesIO(photo("red"))}, "multipart"),
        ):
            answer = api.post(path, body, kind)
            assert answer.status_code == 503, answer.content
            assert int(answer["Retry-After"]) > 0
            assert answer.json()["error"]["code"] == "encoders_away"
            assert "try again" in answer.json()["error"]["message"]
        for headers in ({}, {"HX-Request": "true"}):
            page = client.get("/?tab=text&q=ring", headers=headers)
            assert page.status_code == 503
            assert int(page["Retry-After"]) > 0
            assert b"try again in a moment" in page.content
        # At once: nobody is waited for who is not there.
        assert time.monotonic() - start < 5

    def test_one_that_does_not_answer_in_time(self, remotely, api, settings) -> None:
        brief(settings)
        answers().beat(remote.QUEUE, seconds=30)
        start = time.monotonic()
        answer = api.post("/api/search/text", {"query": "a ring"})
        assert 0.4 <= time.monotonic() - start < 3
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert answer.json()["error"]["code"] == "encoders_late"
        # What nobody waits for is not worked on, and nothing lies about.
        assert answers().waiting() == 0

    def test_what_is_past_its_deadline_is_thrown_away(self) -> None:
        answers().ask("a1", b"question", seconds=0.05)
        time.sleep(0.1)
        assert not question_answer("a1")
        assert answers().wait("a1", seconds=0.01) is None

    @pytest.mark.parametrize("answer", [b"", b"\x00\x00\x00\xffjunk", wire.pack({})])
    def test_an_answer_of_another_version_is_none(
        self, remotely, api, monkeypatch: pytest.MonkeyPatch, answer: bytes
    ) -> None:
        monkeypatch.setattr(remote, "ask", lambda *args, **more: answer)
        refused = api.post("/api/search/text", {"query": "a ring"})
        assert refused.status_code == 503
        assert refused.json()["error"]["code"] == "encoders_differ"

    def test_a_full_queue(self, remotely, api, settings) -> None:
        brief(settings, waiting=2)
        answers().beat(remote.QUEUE, seconds=30)
        for n in range(2):
            answers().ask(f"full{n}", b"x", seconds=60)
        answer = api.post("/api/search/text", {"query": "a ring"})
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "encoders_full"
        for n in range(2):
            answers().take(f"full{n}")

    def test_the_probe_says_whether_anyone_encodes(self, remotely, client: Client) -> None:
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["encoders"]) == (200, False)
        answers().beat(remote.QUEUE, seconds=30)
        assert client.get("/readyz").json()["encoders"]

    def test_words_alone_need_no_encoder(self, remotely, api) -> None:
        answer = api.post("/api/search/text", {"query": "a ring", "engine": "words"})
        assert answer.status_code == 200, answer.content


@pytest.fixture
def answered() -> Iterator[None]:
    """Questions are taken by a thread, as a worker's would be, with this process's encoders."""
    box, done = answers(), threading.Event()

    def work() -> None:
        from tests.factories.work import questions

        while not done.is_set():
            for question in questions():
                question_answer(question)
            time.sleep(0.005)

    box.beat(remote.QUEUE, seconds=60)
    thread = threading.Thread(target=work)
    thread.start()
    yield
    done.set()
    thread.join(10)


class TestWhatIsSaid:
    """The worker's answers to what it cannot do."""

    def asked(self, data: bytes) -> dict:
        return wire.unpack(ask(remote.TASK, data, queue=remote.QUEUE, seconds=5, waiting_most=9))[0]

    @pytest.mark.parametrize(
        "said",
        [
            {"engine": "mini", "space": "mini-00000000-384", "call": "pictures_embed"},
            {"engine": "gone", "space": "x", "call": "pictures_embed"},
            {"engine": "mini", "space": "x", "call": "__init__"},
            {"engine": "mini", "space": "x", "call": "texts_embed", "texts": ["a"]},
        ],
    )
    def test_another_version(self, answered, said) -> None:
        assert self.asked(wire.pack(said, [pictures(1)]))["error"] == "encoders_differ"

    def test_what_is_no_question(self, answered) -> None:
        assert self.asked(b"\xff" * 40)["error"] == "encoders_failed"
        assert self.asked(b"")["error"] == "encoders_failed"

    def test_a_queue_of_nobody(self) -> None:
        queue_clear()
        with pytest.raises(NoAnswer, match="away"):
            ask(remote.TASK, b"", queue="nobody", seconds=1, waiting_most=9)
        until(lambda: answers().waiting() == 0)
