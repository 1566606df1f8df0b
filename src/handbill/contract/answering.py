"""Answers from the ledger that are part of an operation's own transaction."""

from handbill.http.operations import Call
from handbill.stats.answering import Answering, Within


def answering_of(call: Call) -> Answering:
    """What answers within the call's transaction."""
    desk = call.desk
    return Answering(Within(call.tx), desk.blobs, desk.ids, desk.settings.scratch_folder)
