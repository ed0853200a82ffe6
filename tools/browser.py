"""Finds Chromium for the browser tests, or installs it. Standard library only: it runs before anything is sure to be there.

python tools/browser.py     prints where it is; where there is none, installs it or says in one line how
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
ELSEWHERE = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/snap/bin/chromium",
)
FIX = (
    "no browser for the browser tests; fix: sudo apt install chromium, or .venv/bin/playwright install --with-deps chromium,"
    " or ONWARD_TEST_BROWSER=/path/to/chrome"
)


def find() -> str | None:
    """Where a Chromium is: what ONWARD_TEST_BROWSER names, one on the PATH, or the one that Playwright has downloaded."""
    named = os.environ.get("ONWARD_TEST_BROWSER")
    if named:
        return named if os.access(named, os.X_OK) else None
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return found or next((path for path in ELSEWHERE if os.access(path, os.X_OK)), None) or _of_playwright()


def _of_playwright() -> str | None:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install() -> None:
    """By the system's packages where that may be done without asking (as root), else by Playwright's own download."""
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "chromium"]):
            subprocess.run(["apt-get", *words], env=quiet, stdout=sys.stderr, check=False)
        if find() is not None:
            return
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], stdout=sys.stderr, check=False)


def main() -> int:
    """Print the browser's path."""
    if find() is None and not os.environ.get("ONWARD_TEST_BROWSER"):
        print("onward: installing a browser for the tests", file=sys.stderr)
        install()
    found = find()
    if found is None:
        print(f"onward: {FIX}", file=sys.stderr)
        return 1
    print(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
