"""What operations of several nouns share: answers from the ledger that are part of the operation's
own transaction, and the family of a partner.
"""

from handbill.http.operations import Call
from handbill.kit.faults import not_found
from handbill.stats.answering import Answering, Within


def answering_of(call: Call) -> Answering:
    """What answers within the call's transaction."""
    desk = call.desk
    return Answering(Within(call.tx), desk.blobs, desk.ids, desk.settings.scratch_folder)


def own_family(call: Call) -> int:
    """The number of the caller's own family. **Refuses** any other in the path (404)."""
    if call.path["publisherFamilyId"] != call.caller.owner_id:
        raise not_found()
    return call.caller.owner_no
