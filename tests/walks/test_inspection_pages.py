"""An inspector's day over the pages alone: label, photos, verdict, correction, decision, list."""

import io
import re
from typing import Any

import cv2
import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from catalog.models import Part
from search.models import Inspection
from tests.factories import meshes
from tests.factories.pieces import photo_of
from tests.factories.solids import drilled_bracket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.walk]


def jpeg(name: str, **scene: Any) -> SimpleUploadedFile:
    rgb = photo_of(drilled_bracket().astype(np.float32), **scene).rgb
    data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes()
    return SimpleUploadedFile(name, data, "image/jpeg")


@pytest.fixture
def bracket(logged_in: Client, work: Any) -> Part:
    file = SimpleUploadedFile("B7.stl", meshes.stl_binary(drilled_bracket().astype(np.float32)))
    assert logged_in.post("/upload", {"files": file}).status_code == 200
    work()
    return Part.objects.get(status="ready")


def test_from_the_parts_page_to_the_list_of_what_was_decided(
    logged_in: Client, client: Client, bracket: Part, work: Any
) -> None:
    # The part's page leads to the inspection of a piece.
    page = logged_in.get(bracket.get_absolute_url()).content.decode()
    assert f"/qc?part={bracket.uuid}" in page and "None was inspected yet" in page
    body = {
        "part": str(bracket.uuid),
        "piece": "SN 1",
        "photo": [jpeg("a.jpg"), jpeg("b.jpg", pose=1)],
    }
    address = logged_in.post("/qc", body)["Location"]
    assert "Waiting for a worker" in logged_in.get(address).content.decode()
    work()
    done = logged_in.get(f"{address}/progress")
    assert done["HX-Trigger"] == "inspection-done"
    page = logged_in.get(address).content.decode()
    verdict = Inspection.objects.get().verdict
    assert verdict in {"pass", "review"}
    assert "Measures" in page and "of the surface" in page
    # Every picture, the mask and the heat that the page names are there.
    named = set(re.findall(r'(?:src|data-mask|data-heat|data-mesh)="(/media/[^"]+)"', page))
    assert len(named) >= 9
    for one in named:
        assert logged_in.get(one).status_code == 200, one

    # A broken piece: somebody paints its outline, and it is looked at again.
    body = {"part": str(bracket.uuid), "piece": "SN 2", "photo": jpeg("c.jpg", broken=True)}
    broken = logged_in.post("/qc", body)["Location"]
    work()
    found = Inspection.objects.latest("pk")
    assert found.verdict != "pass"
    photo = found.photos.get()
    mask, held = photo_of(drilled_bracket().astype(np.float32), broken=True).mask, io.BytesIO()
    Image.fromarray(np.uint8(mask) * np.uint8(255)).save(held, "PNG")
    correct = re.search(r'data-correct="([^"]+)"', logged_in.get(broken).content.decode())[1]
    sent = {"mask": SimpleUploadedFile("mask.png", held.getvalue(), "image/png")}
    answer = logged_in.post(correct, sent)
    assert answer.status_code == 202, answer.content
    assert "qc-progress" in logged_in.get(broken).content.decode()
    work()
    page = logged_in.get(broken).content.decode()
    assert "Outline corrected by hand." in page and "Before:" in page
    assert found.photos.get().mask_given and photo.pose is not None

    # Decided, noted, found again, and seen by who may only look.
    logged_in.post(f"{broken}/decide", {"decision": "bad"})
    logged_in.post(f"{broken}/decide", {"note": "Corner lost in the mould."})
    rows = client.get("/qc/history?decision=bad&q=mould").content.decode()
    assert "SN 2" in rows and "SN 1" not in rows
    listed = "decision=open"
    assert logged_in.get(broken, {"in": listed}).context["next_url"] == address
    page = client.get(bracket.get_absolute_url()).content.decode()
    assert "SN 1" in page and "SN 2" in page and "of the last 2 pieces" in page
    assert client.get("/qc/history.csv?decision=bad").status_code == 200
