"""Mails as messages, and the server that they are handed to."""

import ssl
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.egress_server import certificate
from handbill.config import BadSettings, configure
from handbill.host.egress import FetchLimits
from handbill.host.settings import Settings
from handbill.host.smtp import MailFailed, MailRefused, hand_over
from handbill.kit.mails import SmtpServer, is_mail, server_of
from handbill.mail.composing import Envelope, Items, Letter, MailTable, message_of
from mail_server import DROP, HANG, Mailbox, mail_server

__all__ = ["certificate"]
NOON = 1_795_003_200 * 1_000_000
TO = Envelope("mail_x1", "news@handbill.example", "ada@acme.example", NOON)
LIMITS = FetchLimits(connect_seconds=60, idle_seconds=60, total_seconds=120)
PASSWORD = "s3cret p/w"


def letter(**said: Any) -> Letter:
    usual: dict[str, Any] = {
        "subject": "Hello",
        "lines": ("A line.",),
        "link": ("Open", "https://api.example/app"),
        "why": "Because.",
    }
    return Letter(**(usual | said))


def read(raw: bytes) -> EmailMessage:
    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def texts(message: EmailMessage) -> tuple[str, str]:
    text, html = message.iter_parts()
    return text.get_content(), html.get_content()


def test_a_letter_is_text_and_html_that_say_the_same() -> None:
    said = letter(
        parts=(
            MailTable("Figures", ("Client", "Spend"), [("Acme", "12.50 USD")]),
            Items("Failed", ["jobs.xml"]),
        ),
        end="https://api.example/app/unsubscribe/abc",
    )
    message = read(message_of(said, TO))
    for part in texts(message):
        for one in ("A line.", "Figures", "Acme", "Spend", "12.50 USD", "Failed", "jobs.xml"):
            assert one in part
        assert "https://api.example/app/unsubscribe/abc" in part
    assert message["To"] == "ada@acme.example"
    assert message["From"] == "Handbill <news@handbill.example>"
    assert message["Message-ID"] == "<mail_x1@handbill.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].startswith("Wed, 18 Nov 2026 12:00:00")


def test_a_message_is_the_same_each_time() -> None:
    assert message_of(letter(), TO) == message_of(letter(), TO)


@pytest.mark.parametrize("word", ["Mills", "Mühle"])
def test_a_long_subject_begins_on_its_own_line(word: str) -> None:
    subject = f"Alert: {word}, Pause Job: the rule is paused (since 2026-11-18 13:01 UTC)"
    raw = message_of(letter(subject=subject), TO)
    assert message_from_bytes(raw, policy=policy.default)["Subject"] == subject
    lines = raw.partition(b"\r\n\r\n")[0].splitlines()
    assert all(len(line) <= 78 for line in lines if not line.startswith(b"List-"))


def test_what_ends_mails_is_on_one_line_however_long() -> None:
    """RFC 8058: one https address, which a folded or encoded header would break."""
    end = f"https://{'a' * 60}.example/app/unsubscribe/{'b' * 200}"
    raw = message_of(letter(end=end), TO)
    head = raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert f"List-Unsubscribe: <{end}>".encode() in head
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in head
    assert b"List-Unsubscribe" not in message_of(letter(), TO)


NASTY = st.text(
    st.characters(codec=None, categories=["L", "Cc", "Cf", "Zl", "Zp", "Cs", "P", "S", "Zs"]),
    max_size=300,
)


@given(NASTY, NASTY)
def test_no_title_makes_a_header_or_markup(subject: str, name: str) -> None:
    said = letter(
        subject=subject + "\r\nBcc: evil@example.com\r\n\r\n<script>alert(1)</script>",
        lines=(name + "\r\n.\r\nMAIL FROM:<evil@example.com>",),
        parts=(MailTable(name, ("A", "<b>"), [(name, "<img src=x>")]), Items(name, [name])),
    )
    raw = message_of(said, TO)
    raw.decode("ascii")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    message = read(raw)
    assert message["Bcc"] is None
    assert sorted({name.lower() for name in message}) == [
        "auto-submitted",
        "content-type",
        "date",
        "from",
        "message-id",
        "mime-version",
        "subject",
        "to",
    ]
    _, html = texts(message)
    assert "<script>" not in html
    assert "<img" not in html
    assert not message.defects


