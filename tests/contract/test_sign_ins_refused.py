"""Whatever is wrong with a sign-in by the agency's provider lets nobody in."""

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from contract.asgi import call
from contract.office import NOON, OPERATIONS, Office
from contract.signed_in import asked, person
from contract.signing_in import (
    MAIL,
    begun,
    finished,
    idp,
    is_refused,
    listening,
    me,
    office,
    provide,
)
from handbill.core.persons import PersonRole
from handbill.host.documents import ASKED_AGAIN_AFTER, FAILED_FOR
from handbill.host.egress import Egress, EgressFailed, FetchLimits
from handbill.http.app import Application
from handbill.kit.instants import HOUR, MINUTE, SECOND
from handbill.people import providers
from handbill.store.records.tables import finished_sign_ins
from identity_provider import (
    CLIENT,
    Claims,
    IdentityProvider,
    signed_with_the_public_key,
    unsigned,
)

__all__ = ["idp", "listening", "office"]

AT = NOON // SECOND


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"iss": "https://other.example"}, "iss"),
        ({"iss": None}, "iss"),
        ({"aud": "another"}, "aud"),
        ({"aud": [CLIENT, "another"]}, "aud"),
        ({"aud": None}, "aud"),
        ({"azp": "another"}, "azp"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": 5}, "nonce"),
        ({"exp": AT - 60}, "exp"),
        ({"exp": None}, "exp"),
        ({"exp": "never"}, "exp"),
        ({"exp": True}, "exp"),
        ({"iat": AT + 61}, "iat"),
        ({"iat": AT - 3_600}, "iat"),
        ({"iat": None}, "iat"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": "x" * 256}, "sub"),
        ({"sub": 5}, "sub"),
    ],
    ids=str,
)
def test_a_token_of_anybody_else_lets_nobody_in(
    office: Office,
    idp: IdentityProvider,
    claims: Claims,
    why: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    provide(office, idp)
    person(office, "TRADER", mail=MAIL)
    idp.claims = claims
    is_refused(finished(office, idp), caplog, f"the token's {why} is not right")
    with office.desk.records.read() as tx:
        assert tx.all(finished_sign_ins.select()) == []


@pytest.mark.parametrize("claims", [{"aud": [CLIENT]}, {"exp": AT - 59}, {"iat": AT + 60}], ids=str)
def test_a_clock_may_be_a_minute_off(office: Office, idp: IdentityProvider, claims: Claims) -> None:
    provide(office, idp)
    person(office, "TRADER", mail=MAIL)
    idp.claims = claims
    assert finished(office, idp).status == 200


def _of_another_key(idp: IdentityProvider, claims: Claims) -> str:
    idp.kid, claimed = "two", idp.kid
    made = idp.signed(claims, kid=claimed)
    idp.kid = claimed
    return made


def _altered(idp: IdentityProvider, claims: Claims) -> str:
    head, _, mark = idp.signed(claims).split(".")
    _, other, _ = idp.signed(claims | {"sub": "somebody else"}).split(".")
    return f"{head}.{other}.{mark}"


def _deep(_: IdentityProvider, __: Claims) -> str:
    raw = base64.urlsafe_b64encode(b'{"alg":' * 1_500).decode()
    return f"{raw}.x.x"


@pytest.mark.parametrize(
    ("forge", "why"),
    [
        (unsigned, "not accepted"),
        (signed_with_the_public_key, "not accepted"),
        (_of_another_key, "signature"),
        (_altered, "signature"),
        (_deep, "cannot be read"),
        (lambda idp, claims: idp.signed(claims) + "x", "signature"),
        (lambda *_: "", "cannot be read"),
        (lambda *_: "a.b", "cannot be read"),
        (lambda *_: "é.é.é", "cannot be read"),
        (lambda *_: "x" * 20_000, "too long"),
        (lambda idp, claims: idp.signed(claims, kid="nobody's"), "unknown key"),
    ],
    ids=lambda given: getattr(given, "__name__", "") if callable(given) else "",
)
def test_a_forged_token_lets_nobody_in(
    office: Office,
    idp: IdentityProvider,
    forge: Callable[[IdentityProvider, Claims], str],
    why: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    provide(office, idp)
    person(office, "TRADER", mail=MAIL)
    idp.forge = forge
    is_refused(finished(office, idp), caplog, why)


def test_keys_are_asked_for_again_where_one_is_unknown_and_not_too_often(
    office: Office, idp: IdentityProvider
) -> None:
    provide(office, idp)
    person(office, "TRADER", mail=MAIL)
    assert [finished(office, idp).status for _ in range(3)] == [200] * 3
    assert (idp.hits.count("/keys"), idp.hits.count("/token")) == (1, 3)
    assert idp.hits.count("/.well-known/openid-configuration") == 1
    idp.kid, idp.shown = "two", ["two"]
    assert [finished(office, idp).status for _ in range(3)] == [401] * 3
    assert idp.hits.count("/keys") == 1, "asked a moment ago"
    office.clock.forward(ASKED_AGAIN_AFTER)
    assert [finished(office, idp).status for _ in range(2)] == [200] * 2
    assert idp.hits.count("/keys") == 2
    office.clock.forward(HOUR)
    assert finished(office, idp).status == 200
    assert idp.hits.count("/.well-known/openid-configuration") == 2


def test_a_sign_in_is_finished_once_by_its_own_browser_in_time(
    office: Office, idp: IdentityProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provide(office, idp)
    person(office, "TRADER", mail=MAIL)
    idp.reuses_codes = True
    made = begun(office)
    answer = {"flow": made["flow"]} | idp.authorize(made["result"])

    def finish(**more: Any) -> Any:
        return asked(office, {}, "POST", "/sign-ins/finish", answer | more)

    is_refused(finish(flow=begun(office)["flow"]), caplog, "state")
    is_refused(finish(flow=""), caplog, "no sign-in under way")
    is_refused(finish(flow=made["flow"][:-1] + "g"), caplog, "no sign-in under way")
    altered = ".".join((*made["flow"].split(".")[:-1], "0" * 64))
    is_refused(finish(flow=altered), caplog, "not ours")
    is_refused(finish(state=""), caplog, "state")
    is_refused(finish(state="é"), caplog, "state")
    is_refused(finish(iss="https://other.example"), caplog, "another issuer")
    is_refused(finish(code=""), caplog, "no code")
    is_refused(finish(error="access_denied"), caplog, "access_denied")
    is_refused(finish(code="another"), caplog, "400 invalid_grant")
    assert finish(iss=idp.issuer).status == 200
    is_refused(finish(), caplog, "finished before")
    late = begun(office)
    answer = {"flow": late["flow"]} | idp.authorize(late["result"])
    office.clock.forward(10 * MINUTE)
    is_refused(finish(), caplog, "too long")


def test_a_code_of_another_sign_in_is_of_no_use(
    office: Office, idp: IdentityProvider, caplog: pytest.LogCaptureFixture
) -> None:
    """PKCE: the provider sees that another one had begun it; if it does not, the nonce tells."""
    provide(office, idp)
    person(office, "TRADER", mail=MAIL)
    stolen = idp.authorize(begun(office)["result"])["code"]
    is_refused(finished(office, idp, code=stolen), caplog, "invalid_grant")
    stolen = idp.authorize(begun(office)["result"])["code"]
    nonce = idp.codes[stolen]["nonce"]
    idp.claims = {"nonce": nonce}
    is_refused(finished(office, idp), caplog, "nonce")


def test_a_provider_that_names_itself_must_do_so(
    office: Office, idp: IdentityProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provide(office, idp)
    person(office, "TRADER", mail=MAIL)
    idp.says = {"authorization_response_iss_parameter_supported": True}
    is_refused(finished(office, idp), caplog, "did not name itself")
    assert finished(office, idp, iss=idp.issuer).status == 200


def test_a_wrong_secret_is_told_in_the_log(
    office: Office, idp: IdentityProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provide(office, idp, clientSecret="old")
    is_refused(finished(office, idp), caplog, "401 invalid_client")
    assert not [one for one in caplog.records if "old" in str(vars(one))]


def _page(body: bytes, status: int = 200, **headers: str) -> Callable[[], Any]:
    return lambda: (status, headers, body)


@pytest.mark.parametrize(
    ("path", "answer", "why"),
    [
        ("/.well-known/openid-configuration", _page(b"{}"), "another issuer"),
        ("/.well-known/openid-configuration", _page(b"[]"), "no object"),
        ("/.well-known/openid-configuration", _page(b"<html>"), "not JSON"),
        ("/.well-known/openid-configuration", _page(b" " * 200_000), "bytes"),
        ("/.well-known/openid-configuration", _page(b"[" * 5_000), "document"),
        (
            "/.well-known/openid-configuration",
            _page(b"", 302, Location="http://127.0.0.2:8080/x"),
            "not public",
        ),
        ("/keys", _page(b"", 302, Location="/.well-known/openid-configuration"), "redirects"),
        ("/keys", _page(b'{"keys": 5}'), "unknown key"),
        ("/keys", _page(b'{"keys": [{"kty": "RSA", "kid": "one"}]}'), "cannot be read"),
        (
            "/keys",
            _page(b'{"keys": [{"kty": "RSA", "kid": "one", "n": "AQAB", "e": "AQAB"}]}'),
            "too short",
        ),
        ("/keys", _page(b'{"keys": [{"kty": "oct", "kid": "one", "k": "AQAB"}]}'), "unknown key"),
        ("/token", _page(b"x" * 200_000), "token endpoint"),
        ("/token", _page(b"no"), "not answer in JSON"),
        ("/token", _page(b"[]"), "200"),
        ("/token", _page(b'{"id_token": 5}'), "200"),
        ("/token", _page(b"", 302, Location="http://127.0.0.2:8080/x"), "token endpoint"),
    ],
)
def test_a_provider_that_misbehaves_lets_nobody_in(
    office: Office,
    idp: IdentityProvider,
    path: str,
    answer: Callable[[], Any],
    why: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    provide(office, idp)
    person(office, "TRADER", mail=MAIL)
    if path.startswith("/."):
        idp.answers = {path: answer}
        reply = asked(office, {}, "POST", "/sign-ins", {"agencyId": "acme"})
    else:
        made = begun(office)
        idp.answers = {path: answer}
        body = {"flow": made["flow"]} | idp.authorize(made["result"])
        reply = asked(office, {}, "POST", "/sign-ins/finish", body)
    is_refused(reply, caplog, why)


@pytest.mark.parametrize(
    "says",
    [
        {"token_endpoint": "http://169.254.169.254/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "http://elsewhere.example/authorize"},
        {"token_endpoint": "https://user:word@elsewhere.example/"},
        {"issuer": "https://other.example"},
    ],
    ids=str,
)
def test_what_a_provider_says_of_itself_is_checked(
    office: Office, idp: IdentityProvider, says: Claims, caplog: pytest.LogCaptureFixture
) -> None:
    provide(office, idp)
    idp.says = says
    reply = asked(office, {}, "POST", "/sign-ins", {"agencyId": "acme"})
    is_refused(reply, caplog, "discovery document")


class Hanging(Egress):
    """A provider that never answers, as our bounds see it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def open(self, url: str, limits: FetchLimits, _: Any = None) -> Any:
        assert limits.total_seconds <= 10
        self.asked += 1
        raise EgressFailed(f"{url} took too long")


def test_a_provider_that_hangs_is_given_up_and_left_alone_for_a_while(
    office: Office, idp: IdentityProvider
) -> None:
    provide(office, idp)
    egress = Hanging()
    app = Application(OPERATIONS, replace(office.desk, egress=egress))
    for wait, wanted in ((0, 1), (0, 1), (FAILED_FOR, 2)):
        office.clock.forward(wait)
        reply = call(app, "POST", "/sign-ins", {"agencyId": "acme"})
        assert (reply.status, reply.headers["retry-after"]) == (503, "5")
        assert egress.asked == wanted
    app.close()
    egress.close()


def test_a_slow_provider_takes_only_few_places(office: Office, idp: IdentityProvider) -> None:
    provide(office, idp)
    places = office.desk.sign_ins.outward
    with office.desk.records.read() as tx:
        name = str(providers.provider_of(tx, 1).agency_no)
    assert [places.take(name) for _ in range(4)] == [True, True, True, False]
    reply = asked(office, {}, "POST", "/sign-ins", {"agencyId": "acme"})
    assert reply.status == 429
    assert places.take("another agency")
    places.leave(name)
    begun(office)


def test_a_provider_changed_meanwhile_lets_nobody_in(
    office: Office, idp: IdentityProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provide(office, idp)
    person(office, "TRADER", mail=MAIL)
    made = begun(office)
    answer = {"flow": made["flow"]} | idp.authorize(made["result"])
    assert office.ask("DELETE", "/agencies/acme/sign-in-provider").status == 200
    reply = asked(office, {}, "POST", "/sign-ins/finish", answer)
    is_refused(reply, caplog, "no provider any more")
    provide(office, idp)
    first = begun(office)
    answer = {"flow": first["flow"]} | idp.authorize(first["result"])

    def forge(of: IdentityProvider, claims: Claims) -> str:
        office.clock.forward(SECOND)
        provide(office, idp, onlyByProvider=True)
        return of.signed(claims)

    idp.forge = forge
    reply = asked(office, {}, "POST", "/sign-ins/finish", answer)
    is_refused(reply, caplog, "changed meanwhile")


def test_any_role_is_let_in_as_itself(office: Office, idp: IdentityProvider) -> None:
    roles: list[PersonRole] = ["OWNER", "TRADER", "ANALYST"]
    provide(office, idp)
    for role in roles:
        made = person(office, role)
        idp.claims = {"sub": role, "email": made.mail}
        assert me(office, finished(office, idp))["role"] == role
