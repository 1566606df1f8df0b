"""Files go to the FTP server that was checked, whole or not at all, whatever it says."""

import socket
import ssl
import threading
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.egress_server import certificate as certificate  # noqa: PLC0414 - a fixture
from ftp_server import PASSWORD, USER, FtpServer, Part
from handbill.host.egress import Egress, EgressFailed, EgressRefused, FetchLimits
from handbill.host.ftp import FtpSession, Login, ftp_session

SHORT = FetchLimits(connect_seconds=60, idle_seconds=60, total_seconds=120, most_bytes=50_000_000)


def put(
    server: FtpServer | Part,
    path: str = "x.xml",
    chunks: Iterable[bytes] = (b"<a/>",),
    limits: FetchLimits = SHORT,
    **login: Any,
) -> int:
    """Log in at 127.0.0.1 and bring one file; its bytes."""
    sent = 0

    def bring(session: FtpSession) -> None:
        nonlocal sent
        sent = session.put(path, chunks)

    said(server, bring, limits, **login)
    return sent


def said(
    server: FtpServer | Part,
    deed: Any,
    limits: FetchLimits = SHORT,
    *,
    host: str = "127.0.0.1",
    trusted: ssl.SSLContext | None = None,
    **login: Any,
) -> None:
    egress = Egress((f"{host}:{server.port}",), resolve=lambda *_: ["127.0.0.1"], tls=trusted)
    who = {"user": USER, "password": PASSWORD} | login
    try:
        with ftp_session(egress, Login(host, server.port, **who), limits) as session:
            deed(session)
    finally:
        egress.close()


def test_a_file_is_written_aside_and_renamed_and_replaced_so(tmp_path: Path) -> None:
    with FtpServer(tmp_path / "ftp") as server:
        assert put(server, "jobs/today/Ä b.xml", [b"<jobs>", b"</jobs>"]) == 13
        assert server.files() == {"jobs/today/Ä b.xml": b"<jobs></jobs>"}
        steps = [line for line in server.heard if line[:4] in {"stor", "rnfr", "rnto"}]
        name = "jobs/today/Ä b.xml"
        assert steps == [f"stor {name}.part", f"rnfr {name}.part", f"rnto {name}"]
        # This server does not rename onto a file that is there.
        assert put(server, "jobs/today/Ä b.xml", [b"<none/>"]) == 7
        assert server.files() == {"jobs/today/Ä b.xml": b"<none/>"}


def test_a_large_file_arrives_as_it_is(tmp_path: Path) -> None:
    chunks = [bytes([n]) * 100_000 for n in range(100)]
    with FtpServer(tmp_path / "ftp") as server:
        assert put(server, chunks=iter(chunks)) == 10_000_000
        assert server.files() == {"x.xml": b"".join(chunks)}


def test_a_wrong_password_is_final_and_is_told_nowhere(tmp_path: Path) -> None:
    with FtpServer(tmp_path / "ftp") as server, pytest.raises(EgressRefused) as refused:
        put(server, password="not 'it'")
    assert str(refused.value) == "the server refused user name or password (530)"
    # One that says what it heard is not repeated, not even in a trace.
    secret = f"{USER}-{4 * 8}"
    with Part(PASS=f"530 not {secret}") as part, pytest.raises(EgressRefused) as refused:
        put(part, password=secret)
    assert secret not in "".join(traceback.format_exception(refused.value))
    assert secret not in repr(Login("h", 21, "u", secret))


