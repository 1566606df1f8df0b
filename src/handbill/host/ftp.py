"""Uploads files to FTP servers, by the rules of ``host.egress``: the address that was checked is
dialled, and nothing that a server says moves a connection to another one.

A file is written under another name and then renamed, so that nobody reads half of it. **Source**:
RFC 959; RFC 4217 (TLS); RFC 3659 (SIZE).
"""

import ftplib
import io
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from handbill.host.clock import ticking
from handbill.host.egress import Egress, EgressFailed, EgressRefused, FetchLimits

PORTS = frozenset({21, 2121})
LEAST_DATA_PORT = 1_024
ASIDE = ".part"
FORMER = ".former"
_MOST_ADDRESSES = 4
_MOST_LINES = 200
_NOT_LET_IN = "530"
_CLOSING = "421"
_GOODBYE_SECONDS = 3.0
_OF_IDLE = 6  # of the limit of silence, what a reply may take of all that is waited for replies


@dataclass(frozen=True, slots=True)
class Login:
    """``tls``: explicit FTPS, for the login and for each file; never less."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    tls: bool = False


class FtpSession:
    """A login under way. Once ``broken`` it accepts no further file."""

    def __init__(self, talk: "_Talk", limits: FetchLimits) -> None:
        self._talk = talk
        self._limits = limits
        self._folders: set[str] = set()
        self.broken = False

    def put(self, path: str, chunks: Iterable[bytes]) -> int:
        """Write this content to a path; returns its bytes. Missing folders are created.

        **Refuses** (EgressFailed) what the server refuses or loses, and a server that is too slow;
        the former file is still there. (EgressRefused) more bytes than the bound.
        """
        aside = path + ASIDE
        try:
            with _in_our_words("the file"):
                self._make_folders(path)
            sent = self._send(aside, chunks)
            with _in_our_words("the file's size"):
                self._hold_against(aside, sent)
            with _in_our_words("the file's name"):
                self._rename(aside, path)
        except _Replied:
            raise
        except BaseException:
            self.broken = True
            self._talk.require_time()
            raise
        return sent

    def _make_folders(self, path: str) -> None:
        steps = path.split("/")[:-1]
        for n in range(1, len(steps) + 1):
            folder = "/".join(steps[:n])
            if folder and folder not in self._folders:
                # Usually it exists already. If it cannot be created, the file will be refused.
                with suppress(ftplib.error_perm):
                    self._talk.mkd(folder)
                self._folders.add(folder)

    def _send(self, aside: str, chunks: Iterable[bytes]) -> int:
        with _in_our_words("the file"):
            self._talk.voidcmd("TYPE I")
            stream = self._talk.transfercmd(f"STOR {aside}")
        with stream:
            sent = self._pour(stream, chunks)
            if isinstance(stream, ssl.SSLSocket):
                # Only the server's reply counts; not all servers close TLS properly here.
                stream.settimeout(_GOODBYE_SECONDS)
                with suppress(OSError):
                    stream.unwrap()
        with _in_our_words("the file"):
            self._talk.voidresp()
        return sent

    def _pour(self, stream: socket.socket, chunks: Iterable[bytes]) -> int:
        limits, waited, sent = self._limits, 0.0, 0
        for chunk in chunks:
            if sent + len(chunk) > limits.most_bytes:
                raise EgressRefused(f"the file has more than {limits.most_bytes} bytes")
            before = ticking()
            with _in_our_words("the file"):
                stream.sendall(chunk)
            waited += ticking() - before
            sent += len(chunk)
            if waited > limits.slow_seconds and sent < limits.least_rate * waited:
                raise EgressFailed(f"is too slow: under {limits.least_rate} bytes a second")
        return sent

    def _hold_against(self, aside: str, sent: int) -> None:
        kept = None
        with suppress(ftplib.error_perm):  # Servers need not support SIZE.
            kept = self._talk.size(aside)
        if kept is not None and kept != sent:
            raise _Replied(f"the server has kept {kept} of {sent} bytes")

    def _rename(self, aside: str, path: str) -> None:
        try:
            self._talk.rename(aside, path)
        except ftplib.error_perm:
            self._rename_onto(aside, path)

    def _rename_onto(self, aside: str, path: str) -> None:
        """Some servers do not rename onto an existing file: then there is no file for a moment."""
        former = path + FORMER
        with suppress(ftplib.error_perm):
            self._talk.delete(former)
        self._talk.rename(path, former)
        try:
            self._talk.rename(aside, path)
        except ftplib.error_perm:
            self._talk.rename(former, path)
            raise
        with suppress(ftplib.error_perm):
            self._talk.delete(former)


@contextmanager
def ftp_session(egress: Egress, login: Login, limits: FetchLimits) -> Iterator[FtpSession]:
    """Log in for the length of the block, ``total_seconds`` at most.

    **Refuses** (EgressRefused) places that egress refuses, and a login that the server rejects;
    (EgressFailed) a server that does not answer, or has no TLS where it is required.
    """
    with _in_our_words("the connection"):
        addresses = egress.places.addresses(login.host, login.port, PORTS, limits.connect_seconds)
        talk = _Talk(_dialled(addresses, login.port, limits), login.host, egress.tls(), limits)
    watch = threading.Timer(limits.total_seconds, talk.cut)
    watch.daemon = True
    watch.start()
    session = FtpSession(talk, limits)
    try:
        try:
            _log_in(talk, login)
        except EgressFailed:
            talk.require_time()
            raise
        yield session
        if not session.broken:
            talk.sock.settimeout(_GOODBYE_SECONDS)
            with suppress(*ftplib.all_errors):
                talk.quit()
    finally:
        watch.cancel()
        talk.close()


class _Replied(EgressFailed):
    """The server refused one thing; it may be asked for another."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class _Talk(ftplib.FTP_TLS):
    """``ftplib`` on an existing connection, with bounds on what it reads."""

    def __init__(
        self, connection: socket.socket, host: str, context: ssl.SSLContext, limits: FetchLimits
    ) -> None:
        super().__init__(context=context, timeout=limits.idle_seconds)
        self._lines = 0
        self._limits = limits
        self._asked, self._waited = 1, 0.0  # the greeting is a reply too
        self._late = False
        self._secret_data = False
        self._data: socket.socket | None = None
        self.host = host
        self.af = connection.family
        self.sock: socket.socket = connection
        self._address: str = connection.getpeername()[0]
        self._listen()

    def require_time(self) -> None:
        """**Refuses** (EgressFailed) if it was us who broke off."""
        if self._late:
            raise EgressFailed("took too long") from None

    def _listen(self) -> None:
        replies = io.BufferedReader(_Replies(self.sock, self._wait))
        self.file = io.TextIOWrapper(replies, encoding="utf-8", errors="replace")

    def _wait(self, seconds: float) -> None:
        """Count what was waited for replies. **Refuses** (TimeoutError) too much in all."""
        limits = self._limits
        self._waited += seconds
        if self._waited > limits.slow_seconds + self._asked * limits.idle_seconds / _OF_IDLE:
            raise TimeoutError

    def secure_talk(self) -> None:
        self.auth()
        self._listen()

    def secure_files(self) -> None:
        self.voidcmd("PBSZ 0")
        self.voidcmd("PROT P")
        self._secret_data = True

    def putline(self, line: str) -> None:
        self._lines = 0
        self._asked += 1
        super().putline(line)

    def getline(self) -> str:
        self._lines += 1
        if self._lines > _MOST_LINES:
            raise ftplib.error_proto("an answer with too many lines")
        return super().getline()

    def makepasv(self) -> tuple[str, int]:
        """Where data connections go: to the address that was dialled, whatever the answer says."""
        _, port = super().makepasv()
        if not LEAST_DATA_PORT <= port < 65_536:
            raise ftplib.error_proto("a port that is not allowed for data")
        return self._address, port

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, Any]:
        stream, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        self._data = stream
        if self._secret_data:
            # Many servers accept data connections only with the TLS session of the login.
            session = self.sock.session if isinstance(self.sock, ssl.SSLSocket) else None
            stream = self.context.wrap_socket(stream, server_hostname=self.host, session=session)
            self._data = stream
        return stream, size

    def cut(self) -> None:
        """Time is over: break off whatever is waited for, from another thread."""
        self._late = True
        for connection in (self.sock, self._data):
            if connection is not None:
                with suppress(OSError):
                    # Not SSLSocket's own, which would go on in plain text.
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _Replies(io.RawIOBase):
    """What a server replies, and how long that takes: one that drips is never silent for long."""

    def __init__(self, connection: socket.socket, wait: Callable[[float], None]) -> None:
        self._connection = connection
        self._wait = wait

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:
        before = ticking()
        count = self._connection.recv_into(room)
        self._wait(ticking() - before)
        return count


