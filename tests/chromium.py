"""Debian's Chromium, where it is installed: how every test finds and starts it."""

import shutil

import pytest

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
]
needed = pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")
