"""The doors that need no client: whose key is this, and is the token valid and of the same owner?

The composition root adds whose client it is; together they are ``http.operations.Doors``.
"""

from handbill.access import service, tokens
from handbill.access.keys import SIGNING, secret
from handbill.access.tokens import Verified
from handbill.host.settings import Settings
from handbill.http.operations import Admitted, Caller
from handbill.kit.instants import MINUTE, Instant
from handbill.store.records import Tx

_KNOWN_FOR = MINUTE


class AccessDoors:
    """Our own keys are read once a minute; for a token signed with a newer one, again at once."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = settings.public_api
        self._verified = Verified()
        self._digest_keys: dict[int, bytes] = {}
        self._pems: list[bytes] = []
        self._read_at: Instant = 0

    def caller(self, tx: Tx, api_key: str, now: Instant) -> Caller | None:
        """The owner of a key; None for every kind of bad key."""
        key = service.proved_key(tx, api_key, self._digest_keys, now)
        return None if key is None else Caller(key.role, key.owner_no, key.owner_id, key.no)

    def admits(self, tx: Tx, caller: Caller, token: str, now: Instant) -> Admitted | None:
        """The owner of a token that is ours, in time, and of a live API client of the key's owner;
        else None. The API client's scope is read with it, and never changes.
        """
        bare = token[7:] if token[:7].lower() == "bearer " else token
        bare = bare.strip()
        if now - self._read_at >= _KNOWN_FOR:
            self._read(tx, now)
        digest = self._verified.digest(bare)
        proof = self._verified.find(digest, now)
        if proof is None:
            proof = self._proved(tx, bare, now)
            if proof is None:
                return None
            self._verified.keep(digest, proof)
        owner = service.Owner(caller.role, caller.owner_no)
        program = service.live_api_client(tx, owner, proof.api_client_id)
        return None if program is None else Admitted(program.id, service.allowed_by(program.scope))

    def currency(self, tx: Tx, caller: Caller) -> str:
        """The currency of the caller's amounts; empty for a publisher partner."""
        is_agency = caller.role == "agency"
        return service.agency_by_number(tx, caller.owner_no).currency if is_agency else ""

    def hold_owner(self, tx: Tx, caller: Caller) -> None:
        """Let no other conditional change of this owner's things begin until this one ends."""
        service.lock_owner(tx, service.Owner(caller.role, caller.owner_no))

    def _read(self, tx: Tx, now: Instant) -> None:
        """Our signing keys; tokens signed by a retired one are forgotten."""
        pems = list(secret(tx, SIGNING).values())
        if not set(self._pems) <= set(pems):
            self._verified = Verified()
        self._pems, self._read_at = pems, now

    def _proved(self, tx: Tx, token: str, now: Instant) -> tokens.Proof | None:
        proof = tokens.verify(self._pems, token, self._issuer, now) if self._pems else None
        if proof is None:
            self._read(tx, now)
            proof = tokens.verify(self._pems, token, self._issuer, now)
        return proof
