"""The tour of the README, run as it stands. It has a folder and ports of its own at each run."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from serving import LONG, environment

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_the_tour_works(tmp_path: Path) -> None:
    tour = (ROOT / "README.md").read_text().split("## A tour")[1].split("\n## ")[0]
    script = "\n".join(re.findall(r"```sh\n(.*?)```", tour, re.DOTALL))
    assert "kill %1 %2" in tour
    # So it can be run twice, beside itself and beside whatever listens where a server usually does.
    assert re.search(r"mktemp -d", script)
    assert not re.search(r":(8080|8081|9000)\b|[ \"]data/", script)
    script = script.replace("make setup\n", "").replace(".venv/bin/handbill", "handbill")
    bin_folder = Path(sys.executable).parent
    process = subprocess.Popen(
        ["bash", "-c", f"set -eum\n{script}\nkill %1 %2; wait"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment() | {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"},
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=LONG)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert said.count('"ready":true') == 1, said
    assert '"kind":"CLICK","disposition":"valid"' in said, said
    assert '"kind":"APPLY","disposition":"counted"' in said, said
    assert said.count("the books balance") == 1, said
    lines = said.splitlines()
    at = next(number for number, line in enumerate(lines) if ",clicks," in line)
    header, row = lines[at : at + 2]
    report = dict(zip(header.split(","), row.split(","), strict=True))
    assert (report["clicks"], report["applies"], report["spent"]) == ("1", "1", "0.8"), said
