"""Whether a tree tells the truth about itself: what hangs is replaced."""

import os
import signal
from pathlib import Path

from serving import asked, serving, until


def status_of(url: str) -> int | None:
    """The status, None while nobody listens."""
    try:
        return asked(url)[0]
    except OSError:
        return None


def test_what_hangs_is_replaced(tmp_path: Path) -> None:
    with serving(tmp_path / "data", edges="2", probe_seconds="1") as server:
        hung = ("edge-1", "api-0", "worker-0")
        former = server.children()
        for child in hung:
            os.kill(former[child], signal.SIGSTOP)
        for child in hung:
            killed = server.wait_for("a process ended and is started again", child)
            assert killed["status"] == -signal.SIGKILL
            server.wait_for("started", child, server.log.index(killed))
        for door in (server.api, server.edge):
            until("it answers", lambda door=door: status_of(f"{door}/livez") == 200 or None)
        kept = {name: pid for name, pid in server.children().items() if name not in hung}
        assert kept.items() <= former.items(), "nothing else was killed"
        assert server.stop() == 0
