"""FTP servers on loopback: a real one (aioftp), with TLS as RFC 4217 has it, and one that plays a
part word by word.
"""

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import aioftp

USER, PASSWORD = "ripple", "hunter 2%§"


class _Explicit(aioftp.Server):
    """Plain until AUTH TLS; what is sent afterwards, and every file, is not."""

    def __init__(self, tls: ssl.SSLContext | None, **said: Any) -> None:
        super().__init__(**said)
        self._context = tls
        self.heard: list[str] = []
        if tls is not None:
            self.commands_mapping["auth"] = self.auth

    async def parse_command(self, stream: Any, *rest: Any) -> tuple[str, str]:
        command, said = await super().parse_command(stream, *rest)
        self.heard.append(f"{command} {said}" if command != "pass" else command)
        return command, said

    async def auth(self, connection: Any, _: Any) -> bool:
        stream = connection.command_connection
        stream.writer.transport.pause_reading()  # The next bytes are no text.
        await self.write_response(stream, "234", "go on")
        await stream.writer.start_tls(self._context)
        self.ssl = self._context  # Of the connections for files, which are made from now on.
        return True


class FtpServer:
    """A real one, in a thread of its own. ``heard``: its commands, without passwords."""

    def __init__(self, folder: Path, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self._loop = asyncio.new_event_loop()
        self._tls = tls
        self._port = port
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,))
        self._thread.start()
        assert ready.wait(10)

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        # A client that leaves without a word is no news to tests.
        self._loop.set_exception_handler(lambda *_: None)
        user = aioftp.User(USER, PASSWORD, base_path=self.folder, home_path="/")
        self._server = _Explicit(self._tls, users=[user], wait_future_timeout=5)
        self._loop.run_until_complete(self._server.start("127.0.0.1", self._port))
        self.port: int = self._server.server_port
        ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._server.close())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    @property
    def heard(self) -> list[str]:
        return self._server.heard

    def files(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """A second time nothing happens."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()


_USUAL = {
    "USER": "331 and?",
    "PASS": "230 in",
    "TYPE": "200 so",
    "QUIT": "221 bye",
    "STOR": "150 send",
    "RNFR": "350 to?",
    "RNTO": "250 done",
    "MKD": "550 is there",
    "DELE": "250 gone",
}


class Part:
    """A server that answers each command as it is told to: by text, by a function of the rest of
    the line, or, with None, by hanging up. What is not in the part is answered 502.

    ``received``: what came over connections for files, which it takes at ``data_port``; with
    ``most`` it leaves, both connections at once, when it has so many bytes.
    """

    def __init__(
        self, welcome: str | None = "220 hello", most: int | None = None, **answers: Any
    ) -> None:
        self._most = most
        self.heard: list[str] = []
        self.received: list[bytes] = []
        self._answers: dict[str, Any] = _USUAL | answers
        self._welcome = welcome
        self._closing = False
        self._open: list[socket.socket] = []
        self._control = socket.create_server(("127.0.0.1", 0))
        self._files = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._control.getsockname()[1]
        self.data_port: int = self._files.getsockname()[1]
        self._threads = [
            threading.Thread(target=self._accept, args=(self._control, self._talk)),
            threading.Thread(target=self._accept, args=(self._files, self._take)),
        ]
        for thread in self._threads:
            thread.start()

    def pasv(self, host: str = "127.0.0.1", port: int | None = None) -> str:
        at = self.data_port if port is None else port
        return f"227 there ({host.replace('.', ',')},{at >> 8},{at & 255})"

    def say(self, line: str) -> None:
        """Send a line of a longer answer."""
        self._open[-1].sendall(f"{line}\r\n".encode())

    def _accept(self, server: socket.socket, play: Callable[[socket.socket], None]) -> None:
        while True:
            connection, _ = server.accept()
            self._open.append(connection)
            if self._closing:
                return
            with suppress(OSError):  # The other side may leave at any time.
                play(connection)

    def _talk(self, connection: socket.socket) -> None:
        if self._welcome is None:
            return
        connection.sendall(f"{self._welcome}\r\n".encode())
        for line in connection.makefile("r", encoding="utf-8", newline="\r\n"):
            command, _, rest = line.strip().partition(" ")
            self.heard.append(command if command == "PASS" else line.strip())
            answer = self._answers.get(command, "502 what?")
            if command == "PASV" and command not in self._answers:
                answer = self.pasv()
            if callable(answer):
                answer = answer(self, rest)
            if answer is None:
                connection.close()
                return
            connection.sendall(f"{answer}\r\n".encode())
            if command == "STOR" and answer.startswith("1"):
                connection.sendall(f"{self._answers.get('DONE', '226 got it')}\r\n".encode())

    def _take(self, connection: socket.socket) -> None:
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
            if self._most is not None and len(received) >= self._most:
                for left in self._open:
                    if left is not connection:
                        with suppress(OSError):
                            left.shutdown(socket.SHUT_RDWR)
                # Reset, or the other side might wait for room until its time is up.
                at_once = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
                break
        self.received.append(received)
        connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for server in (self._control, self._files):
            socket.create_connection(server.getsockname()).close()
        for thread in self._threads:
            thread.join()
        for opened in (*self._open, self._control, self._files):
            opened.close()
