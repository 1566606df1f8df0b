"""A machine whose clock is in another year does not take a door with it."""

import subprocess
import sys
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from handbill import holding
from handbill.config import BadSettings
from handbill.host.clock import SystemClock
from handbill.kit.instants import DAY, MINUTE, SECOND
from serving import asked, environment, until

_CHILD = """
import sys
from handbill.cli.serving import child_of_tree
from handbill.host.settings import Settings
child_of_tree("edge", 0, Settings(data=sys.argv[1], edge_port=0), int(sys.argv[2]), rest=False)
"""


def test_a_door_that_is_started_anew_goes_by_its_supervisors_time(tmp_path: Path) -> None:
    """As if the machine's clock had been set 400 days forward since the supervisor began."""
    ahead = SystemClock().ahead - 400 * DAY * 1_000
    log = tmp_path / "log"
    with log.open("wb") as said:
        door = subprocess.Popen(
            [sys.executable, "-P", "-c", _CHILD, str(tmp_path / "data"), str(ahead)],
            stderr=said,
            env=environment(),
        )
    try:
        until("it serves and tells", lambda: b"was set by" in log.read_bytes() or None)
        assert b'"ERROR"' in log.read_bytes() or b'"error"' in log.read_bytes()
        port = until("its port", lambda: _port_of(door.pid))
        told = asked(f"http://127.0.0.1:{port}/livez")[1]["date"]
        behind = SystemClock().now() // SECOND - parsedate_to_datetime(told).timestamp()
        assert abs(behind - 400 * DAY // SECOND) < MINUTE // SECOND
    finally:
        door.terminate()
        door.wait(30)


def _port_of(pid: int) -> int | None:
    """The port on which a process listens, as the system tells it."""
    owned = {str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink()}
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        parts = line.split()
        if parts[3] == "0A" and f"socket:[{parts[9]}]" in owned:
            return int(parts[1].partition(":")[2], 16)
    return None


def test_a_server_whose_clock_is_not_the_databases_is_not_started() -> None:
    now = SystemClock().now()
    holding._require_same_clock(now, now - 9 * MINUTE)
    for off in (-11 * MINUTE, 366 * DAY):
        with pytest.raises(BadSettings, match="correct the one that is wrong"):
            holding._require_same_clock(now, now + off)
