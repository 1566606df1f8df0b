"""The tour of the README, run as it stands; only its ports are others."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from serving import environment

ROOT = Path(__file__).parents[2]


def free_ports(count: int) -> list[str]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [str(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_the_tour_works(tmp_path: Path) -> None:
    tour = (ROOT / "README.md").read_text().split("## A tour")[1].split("\n## ")[0]
    script = "\n".join(re.findall(r"```sh\n(.*?)```", tour, re.DOTALL))
    assert "kill %1 %2" in tour
    site, api, edge = free_ports(3)
    script = script.replace("9000", site).replace(
        "http://127.0.0.1:8080", f"http://127.0.0.1:{api}"
    )
    script = script.replace("make setup\n", "").replace(".venv/bin/handbill", "handbill")
    bin_folder = Path(sys.executable).parent
    process = subprocess.Popen(
        ["bash", "-c", f"set -eum\n{script}\nkill %1 %2; wait"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=environment(api_port=api, edge_port=edge)
        | {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"},
        start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = process.communicate(timeout=120)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert '"ready":true' in said, said
    assert '"kind":"CLICK","disposition":"valid"' in said, said
    assert '"kind":"APPLY","disposition":"counted"' in said, said
    assert "the books balance" in said, said
    lines = said.splitlines()
    at = next(number for number, line in enumerate(lines) if ",clicks," in line)
    header, row = lines[at : at + 2]
    report = dict(zip(header.split(","), row.split(","), strict=True))
    assert (report["clicks"], report["applies"], report["spent"]) == ("1", "1", "0.8"), said
