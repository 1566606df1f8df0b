"""Hands mails over to the operator's SMTP server: over TLS, unless the server is on this machine or
the setting says otherwise; a password is never sent before that.

**Source**: RFC 5321; RFC 3207 (STARTTLS); RFC 4954 (AUTH); RFC 8314 (smtps).
"""

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from handbill.host.egress import FetchLimits
from handbill.kit.faults import Unavailable
from handbill.kit.mails import SmtpServer

LIMITS: Final = FetchLimits(connect_seconds=10, idle_seconds=30, total_seconds=120, most_bytes=0)


class MailFailed(Unavailable):
    """It may be taken later. The message may be shown, and has nothing that the server said."""


class MailRefused(Exception):
    """The server will never take it: it refused the recipient or the content."""


def hand_over(
    server: SmtpServer,
    sender: str,
    recipient: str,
    message: bytes,
    tls: ssl.SSLContext,
    limits: FetchLimits = LIMITS,
) -> None:
    """Have the server take one mail; when this returns, it has.

    If the connection ends after the last byte, it is unknown whether the server has taken it.
    **Refuses** (MailRefused) what the server will never take, (MailFailed) what it does not take
    now, and a server that is too slow or has no TLS where it is required.
    """
    talk = _Talk(server, sender.rpartition("@")[2], tls, limits)
    watch = threading.Timer(limits.total_seconds, talk.cut)
    watch.daemon = True
    watch.start()
    try:
        with _in_our_words(talk):
            talk.begin()
            talk.give(sender, recipient, message)
        with suppress(smtplib.SMTPException, OSError):
            talk.quit()
    finally:
        watch.cancel()
        talk.close()


class _Talk(smtplib.SMTP):
    """``smtplib`` on one connection, which another thread may cut."""

    def __init__(
        self, server: SmtpServer, own_name: str, tls: ssl.SSLContext, limits: FetchLimits
    ) -> None:
        super().__init__(local_hostname=own_name, timeout=limits.idle_seconds)
        self._server = server
        self._tls = tls
        self._limits = limits
        self._host = server.host  # the library compares the certificate with it
        self.is_late = False

    def begin(self) -> None:
        """Connect, and log in if there is a password; over TLS where it is required."""
        server = self._server
        code, _ = self.connect(server.host, server.port)
        _require(code, "the connection")
        if server.tls == "STARTTLS":
            self.ehlo_or_helo_if_needed()
            if not self.has_extn("starttls"):
                raise MailFailed("the server offers no TLS (STARTTLS), which is required")
            code, _ = self.starttls(context=self._tls)
            _require(code, "TLS")
        self.ehlo_or_helo_if_needed()
        if server.user:
            self.login(server.user, server.password)

    def give(self, sender: str, recipient: str, message: bytes) -> None:
        code, _ = self.mail(sender)
        _require(code, "the sender's address, HANDBILL_SMTP_FROM")
        code, _ = self.rcpt(recipient)
        _require(code, "the recipient", for_good=True)
        code, _ = self.data(message)
        _require(code, "the mail", for_good=True)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        del timeout  # of connecting, which has its own
        connection = socket.create_connection((host, port), self._limits.connect_seconds)
        connection.settimeout(self._limits.idle_seconds)
        if self._server.tls == "SMTPS":
            hidden = self._tls.wrap_socket(
                connection, server_hostname=host, do_handshake_on_connect=False
            )
            self._known(hidden)
            hidden.do_handshake()
            return hidden
        self._known(connection)
        return connection

    def _known(self, connection: socket.socket) -> None:
        """Let ``cut`` find the connection, unless it has been there before."""
        self.sock = connection
        _require_time(self)

    def cut(self) -> None:
        """Time is over: break off whatever is waited for, from another thread."""
        self.is_late = True
        connection = self.sock
        if connection is not None:
            with suppress(OSError):
                # Not SSLSocket's own, which would go on in plain text.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _require(code: int, what: str, *, for_good: bool = False) -> None:
    """**Refuses** any code but success."""
    if 200 <= code < 300:
        return
    text = f"the server refused {what} ({code})" if 100 <= code < 600 else f"no answer to {what}"
    if for_good and 500 <= code < 600:
        raise MailRefused(text)
    raise MailFailed(text)


@contextmanager
def _in_our_words(talk: _Talk) -> Iterator[None]:
    """Report failures in our own words: a server's reply may repeat what we sent."""
    try:
        yield
    except MailFailed:
        _require_time(talk)
        raise
    except smtplib.SMTPAuthenticationError as refused:
        raise MailFailed(
            f"the server refused user name or password ({refused.smtp_code})"
        ) from None
    except smtplib.SMTPResponseException as refused:
        _require(refused.smtp_code, "the mail")
        raise MailFailed("the server does not speak SMTP") from None
    except smtplib.SMTPNotSupportedError:
        raise MailFailed("the server does not accept a user name and password") from None
    except ssl.SSLCertVerificationError:
        raise MailFailed("the server's certificate is not trusted") from None
    except ssl.SSLError:
        _require_time(talk)
        raise MailFailed("the TLS connection failed") from None
    except TimeoutError:
        raise MailFailed("the server does not answer in time") from None
    except smtplib.SMTPServerDisconnected:
        _require_time(talk)
        raise MailFailed("the server closed the connection") from None
    except socket.gaierror:
        raise MailFailed("the server's name cannot be resolved") from None
    except OSError as broken:
        _require_time(talk)
        raise MailFailed(f"the connection failed ({type(broken).__name__})") from None
    except (smtplib.SMTPException, ValueError):
        raise MailFailed("the server does not speak SMTP") from None


def _require_time(talk: _Talk) -> None:
    if talk.is_late:
        raise MailFailed("took too long") from None
