"""Measure the page of a report in Chromium, beside a naive page with an <img> for each photo.

    python tests/bench/report_page.py PHOTOS [--rows 20000]

PHOTOS is a folder of real photos, which are used in turn. The naive page has one
``<img loading=lazy width=160>`` for each row, once with the photo itself, as a page that was made
without thumbnails has, and once with the thumbnail. Each page is opened three times in a fresh
window; the median counts. Numbers are milliseconds and megabytes on this machine: compare pages,
not machines.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps
from playwright.sync_api import Page, sync_playwright

from mnv2cli.records import Prediction, Record
from mnv2cli.reporting.content import Content, Entry
from mnv2cli.reporting.places import Places
from mnv2cli.reporting.write import ReportTarget, write_report

ROUNDS = 3
FILTER_ROWS = 100_000
SCROLL_SECONDS = 10

# When the first picture was painted, by the browser's own account.
FIRST_PICTURE = """
window.firstPicture = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries())
    if (!window.firstPicture && entry.element && entry.element.tagName === "IMG")
      window.firstPicture = entry.renderTime || entry.loadTime;
}).observe({type: "largest-contentful-paint", buffered: true});
"""

# The policy of the page allows no other way to wait.
WAIT = """() => new Promise((resolve) => {
  const look = () => window.firstPicture ? resolve(window.firstPicture) : setTimeout(look, 20);
  look();
})"""

# Scroll from top to bottom at an even speed; return the milliseconds of each frame.
SCROLL = """(seconds) => new Promise((resolve) => {
  const all = [document.scrollingElement, ...document.querySelectorAll("*")];
  const scroller = all.reduce((a, b) => {
    const can = b === document.scrollingElement || getComputedStyle(b).overflowY !== "visible";
    return can && b.scrollHeight - b.clientHeight > a.scrollHeight - a.clientHeight ? b : a;
  });
  const end = scroller.scrollHeight - scroller.clientHeight, frames = [];
  let start = 0, last = 0;
  const step = (now) => {
    if (start) frames.push(now - last); else start = now;
    last = now;
    const share = Math.min(1, (now - start) / 1000 / seconds);
    scroller.scrollTop = share * end;
    if (share < 1) requestAnimationFrame(step); else resolve(frames);
  };
  requestAnimationFrame(step);
})"""

# Type into the search field; return the milliseconds until the frame after each key is drawn.
TYPE = """async (text) => {
  const field = document.querySelector("input[type=search]"), times = [];
  for (let i = 1; i <= text.length; i++) {
    const start = performance.now();
    field.value = text.slice(0, i);
    field.dispatchEvent(new InputEvent("input", {bubbles: true}));
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    times.push(performance.now() - start);
  }
  return times;
}"""


def main() -> None:
    """Print the figures of each page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--rows", type=int, default=20_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        photos = list(_photos(arguments.photos))
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        pages = {
            "mnv2 report": _report(folder / "report.html", photos, arguments.rows),
            "naive, photos": _naive(folder / "photos.html", [p for p, _ in photos], arguments.rows),
        }
        small = []
        for number, (_, content) in enumerate(photos):
            small.append(folder / f"{number}.webp")
            small[-1].write_bytes(content)
        pages["naive, thumbnails"] = _naive(folder / "small.html", small, arguments.rows)
        print(f"{arguments.rows:,} rows of {len(photos)} photos")
        for title, path in pages.items():
            print(f"{title:20}", _figures(browser, path))
        _filter(browser, folder / "labels.html", photos)
        browser.close()


def _photos(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield the photos of a folder, each with a thumbnail."""
    import io

    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in (".jpg", ".jpeg", ".png"):
            with Image.open(path) as image:
                made = ImageOps.exif_transpose(image.convert("RGB"))
            made.thumbnail((160, 160))
            file = io.BytesIO()
            made.save(file, "WEBP", quality=50)
            yield path.resolve(), file.getvalue()


def _entries(photos: list[tuple[Path, bytes]], count: int) -> list[Entry]:
    """Return invented results of 400 labels."""
    entries = []
    for row in range(count):
        score = round(0.3 + (row * 7919 % 6900) / 10_000, 4)
        labels = tuple(
            Prediction(f"n{(row * 31 + rank) % 400:08}", f"label {(row * 31 + rank) % 400}", each)
            for rank, each in enumerate((score, (1 - score) / 2, (1 - score) / 4))
        )
        path = str(photos[row % len(photos)][0])
        entries.append(Entry(Record(f"{path}#{row}", labels, model="mobilenet_v2")))
    return entries


def _report(path: Path, photos: list[tuple[Path, bytes]], count: int) -> Path:
    content = Content("labels.csv", _entries(photos, count))
    thumbnails = (photos[row % len(photos)][1] for row in range(count))
    write_report(content, ReportTarget(str(path)), Places(), thumbnails)
    return path


def _naive(path: Path, pictures: list[Path], count: int) -> Path:
    with open(path, "w", encoding="utf-8") as file:
        file.write("<!doctype html><meta charset=utf-8><title>labels.csv</title>")
        for row in range(count):
            url = escape(pictures[row % len(pictures)].as_uri())
            file.write(
                f'<figure><img loading=lazy width=160 src="{url}?{row}">'
                f"<figcaption>photo {row}: label {row % 400}, 97.1 %</figcaption></figure>\n"
            )
    return path


def _figures(browser: Any, path: Path) -> str:
    size = path.stat().st_size
    for folder, _, names in os.walk(path.with_name(f"{path.stem}_files")):
        size += sum(os.path.getsize(os.path.join(folder, name)) for name in names)
    firsts, slows, worsts, heaps = [], [], [], []
    for _ in range(ROUNDS):
        page = _open(browser, path)
        firsts.append(page.evaluate(WAIT))
        page.wait_for_load_state("load", timeout=300_000)
        frames = page.evaluate(SCROLL, SCROLL_SECONDS)
        slows.append(sum(frame > 50 for frame in frames))
        worsts.append(max(frames))
        session = page.context.new_cdp_session(page)
        session.send("HeapProfiler.collectGarbage")
        session.send("Performance.enable")
        metrics = session.send("Performance.getMetrics")["metrics"]
        heaps.append(next(m["value"] for m in metrics if m["name"] == "JSHeapUsedSize"))
        page.context.close()
    return (
        f"{size / 1e6:6.1f} MB, first picture after {statistics.median(firsts):6.0f} ms, "
        f"{statistics.median(slows):4.0f} frames over 50 ms (longest "
        f"{statistics.median(worsts):5.0f} ms), heap {statistics.median(heaps) / 1e6:5.1f} MB"
    )


def _filter(browser: Any, path: Path, photos: list[tuple[Path, bytes]]) -> None:
    """Print how long each key in the search field takes without thumbnails."""
    content = Content("labels.csv", _entries(photos, FILTER_ROWS))
    write_report(content, ReportTarget(str(path), thumbnails=False), Places())
    page = _open(browser, path)
    page.wait_for_load_state("load")
    times = page.evaluate(TYPE, "label 123")
    print(
        f"{FILTER_ROWS:,} rows without thumbnails: a key in the search field takes "
        f"{statistics.median(times):.0f} ms, at most {max(times):.0f} ms"
    )


def _open(browser: Any, path: Path) -> Page:
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    page.add_init_script(FIRST_PICTURE)
    page.goto(path.as_uri(), wait_until="commit")
    return page  # type: ignore[no-any-return]


if __name__ == "__main__":
    main()
