"""Make docs/images/report.png, the picture of a report in the README, in a real browser.

    python scripts/make_report_picture.py

Needs scikit-image, whose photos are shown, MobileNetV2's weights, and Chromium.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.doc_pages import ROOT, environment, make_photos

COMMAND = ["mnv2", "classify", "photos", "--category", "--top", "3", "-o", "labels.csv",
           "--report", "report.html", "--quiet"]  # fmt: skip
SIZE = (1140, 756)
SCALE = 1.25
COLOURS = 256
PICTURE = ROOT / "docs" / "images" / "report.png"


def main() -> int:
    """Make the picture; return the exit code."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        make_photos(folder)
        subprocess.run(COMMAND, cwd=folder, env=environment(), check=True)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(
            viewport={"width": SIZE[0], "height": SIZE[1]}, device_scale_factor=SCALE
        )
        page.goto((folder / "report.html").as_uri())
        page.wait_for_load_state("networkidle")
        shot = page.screenshot()
        browser.close()
    image = Image.open(io.BytesIO(shot)).convert("RGB")
    image.quantize(COLOURS, Image.Quantize.MEDIANCUT).save(PICTURE, optimize=True)
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
