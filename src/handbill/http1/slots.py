"""The places of the answers in the order of a connection's requests."""

from typing import Protocol

import msgspec

from handbill.http1.messages import BodyWithId, Http1Answer, Later


class Settled(Protocol):
    """Whose answers have an order."""

    def settled(self, slot: "Slot") -> None:
        """A slot has its answer."""


class Slot(msgspec.Struct, eq=False):
    """The place of one answer in the order of a connection."""

    connection: Settled
    id: bytes
    end: int
    is_head: bool
    later: Later | None
    answer: Http1Answer | None

    def settle(self, failure: BaseException | None) -> None:
        later = self.later
        assert later is not None
        self.answer = later.answer if failure is None else later.failed(failure)
        self.connection.settled(self)


def drop(answer: Http1Answer | None) -> None:
    """Close the body of an answer that is not written."""
    if answer is not None and not isinstance(answer.body, bytes | BodyWithId):
        answer.body.close()
