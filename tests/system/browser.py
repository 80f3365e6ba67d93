"""Headless Chromium, driven by scripts of this folder."""

import json
import shutil

import npm
from harness import ROOT

PUPPETEER = ("puppeteer-core", "22.15.0", "lib/esm/puppeteer/puppeteer-core.js")
SCREENSHOTS = ROOT / "build/screenshots"


def browse(script, url, *arguments, timeout=90) -> dict:
    """Runs a script with a browser on `url`; what it returns. Its screenshots go to build/screenshots."""
    chromium = shutil.which("chromium")
    assert chromium, "this test needs Chromium (Debian: chromium); ./dev test installs it"
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    result = npm.run("browser.mjs", npm.module(*PUPPETEER), chromium, SCREENSHOTS, script, url, *arguments, timeout=timeout)
    assert result.returncode == 0, f"{script}: {result.stderr.strip()[-2000:]}"
    return json.loads(result.stdout)