def test_tls_is_never_left_out(tmp_path: Path, certificate: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    trusted = ssl.create_default_context(cafile=certificate)
    with FtpServer(tmp_path / "ftp", tls) as server:
        put(server, host="feeds.example", trusted=trusted, tls=True, chunks=[b"x" * 300_000])
        assert server.files() == {"x.xml": b"x" * 300_000}
        assert server.heard[:5] == ["auth TLS", f"user {USER}", "pass", "pbsz 0", "prot P"]
    for host, context in (("other.example", trusted), ("feeds.example", None)):
        with FtpServer(tmp_path / "ftp", tls) as server, pytest.raises(EgressFailed) as failed:
            put(server, host=host, trusted=context, tls=True)
        assert str(failed.value) == "the server's certificate is not trusted"
        assert server.heard == ["auth TLS"]
    with Part() as part, pytest.raises(EgressFailed, match=r"refused TLS \(502\)"):
        put(part, tls=True)
    assert part.heard == ["AUTH TLS"]


def test_replies_that_drip_are_given_up() -> None:
    """All vendors share a thread: one that is never silent must not hold it for half an hour."""
    gate = threading.Event()  # never set: what the server waits for

    def drip(_: Part, __: str) -> str:
        for _drip in range(20):
            gate.wait(0.05)
            part.say("331-")
        return "331 go on"

    soon = replace(SHORT, idle_seconds=0.6, slow_seconds=0)
    with Part(USER=drip) as part:
        with pytest.raises(EgressFailed, match="does not answer in time"):
            put(part, limits=soon)
        assert put(part) == 4


def test_no_answer_moves_the_file_to_another_address() -> None:
    with socket.create_server(("127.0.0.2", 0)) as other:
        other.settimeout(0)
        port = other.getsockname()[1]
        with Part(PASV=lambda part, _: part.pasv("127.0.0.2")) as part:
            assert put(part) == 4
        assert part.received == [b"<a/>"]
        elsewhere = Part(PASV=lambda part, _: part.pasv("127.0.0.2", port))
        with elsewhere, pytest.raises(EgressFailed, match="connection failed"):
            put(elsewhere)
        with pytest.raises(BlockingIOError):
            other.accept()


@pytest.mark.parametrize(
    "answer", ["227 (127,0,0,1,0,22)", "227 (127,0,0,1,999,9)", "227 nowhere", "227 (1,2)", "200 x"]
)
def test_a_port_that_is_none_for_files_is_not_dialled(answer: str) -> None:
    with Part(PASV=answer) as part, pytest.raises(EgressFailed):
        put(part)
    assert part.received == []
    assert not any(line.startswith("STOR") for line in part.heard)


def test_a_server_that_dies_in_the_middle_keeps_the_former_file() -> None:
    with Part(most=100_000, DONE=None) as part:
        broken: list[bool] = []

        def bring(session: FtpSession) -> None:
            with pytest.raises(EgressFailed):
                session.put("x.xml", (b"x" * 65_536 for _ in range(400)))
            broken.append(session.broken)

        said(part, bring)
    assert broken == [True]
    assert "STOR x.xml.part" in part.heard
    assert not any(line.startswith("RN") for line in part.heard)


def test_half_a_file_is_not_renamed() -> None:
    with Part(SIZE="213 3") as part, pytest.raises(EgressFailed, match="kept 3 of 4 bytes"):
        put(part)
    assert not any(line.startswith("RN") for line in part.heard)
    with Part(DONE="426 lost") as part, pytest.raises(EgressFailed, match=r"the file \(426\)"):
        put(part)
    assert not any(line.startswith("RN") for line in part.heard)


def test_a_name_that_is_refused_leaves_the_former_file() -> None:
    def rename_to(_: Part, path: str) -> str:
        return "553 no" if path == "x.xml" and part.heard[-2] == "RNFR x.xml.part" else "250 done"

    with Part(RNTO=rename_to) as part, pytest.raises(EgressFailed, match=r"name \(553\)"):
        put(part)
    renamed = [line for line in part.heard if line.startswith("RN")]
    assert renamed[2:] == [
        "RNFR x.xml",
        "RNTO x.xml.former",
        "RNFR x.xml.part",
        "RNTO x.xml",
        "RNFR x.xml.former",
        "RNTO x.xml",
    ]


def test_one_refused_file_does_not_keep_the_next_one_back() -> None:
    def store(_: Part, path: str) -> str:
        return "553 not this" if path.startswith("bad") else "150 send"

    def bring(session: FtpSession) -> None:
        with pytest.raises(EgressFailed, match=r"the file \(553\)"):
            session.put("bad.xml", [b"x"])
        assert not session.broken
        assert session.put("good.xml", [b"yes"]) == 3

    with Part(STOR=store) as part:
        said(part, bring)
    assert part.received[-1] == b"yes"


@pytest.mark.parametrize(
    ("welcome", "answers", "limits", "why"),
    [
        (None, {}, FetchLimits(5, 0.3, 20), "does not answer in time"),
        (None, {}, FetchLimits(5, 20, 0.3), "took too long"),
        ("220-" + "x\r\n" * 300, {}, SHORT, "does not speak FTP"),
        ("220 " + "x" * 9_000, {}, SHORT, "does not speak FTP"),
        ("HTTP/1.1 400 what", {}, SHORT, "does not speak FTP"),
        ("\u2028\u0085", {}, SHORT, "does not speak FTP"),
        ("421 full", {}, SHORT, "closes the connection"),
        ("220 hello", {"PASS": None}, SHORT, "closed the connection"),
        ("220 hello", {"PASS": "332 account?", "ACCT": "530 no"}, SHORT, "user name or password"),
        ("220 hello", {"PASS": "430 later"}, SHORT, r"the login \(430\)"),
    ],
)
def test_what_servers_do_wrong(
    welcome: str | None, answers: dict[str, Any], limits: FetchLimits, why: str
) -> None:
    refusals = pytest.raises((EgressFailed, EgressRefused), match=why)
    with Part(welcome, **answers) as part, refusals:
        put(part, limits=limits)


def test_a_server_that_takes_too_little_in_its_time() -> None:
    impatient = FetchLimits(5, 60, 120, slow_seconds=0, least_rate=10**12)
    with Part() as part, pytest.raises(EgressFailed, match="is too slow"):
        put(part, chunks=[b"x" * 1_000_000] * 3, limits=impatient)
    small = FetchLimits(5, 5, 20, most_bytes=10)
    with Part() as part, pytest.raises(EgressRefused, match="more than 10 bytes"):
        put(part, chunks=[b"x" * 8, b"x" * 8], limits=small)
    assert not any(line.startswith("RN") for line in part.heard)


@pytest.mark.parametrize(
    ("host", "port", "found", "why"),
    [
        ("127.0.0.1", 21, [], "not public"),
        ("::1", 21, [], "not public"),
        ("ftp.example", 21, ["10.0.0.1"], "not public"),
        ("ftp.example", 21, ["93.184.216.34", "127.0.0.1"], "not public"),
        ("ftp.example", 22, ["93.184.216.34"], "port 22"),
        ("ftp.example", 21, [], "no address"),
    ],
)
def test_where_files_may_not_go(host: str, port: int, found: list[str], why: str) -> None:
    egress = Egress(("127.0.0.1:2121",), resolve=lambda *_: found)
    session = ftp_session(egress, Login(host, port, "u", "p"), SHORT)
    with pytest.raises((EgressRefused, EgressFailed), match=why), session:
        pytest.fail("it was let in")
    egress.close()


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    egress = Egress((f"127.0.0.1:{port}",))
    session = ftp_session(egress, Login("127.0.0.1", port, "u", "p"), SHORT)
    with pytest.raises(EgressFailed, match="connection failed"), session:
        pytest.fail("there is none")
    egress.close()


def test_one_who_is_stopped_leaves_nothing_under_the_name(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"half"
        raise KeyboardInterrupt

    with FtpServer(tmp_path / "ftp") as server:
        put(server, chunks=[b"whole"])
        with pytest.raises(KeyboardInterrupt):
            put(server, chunks=chunks())
        assert server.files()["x.xml"] == b"whole"
        # The next one writes over what was left aside.
        put(server, chunks=[b"new"])
        assert server.files() == {"x.xml": b"new"}