def test_long_texts_are_cut_and_lines_are_short() -> None:
    raw = message_of(letter(subject="x" * 9_000, lines=("y" * 9_000, "\u202eabc\u2028d")), TO)
    message = read(raw)
    assert len(message["Subject"]) == 150
    text, _ = texts(message)
    assert "\u202e" not in text
    assert "abc d" in text
    assert len(raw) < 10_000


@pytest.mark.parametrize(
    "wrong",
    [
        "ada",
        "ada@acme",
        "@acme.example",
        "ada@",
        "a b@acme.example",
        "ada@acme.example\r\nBcc: x@y.example",
        "ada@acme.example\n",
        "ädä@acme.example",
        "ada@äcme.example",
        "ada@acme..example",
        ".ada@acme.example",
        "a..b@acme.example",
        "ada@-acme.example",
        "<ada@acme.example>",
        "ada@acme.example,eve@acme.example",
        '"ada"@acme.example',
        "a" * 250 + "@acme.example",
        "ada@[127.0.0.1]",
    ],
)
def test_only_plain_addresses_are_mail_addresses(wrong: str) -> None:
    assert not is_mail(wrong)
    assert is_mail("o'neil+jobs@mail.acme-ads.example")


def test_servers_are_named_by_addresses() -> None:
    assert server_of("smtp://u%40x:p%2Fw@mail.example") == SmtpServer(
        "mail.example", 587, "u@x", "p/w", "STARTTLS"
    )
    assert server_of("smtps://mail.example:4650").tls == "SMTPS"
    assert server_of("smtps://mail.example").port == 465
    near = [server_of(f"smtp://{host}:25") for host in ("localhost", "127.0.0.1", "[::1]")]
    assert {one.tls for one in near} == {"NONE"}
    assert server_of("smtp://localhost", "REQUIRED").tls == "STARTTLS"
    assert server_of("smtp://mail.example", "OFF").tls == "NONE"
    assert "p/w" not in repr(server_of("smtp://u:p%2Fw@mail.example"))


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "http://u:hidden@mail.example",
        "smtp://",
        "smtp://u:hidden@mail.example:99999",
        "smtp://u:hidden@mail.example/path",
        "smtp://u:hidden@mail.example?tls=no",
        "smtp://u:hid%0D%0Aden@mail.example",
        "smtp://u@mail.example",
        "smtp://u:hidd%C3%A9n@mail.example",
    ],
)
def test_a_wrong_server_stops_the_start_without_its_password(url: str) -> None:
    with pytest.raises(BadSettings) as refused:
        configure({"HANDBILL_SMTP_URL": url}, Path("/nowhere"), {})
    assert "HANDBILL_SMTP_URL must" in str(refused.value)
    assert "hid" not in str(refused.value)


def test_a_wrong_sender_stops_the_start() -> None:
    told = {"HANDBILL_SMTP_URL": "smtp://localhost", "HANDBILL_SMTP_FROM": "Handbill <a@b.example>"}
    with pytest.raises(BadSettings, match="HANDBILL_SMTP_FROM"):
        configure(told, Path("/nowhere"), {})


def test_the_sender_is_at_the_public_address() -> None:
    assert Settings(api_url="https://ads.example/x").mail_sender == "handbill@ads.example"
    assert Settings(api_url="http://[::1]:80").mail_sender == "handbill@localhost"
    assert Settings(smtp_from="me@x.example").mail_sender == "me@x.example"


def give(
    server: SmtpServer, limits: FetchLimits = LIMITS, tls: ssl.SSLContext | None = None
) -> None:
    context = tls or ssl.create_default_context()
    hand_over(server, TO.sender, TO.recipient, message_of(letter(), TO), context, limits)


