"""Edges that run as units of their own, as deploy/systemd has it: links outlive the rest."""

import signal
from pathlib import Path

from flows.test_serve import check_books, exported
from handbill.demo.feeds import feed
from handbill.host.settings import Settings
from handbill.supervise import with_ports
from served_market import BROWSER, JOBS, click, open_market
from serving import Office, beside, hosted, serving, until


def test_links_work_while_the_rest_is_upgraded(tmp_path: Path) -> None:
    data = tmp_path / "data"
    port = str(with_ports(Settings(api_port=0, edge_port=0)).edge_port)
    apart = {"edges": "0", "edge_port": port}
    edge = beside("edge", "--edge-port", port, data=data, trusted_proxies="127.0.0.1")
    try:
        with hosted({"/jobs.xml": b"".join(feed("indeed", JOBS))}) as site:
            allow = site.removeprefix("http://")
            # The edge may have been first: it waits for nothing.
            until("the edge listens", lambda: (data / "journal").is_dir() or None)
            with serving(data, egress_allow=allow, **apart) as server:
                assert server.edge == f"http://127.0.0.1:{port}"
                assert not any(child.startswith("edge") for child in server.children())
                _, links = open_market(Office(server), site)
                before = click(links[0], BROWSER, "198.18.0.1")
                assert server.stop() == 0
            meanwhile = click(links[1], BROWSER, "198.18.0.2")
            assert (before[0], meanwhile[0]) == (302, 302)
            with serving(data, egress_allow=allow, **apart) as server:
                assert server.stop() == 0
        assert {entry["id"] for entry in exported(data)} == {before[1], meanwhile[1]}
        assert edge.poll() is None
        edge.send_signal(signal.SIGTERM)
        assert edge.wait(30) == 0
    finally:
        edge.kill()
        edge.wait(30)
    assert check_books(data)["balanced"] is True
