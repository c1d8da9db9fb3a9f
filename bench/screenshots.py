"""python -m bench.screenshots ADDRESS PASSWORD: takes docs/screenshots anew.

Of a server that runs with the demo catalogue, such as `make run` starts; PASSWORD is that of the
user `admin`. The photos are simulated, of the demo's own parts; the one that is inspected is of a
bent piece. Chromium is what Playwright installs, or CHROMIUM names it.
"""

import io
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

from bench.qc_photos import photo_contrasting
from catalog.families.demo import demo_parts
from search.engine.qc.simulate.defects import defect_make

SHOTS = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
SIZE = {"width": 1360, "height": 900}
SEARCHED, LOOKED_AT, INSPECTED = "R8107440", "R8107430", "R8107420"
# Chosen for what they show: a ring whose stones tell it from others; two sides of a bent one.
SEARCH_SEED, BENT_SEED, PIECE_SEEDS = 142, 3, (304, 300)


def photo(number: str, seed: int, *, bent: bool = False) -> dict[str, Any]:
    """A file as a page's form takes it."""
    triangles = next(entry.triangles for entry in demo_parts() if entry.number == number)
    if bent:
        triangles = defect_make(triangles, "bent", np.random.default_rng(BENT_SEED)).triangles
    jpeg = photo_contrasting(triangles, seed).jpeg
    return {"name": f"photo {seed}.jpg", "mimeType": "image/jpeg", "buffer": jpeg}


def kept(page: Any, name: str) -> None:
    """The page as it is seen."""
    page.wait_for_load_state("networkidle")
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.save(SHOTS / f"{name}.png", optimize=True)
    print(f"docs/screenshots/{name}.png")


def part_open(page: Any, number: str) -> None:
    page.goto(f"/parts?q={number}")
    page.locator(".part-card a.cover").first.click()
    page.wait_for_selector("h1")


def search_take(page: Any) -> None:
    page.goto("/?tab=picture")
    page.set_input_files("#id_image", photo(SEARCHED, SEARCH_SEED))
    page.wait_for_selector(".hit")
    # The second look has put them in their last order.
    page.wait_for_selector(".verifying[data-verify]", state="detached")
    page.wait_for_function("[...document.querySelectorAll('.hit img')].every(i => i.complete)")
    kept(page, "search")


def part_take(page: Any) -> None:
    part_open(page, LOOKED_AT)
    page.wait_for_selector(".viewer canvas")
    page.wait_for_selector(".similar-grid .hit")
    kept(page, "part")


def inspection_take(page: Any) -> None:
    part_open(page, INSPECTED)
    page.goto(f"/qc?part={page.url.rstrip('/').rsplit('/', 1)[1]}")
    page.set_input_files(
        "input[name=photo]", [photo(INSPECTED, seed, bent=True) for seed in PIECE_SEEDS]
    )
    page.fill("[name=piece]", "Casting 12 / 8")
    page.click("#qc-go")
    page.wait_for_selector(".qc-verdict:is(.good, .warn, .bad):not(.old)", timeout=120_000)
    page.wait_for_selector("#qc-look img")
    kept(page, "inspect")


def main() -> None:
    address, password = sys.argv[1:]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or None,
            args=["--no-sandbox", "--font-render-hinting=none"],
        )
        for take, colours in (
            (search_take, "light"), (part_take, "dark"), (inspection_take, "light"),
        ):  # fmt: skip
            context = browser.new_context(
                base_url=address,
                locale="en-GB",
                viewport=SIZE,
                color_scheme=colours,
                reduced_motion="reduce",
            )
            context.set_default_timeout(60_000)
            page = context.new_page()
            page.goto("/login")
            page.fill("[name=username]", "admin")
            page.fill("[name=password]", password)
            page.click("main [type=submit]")
            page.wait_for_url(lambda url: "/login" not in url)
            take(page)
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
