"""Rows of agencies' sign-in providers, of who people are to them, and of finished sign-ins."""

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.oidc import Provider, ProviderBody
from handbill.kit.instants import Instant
from handbill.store import sealed
from handbill.store.records import Tx
from handbill.store.records.base import sweep_of
from handbill.store.records.tables import (
    finished_sign_ins,
    person_identities,
    provider_secrets,
    sign_in_providers,
)

_p, _i, _f = sign_in_providers.c, person_identities.c, finished_sign_ins.c
_PROVIDER = sa.select(_p.no, _p.agency_no, _p.body, _p.created_at, _p.updated_at).where(
    _p.agency_no == b("agency_no")
)
_DROP = sa.delete(sign_in_providers).where(_p.agency_no == b("agency_no"))
_SECRET = sa.select(provider_secrets.c.value).where(provider_secrets.c.agency_no == b("agency_no"))
_DROP_SECRET = sa.delete(provider_secrets).where(provider_secrets.c.agency_no == b("agency_no"))
_PERSON = sa.select(_i.person_no).where(
    _i.agency_no == b("agency_no"), _i.issuer == b("issuer"), _i.subject == b("subject")
)
_ISSUERS = sa.select(_i.issuer).where(_i.person_no == b("person_no"))
_IDENTIFIED = sa.select(_i.person_no).where(
    _i.agency_no == b("agency_no"), _i.issuer == b("issuer")
)
_FORGET = sa.delete(person_identities).where(_i.person_no == b("person_no"))
_FINISHED = sa.select(_f.no).where(_f.digest == b("digest"))
_SWEEP_FINISHED = sweep_of(finished_sign_ins, _f.expires_at)
_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(ProviderBody).decode


def provider(tx: Tx, agency_no: int) -> Provider | None:
    row = tx.one(_PROVIDER, agency_no=agency_no)
    if row is None:
        return None
    no, of, body, created_at, updated_at = row
    return Provider(no, of, _decode(body), created_at, updated_at)


def put_provider(tx: Tx, now: Instant, agency_no: int, body: ProviderBody) -> None:
    """Set the agency's provider, in place of a former one."""
    former, text = provider(tx, agency_no), _encode(body).decode()
    if former is None:
        tx.put(sign_in_providers, agency_no=agency_no, body=text, created_at=now, updated_at=now)
    else:
        tx.change(sign_in_providers, {"no": former.no}, body=text, updated_at=now)


def drop_provider(tx: Tx, agency_no: int) -> None:
    tx.run(_DROP_SECRET, agency_no=agency_no)
    tx.run(_DROP, agency_no=agency_no)


def lock(tx: Tx, provider_no: int) -> None:
    tx.lock_row(sign_in_providers, provider_no)


def secret(tx: Tx, agency_no: int) -> str | None:
    """What proves us to the provider."""
    stored = tx.value(_SECRET, agency_no=agency_no)
    if stored is None:
        return None
    return sealed.opened(tx, provider_secrets, {"agency_no": agency_no}, stored).decode()


def put_secret(tx: Tx, agency_no: int, value: str) -> None:
    tx.run(_DROP_SECRET, agency_no=agency_no)
    row: dict[str, object] = {"agency_no": agency_no}
    tx.put(provider_secrets, **row, value=sealed.seal(tx, provider_secrets, row, value.encode()))


def person_no(tx: Tx, agency_no: int, issuer: str, subject: str) -> int | None:
    """The number of the person who is this to that provider."""
    no = tx.value(_PERSON, agency_no=agency_no, issuer=issuer, subject=subject)
    return None if no is None else int(no)


def issuers_of(tx: Tx, person_no: int) -> frozenset[str]:
    """The providers that a person has signed in by."""
    return frozenset(str(one) for (one,) in tx.all(_ISSUERS, person_no=person_no))


def identified(tx: Tx, agency_no: int, issuer: str) -> frozenset[int]:
    """The numbers of the agency's people who have signed in by that provider."""
    rows = tx.all(_IDENTIFIED, agency_no=agency_no, issuer=issuer)
    return frozenset(int(one) for (one,) in rows)


def identify(tx: Tx, agency_no: int, issuer: str, subject: str, person_no: int) -> None:
    tx.put(
        person_identities,
        agency_no=agency_no,
        issuer=issuer,
        subject=subject,
        person_no=person_no,
    )


def forget(tx: Tx, person_no: int) -> None:
    tx.run(_FORGET, person_no=person_no)


def is_finished(tx: Tx, digest: bytes) -> bool:
    return tx.one(_FINISHED, digest=digest) is not None


def finish(tx: Tx, digest: bytes, expires_at: Instant) -> None:
    tx.put(finished_sign_ins, digest=digest, expires_at=expires_at)


def sweep_finished(tx: Tx, now: Instant, most: int) -> int:
    return tx.run(_SWEEP_FINISHED, before=now, most=most)