def plainly(box: Mailbox) -> SmtpServer:
    return SmtpServer("127.0.0.1", box.port, "", "", "NONE")


def secretly(box: Mailbox, host: str = "localhost") -> SmtpServer:
    return SmtpServer(host, box.port, "u", PASSWORD, "STARTTLS")


def test_a_mail_is_taken_as_it_was_written() -> None:
    with mail_server() as box:
        give(plainly(box))
    assert box.taken == [(TO.recipient, message_of(letter(), TO))]
    assert box.said[0] == ("ehlo handbill.example", False)


@pytest.mark.parametrize(
    ("stage", "status", "kind", "told"),
    [
        ("greeting", 554, MailFailed, "the server refused the connection (554)"),
        ("mail", 550, MailFailed, "the server refused the sender's address, HANDBILL_SMTP_FROM"),
        ("rcpt", 450, MailFailed, "the server refused the recipient (450)"),
        ("rcpt", 550, MailRefused, "the server refused the recipient (550)"),
        ("data", 451, MailFailed, "the server refused the mail (451)"),
        ("end", 452, MailFailed, "the server refused the mail (452)"),
        ("end", 554, MailRefused, "the server refused the mail (554)"),
        ("greeting", DROP, MailFailed, "the server closed the connection"),
        ("rcpt", DROP, MailFailed, "the server closed the connection"),
        ("mid", DROP, MailFailed, "the server closed the connection"),
        ("end", DROP, MailFailed, "the server closed the connection"),
    ],
)
def test_what_a_server_refuses_is_told_without_its_words(
    stage: str, status: int | str, kind: type[Exception], told: str
) -> None:
    with mail_server() as box:
        box.answers[stage] = [status]
        with pytest.raises(kind) as failed:
            give(plainly(box))
    reset = "the connection failed (ConnectionResetError)"
    assert str(failed.value).startswith((told, reset) if status == DROP else told)
    assert box.taken == []


@pytest.mark.parametrize("stage", ["greeting", "mail", "end"])
def test_a_server_that_hangs_is_left(stage: str) -> None:
    with mail_server() as box:
        box.answers[stage] = [HANG]
        with pytest.raises(MailFailed, match="took too long"):
            give(plainly(box), replace(LIMITS, total_seconds=0.3))


def test_nobody_is_there() -> None:
    with mail_server() as box:
        gone = plainly(box)
    with pytest.raises(MailFailed, match="the connection failed"):
        give(gone)


def test_a_password_goes_over_tls_only(certificate: Path) -> None:
    offered = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    offered.load_cert_chain(certificate)
    trusted = ssl.create_default_context(cafile=certificate)
    with mail_server(offered) as box:
        box.login = ("u", PASSWORD)
        give(secretly(box), tls=trusted)
        assert [is_secret for line, is_secret in box.said if line.startswith("AUTH")] == [True]
        assert len(box.taken) == 1
        box.login = ("u", "another")
        with pytest.raises(MailFailed, match="refused user name or password \\(535\\)"):
            give(secretly(box), tls=trusted)
        box.said.clear()
        for context, host in ((None, "localhost"), (trusted, "127.0.0.1")):
            with pytest.raises(MailFailed, match="certificate is not trusted"):
                give(secretly(box, host), tls=context)
        box.offers_tls = False
        with pytest.raises(MailFailed, match="offers no TLS"):
            give(secretly(box), tls=trusted)
        assert not [line for line, _ in box.said if line.upper().startswith(("AUTH", "MAIL"))]
        assert len(box.taken) == 1


def test_smtps_is_secret_from_the_first_byte(certificate: Path) -> None:
    offered = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    offered.load_cert_chain(certificate)
    trusted = ssl.create_default_context(cafile=certificate)
    with mail_server(offered, at_once=True) as box:
        box.login = ("u", PASSWORD)
        give(replace(secretly(box), tls="SMTPS"), tls=trusted)
        assert len(box.taken) == 1
        with pytest.raises(MailFailed, match="certificate is not trusted"):
            give(replace(secretly(box), tls="SMTPS"))
