"""One HTTP/1.1 connection with a stranger: with a bound on all that we hold or wait for.

It knows no business word. Each request is passed to the server's ``answer``, and its answers are
written in the order of the requests, at once or when a future is done.
"""

import asyncio
from binascii import hexlify
from collections import deque
from logging import getLogger
from typing import Any

from handbill.http1.messages import FAULTS, BodyStream, BodyWithId, Http1Answer, Later, Request
from handbill.http1.reading import RequestReader, StopReading
from handbill.http1.server import CLOSES, GOES_ON, KEEPS, Server
from handbill.http1.slots import Slot, drop
from handbill.kit.addresses import network_of
from handbill.kit.faults import passes

_LOG = getLogger("handbill.edge")

MOST_PIPELINED = 16
MOST_SPILLED = 256 * 1024  # read and discarded after a last answer
# The parser cannot be stopped between two requests, so it is fed at most this much at a time.
_SLICE = 4096
_WRITE_HIGH = 256 * 1024


class Connection(asyncio.Protocol):
    """One client. ``deadline`` is the tick by which there must have been progress."""

    __slots__ = (
        "_awaits_read",
        "_has_ended",
        "_has_eof",
        "_has_taken",
        "_held",
        "_is_deaf",
        "_is_full",
        "_is_over",
        "_reader",
        "_server",
        "_slots",
        "_spilled",
        "_stream",
        "_stream_end",
        "_transport",
        "deadline",
        "network",
        "peer",
    )

    def __init__(self, server: Server) -> None:
        self._server = server
        self._reader = RequestReader(self._take, server.draw, server.known)
        self._slots: deque[Slot] = deque()
        self._is_over = False  # no further request is taken
        self._has_ended = False  # the last answer is written
        self._spilled = 0
        self._held = b""  # received, but not yet looked at
        self._is_deaf = False  # reading is paused
        self._is_full = False  # the client does not read what we write
        self._stream: BodyStream | None = None
        self._stream_end = GOES_ON
        self._awaits_read = False
        self._has_taken = False
        self._has_eof = False
        self.deadline = server.head_deadline
        self.peer = self.network = ""

    # What the transport tells

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self.peer = peer[0].removeprefix("::ffff:").partition("%")[0] if peer else ""
        self.network = network_of(self.peer)
        self._reader.peer = self.peer
        transport.set_write_buffer_limits(high=_WRITE_HIGH)
        refusal = self._server.admit(self)
        if refusal:
            # No lingering here: it would let a flood hold more connections than the bound.
            self._refuse(refusal)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._is_over = self._has_ended = True
        self._held = b""
        self._reader.let_go()
        if self._stream is not None and not self._awaits_read:
            self._stream.close()
        for slot in self._slots:
            drop(slot.answer)
        self._slots.clear()
        self._server.leave(self)

    def data_received(self, data: bytes) -> None:
        if not self._is_over and not self._held:
            request = self._reader.known(data)
            if request is not None:
                self._take(request, False)
                if len(self._slots) >= MOST_PIPELINED:
                    self._steer()
                return
        self._receive(data)

    def _receive(self, data: bytes) -> None:
        if self._is_over:
            self._spilled += len(data)
            if self._spilled > MOST_SPILLED:
                self.abort()
            return
        if len(data) <= _SLICE and not self._held:
            self._feed(data)
        else:
            self._held += data
            self._feed_held()
        if self._held or len(self._slots) >= MOST_PIPELINED:
            self._steer()

    def eof_received(self) -> bool:
        """The client will send no more; it still gets the answers it waits for."""
        is_due = bool(self._slots or self._stream is not None)
        self._is_over = self._has_eof = True
        self._held = b""
        if is_due:
            self._end_after_last()
        return is_due

    def pause_writing(self) -> None:
        self._is_full = True
        self._steer()

    def resume_writing(self) -> None:
        self._is_full = False
        if self._has_ended:
            self.deadline = self._server.linger_deadline
        self._pump()
        self._feed_held()
        self._steer()

    # How the bytes go in

    def _feed(self, piece: bytes) -> None:
        reader = self._reader
        begins = reader.is_between
        self._has_taken = False
        try:
            reader.feed(piece)
        except StopReading as stop:
            # What follows a last request is discarded.
            if not self._is_over:
                self._refuse(stop.status)
        except Exception:  # noqa: BLE001 - a bug of ours: answered, logged, and the rest goes on
            _LOG.exception("a request could not be read")
            self._refuse(500)
        else:
            if not reader.is_between and (begins or self._has_taken):
                self.deadline = self._server.head_deadline

    def _feed_held(self) -> None:
        while self._held and not self._is_over and not self._has_no_room():
            piece, self._held = self._held[:_SLICE], self._held[_SLICE:]
            self._feed(piece)

    def _has_no_room(self) -> bool:
        return self._is_full or len(self._slots) >= MOST_PIPELINED

    def _steer(self) -> None:
        """Read on only while there is room for what is read."""
        is_deaf = not self._is_over and (bool(self._held) or self._has_no_room())
        if is_deaf != self._is_deaf and not self._transport.is_closing():
            self._is_deaf = is_deaf
            (self._transport.pause_reading if is_deaf else self._transport.resume_reading)()

    def _take(self, request: Request, is_last: bool) -> None:
        """Ask for the answer, and write it or keep its place."""
        if self._is_over:
            return
        server = self._server
        self._has_taken = True
        self.deadline = server.idle_deadline
        end = KEEPS if request.headers.says_connection else GOES_ON
        if is_last or server.is_draining:
            end = CLOSES
            self._is_over = True
        try:
            made = server.answer(request)
        except Exception as failure:  # noqa: BLE001 - answered, logged, and the rest goes on
            _LOG.exception("a request could not be answered", extra={"requestId": request.id.hex()})
            made = FAULTS[503 if passes(failure) else 500]
        is_head = request.method == b"HEAD"
        if isinstance(made, Later):
            slot = Slot(self, request.id, end, is_head, made, None)
            self._slots.append(slot)
            server.wait(made.future, slot.settle)
        else:
            self._slots.append(Slot(self, request.id, end, is_head, None, made))
            self._write_ready()

    # How the answers go out

    def settled(self, slot: Slot) -> None:
        """A slot has its answer."""
        slots = self._slots
        if len(slots) == 1 and slot.answer is not None and not (self._stream or self._is_deaf):
            slots.pop()
            self._send(slot, slot.answer)
        else:
            self._flush()

    def _flush(self) -> None:
        """Write all answers that are ready, and read on if that made room."""
        self._write_ready()
        if self._is_deaf and not self._has_ended:
            self._feed_held()
            self._steer()

    def _write_ready(self) -> None:
        """In the order of the requests."""
        slots = self._slots
        while slots and self._stream is None and (answer := slots[0].answer) is not None:
            self._send(slots.popleft(), answer)

    def _send(self, slot: Slot, answer: Http1Answer) -> None:
        if self._has_ended:
            drop(answer)
            return
        body, end, server = answer.body, slot.end, self._server
        server.has_answered = True
        id_hex, rest = hexlify(slot.id), server.ends[end]
        start = b"%bx-request-id: %b\r\n%b" % (answer.head, id_hex, rest)
        if slot.is_head:
            drop(answer)
        elif isinstance(body, bytes):
            start += body
        elif isinstance(body, BodyWithId):
            start += body.of(id_hex)
        elif self._streams(body, end):
            self._transport.write(start)
            self._pump()
            return
        self._transport.write(start)
        if end == CLOSES:
            self._end()

    def _streams(self, body: BodyStream, end: int) -> bool:
        """Begin to stream a body; False if it is empty."""
        if not body.left:
            body.close()
            return False
        self._stream, self._stream_end = body, end
        return True

    def _pump(self) -> None:
        """Read the next piece of a streamed body, unless the client is behind."""
        if self._awaits_read or self._is_full or self._stream is None:
            return
        self._awaits_read = True
        reading = self._server.loop.run_in_executor(self._server.readers, self._stream.read)
        reading.add_done_callback(self._pumped)

    def _pumped(self, reading: asyncio.Future[bytes]) -> None:
        self._awaits_read = False
        stream = self._stream
        assert stream is not None
        failure = reading.exception()
        if failure is not None:
            # The length is promised: all that is left is to cut the connection.
            _LOG.error("a body could not be read", exc_info=failure)
            self.abort()
        if self._has_ended:
            self._close_stream()
            return
        self.deadline = self._server.idle_deadline
        self._transport.write(reading.result())
        if stream.left:
            self._pump()
            return
        stream.sent()
        self._close_stream()
        if self._stream_end == CLOSES:
            self._end()
        else:
            self._flush()

    def _close_stream(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    # How it ends

    def _refuse(self, status: int) -> None:
        """Say why, after the answers that are still due, and read no further."""
        self._is_over = True
        self._held = b""
        refusal = FAULTS[status]
        self._slots.append(Slot(self, self._server.draw(), CLOSES, False, None, refusal))
        self._write_ready()

    def _end_after_last(self) -> None:
        self._is_over = True
        if self._slots:
            self._slots[-1].end = CLOSES
        elif self._stream is not None:
            self._stream_end = CLOSES
        else:
            self._end()

    def _end(self) -> None:
        """Close in two steps: what the client still sends must not destroy our answer."""
        self._has_ended = self._is_over = True
        self.deadline = self._server.idle_deadline
        if self._has_eof or self._server.is_draining:
            self._transport.close()
            return
        # Tells us when the last byte has left: from then on the connection is only lingering.
        self._transport.set_write_buffer_limits(high=0)
        if not self._is_full:
            self.deadline = self._server.linger_deadline
        self._transport.write_eof()
        self._steer()

    def is_owed(self) -> bool:
        """Whether it waits for an answer, or for the rest of one."""
        return bool(self._slots or self._stream or self._transport.get_write_buffer_size())

    def expire(self) -> None:
        """The deadline has passed."""
        if self._slots or self._stream is not None or self._is_over:
            self.abort()
        elif self._reader.is_between:
            self._has_ended = self._is_over = True
            self._transport.close()
        else:
            self._refuse(408)

    def drain(self) -> None:
        """Finish what was requested; a request that is half here may still arrive."""
        if self._reader.is_between and not self._has_ended:
            self._end_after_last()

    def abort(self) -> None:
        self._has_ended = self._is_over = True
        self._transport.abort()