def _dialled(addresses: list[str], port: int, limits: FetchLimits) -> socket.socket:
    """A connection to the first address that accepts one."""
    *others, last = addresses[:_MOST_ADDRESSES]
    for address in others:
        with suppress(OSError):
            return _connected(address, port, limits)
    return _connected(last, port, limits)


def _connected(address: str, port: int, limits: FetchLimits) -> socket.socket:
    connection = socket.create_connection((address, port), limits.connect_seconds)
    connection.settimeout(limits.idle_seconds)
    return connection


def _log_in(talk: _Talk, login: Login) -> None:
    with _in_our_words("the connection"):
        talk.getresp()
    if login.tls:
        with _in_our_words("TLS"):
            talk.secure_talk()
    try:
        with _in_our_words("the login"):
            talk.login(login.user, login.password, secure=False)
    except _Replied as refused:
        if refused.code != _NOT_LET_IN:
            raise
        # Trying again could only lock the account.
        raise EgressRefused(f"the server refused user name or password ({_NOT_LET_IN})") from None
    if login.tls:
        with _in_our_words("TLS"):
            talk.secure_files()


@contextmanager
def _in_our_words(what: str) -> Iterator[None]:
    """Report failures in our own words: a server's reply may repeat what we sent."""
    try:
        yield
    except (ftplib.error_perm, ftplib.error_temp, ftplib.error_reply) as said:
        code = str(said)[:3]
        code = code if code.isascii() and code.isdecimal() else "no code"
        if code == _CLOSING:
            raise EgressFailed("the server closes the connection (421)") from None
        raise _Replied(f"the server refused {what} ({code})", code) from None
    except EOFError:
        raise EgressFailed("the server closed the connection") from None
    except ssl.SSLCertVerificationError:
        raise EgressFailed("the server's certificate is not trusted") from None
    except ssl.SSLError:
        raise EgressFailed("the TLS connection failed") from None
    except TimeoutError:
        raise EgressFailed("the server does not answer in time") from None
    except OSError as broken:
        raise EgressFailed(f"the connection failed ({type(broken).__name__})") from None
    except (ftplib.Error, ValueError, IndexError):
        raise EgressFailed("the server does not speak FTP") from None
