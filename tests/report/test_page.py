"""The page in a headless Chromium: everything that a reader must find, at any width, light and dark."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scribblebench.cli.main import main
from scribblebench.report.slider import Shot, panels, script

playwright = pytest.importorskip("playwright.sync_api", reason="needs the extra 'browser': playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs the extra 'browser': axe")

PIXEL = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/%3E"
WIDTHS = (390, 768, 1280)
SCHEMES = ("light", "dark")
ANSWERS = (
    "failed: CUDA out of memory",  # where the number would stand
    "Mine, shrink 1, seed 0: CUDA out of memory",  # and in the list of what failed
    "seed 1 failed",
    "interrupted: stopped by the user",
    "cpu, 2 threads",
    "Trained\n2026-01-01",
    "Network: tiny from random weights",
    "30 epochs",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with playwright.sync_playwright() as running:
        try:
            chromium = running.chromium.launch(executable_path=found, args=["--no-sandbox"])
        except playwright.Error as error:
            pytest.skip(f"no Chromium to look at the page with: {str(error).splitlines()[0]}")
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def report(shared_grid: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy grid, and beside it a method that failed everywhere and one whose run was stopped."""
    for variant in (("none", 0.0), ("shrink", 1.0)):
        shared_grid("mine", variant, status="failed", reason="CUDA out of memory", method_title="Mine")
    stopped = {"status": "interrupted", "reason": "stopped by the user", "method_title": "Late"}
    record = shared_grid("late", ("shrink", 0.5), **stopped)
    out = tmp_path_factory.mktemp("report")
    runs = next(out.parent.glob(f"shared*/runs/{record.slug}.json")).parent
    main(["report", "--runs", str(runs), "--out", str(out), "--resamples", "200"])
    return out


def opened(browser: Any, report: Path, width: int, scheme: str) -> Any:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto((report / "index.html").as_uri())
    return page


def test_nothing_overflows_and_nothing_is_fetched(browser: Any, report: Path) -> None:
    for width in WIDTHS:
        for scheme in SCHEMES:
            page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            asked: list[str] = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.goto((report / "index.html").as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") == width
            assert {url.partition(":")[0] for url in asked} <= {"file", "data"}
            dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
            assert dark == (scheme == "dark")
            page.close()


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_a_screen_reader_and_weak_eyes_find_their_way(
    browser: Any, report: Path, width: int, scheme: str
) -> None:
    """By axe-core: contrast, landmarks, headings, heads of tables, names of regions, alternative texts."""
    page = opened(browser, report, width, scheme)
    found = axe.Axe().run(page).response["violations"]
    assert [(broken["id"], broken["nodes"][0]["html"][:200]) for broken in found] == []
    page.close()


def test_the_first_questions_are_answered_in_words(browser: Any, report: Path) -> None:
    page = opened(browser, report, 390, "light")
    text = page.locator("main").inner_text()
    with (report / "standings.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if (row["kind"], row["rate"]) == ("shrink", "1")]
    (best,) = (row for row in rows if row["best"] == "yes")
    said = re.search(
        r"shrink 1: (.*?), ([0-9.]+)\s%, (\S+) points over Baseline .*?\)?: (.*?)\(p.*?(\d) seeds", text
    )
    assert said
    assert said[1].strip() == {"rw": "+RW", "rw-ss": "RW + SS"}[best["method"]]
    assert float(said[2]) == pytest.approx(100 * float(best["miou"]), abs=0.051)
    assert float(said[3]) == pytest.approx(100 * float(best["gain"]), abs=0.051)
    assert (said[4].strip() == "more than chance") == (float(best["p"]) < 0.05)
    assert said[5] == best["shared_seeds"]
    for answer in ANSWERS:
        assert answer in text
    assert re.search(r"Written \d{4}-\d\d-\d\d \d\d:\d\d \S+ on \w+ ", page.locator("footer").inner_text())
    page.close()


def test_wide_tables_keep_the_method_in_sight_and_scroll_by_keyboard(browser: Any, report: Path) -> None:
    page = opened(browser, report, 390, "light")
    region = page.get_by_role("region", name=re.compile("^Every method under shrink"))
    head = region.locator("tbody th").first
    left = head.bounding_box()["x"]
    region.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("region => region.scrollLeft > 50", arg=region.element_handle())
    assert head.bounding_box()["x"] == left
    page.close()


def test_the_first_tab_leads_past_the_head(browser: Any, report: Path) -> None:
    page = opened(browser, report, 390, "light")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.close()


@pytest.mark.parametrize("runs", [True, False])
def test_the_slider_shows_one_rate_and_without_a_script_all(browser: Any, runs: bool) -> None:
    shots = [Shot(None, PIXEL, "photograph"), *(Shot(rate, PIXEL, f"at {rate}") for rate in (0.0, 0.5, 1.0))]
    context = browser.new_context(java_script_enabled=runs)
    page = context.new_page()
    page.set_content(f"<main>{panels('toy_0001', 'shrink', shots)}{script()}</main>")
    steps = page.locator(".step")
    if runs:
        slider = page.get_by_role("slider", name="toy_0001: rate")
        slider.press("ArrowRight")
        assert [steps.nth(i).is_visible() for i in range(3)] == [False, True, False]
        assert slider.get_attribute("aria-valuetext") == "shrink 0.5"
        assert page.locator("output").inner_text() == "shrink 0.5"
        page.emulate_media(media="print")
    assert page.locator("img").count() == 4
    if not runs:
        assert not page.locator("input").is_visible()
        assert all(steps.nth(i).is_visible() for i in range(3))
    context.close()
