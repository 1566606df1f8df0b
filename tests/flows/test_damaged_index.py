"""The edge's index is damaged while a whole tree serves: it is made anew by the tree alone."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from handbill.demo.feeds import feed
from served_market import BROWSER, JOBS, click, open_market
from serving import Office, asked, hosted, serving, until

PAGE = 4096


def test_links_work_again_by_themselves(tmp_path: Path) -> None:
    file = tmp_path / "data" / "index" / "data.mdb"
    with (
        hosted({"/jobs.xml": b"".join(feed("indeed", JOBS))}) as site,
        serving(tmp_path / "data", egress_allow=site.removeprefix("http://")) as server,
    ):
        _, links = open_market(Office(server), site)

        def all_is_well() -> bool:
            """Whether all links lead on, and the edge calls itself ready."""
            try:
                said = {click(link, BROWSER, "198.18.0.1")[0] for link in links}
                return said == {302} and asked(f"{server.edge}/readyz")[0] == 200
            except OSError:  # the edge was killed by what it read, and is started again
                return False

        def recovers_from(deed: Callable[[], object]) -> None:
            former = os.open(file, os.O_RDONLY)  # so that nothing else gets its number
            deed()
            until("another index", lambda: (all_is_well() and _is_other(file, former)) or None)
            os.close(former)

        assert all_is_well()
        recovers_from(lambda: _overwrite(file))
        recovers_from(lambda: os.truncate(file, 2 * PAGE))
        recovers_from(lambda: shutil.rmtree(file.parent))
        assert server.stop() == 0


def _is_other(file: Path, former: int) -> bool:
    return file.exists() and not os.path.samestat(file.stat(), os.fstat(former))


def _overwrite(file: Path) -> None:
    """All but the two pages that name the roots."""
    with file.open("r+b") as pages:
        size = pages.seek(0, os.SEEK_END)
        pages.seek(2 * PAGE)
        pages.write(b"\xff" * (size - pages.tell()))
