"""What is kept of the vendor behind a publisher: checked whole, answered without passwords."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from contract.office import Office
from contract.world import fingerprint
from handbill.publishers import rows
from handbill.store.records.tables import publishers, tasks

FTP: dict[str, Any] = {
    "credentials": {"host": "FTP.Example.com", "username": "ripple", "password": "s3cret-1"},
    "pathTemplate": "in/{exportedName}-{date}.xml",
    "alertRecipients": ["ops@example.com"],
}
FULL: dict[str, Any] = {
    "id": "Full",
    "feedIndexLatency": 90,
    "deliverFeedByFTP": True,
    "ftpConfig": FTP,
    "publisherContactDetailsRevamp": [
        {
            "email": "a@b.org",
            "vpAccessEnabled": True,
            "notificationEnabled": True,
            "notificationAlertThreshold": 80.5,
        },
        {},
    ],
    "vendorPortalDetails": [
        {"url": "https://one.example", "username": "u", "password": "s3cret-2"},
        {"url": "https://two.example"},
    ],
    "publisherPortalDetails": {"url": "https://p.example", "username": "v", "password": "s3cret-3"},
    "publisherReconciliationDetails": {
        "mode": "portal",
        "startDate": "11/20/2026",
        "frequency": "weekly",
        "timezone": "UTC+5:30",
    },
}
_NO = sa.select(publishers.c.no).where(publishers.c.id == sa.bindparam("id"))
_WAITING = sa.select(tasks.c.key).where(tasks.c.kind == sa.literal_column("'listings.deliver'"))


def passwords(office: Office, publisher_id: str) -> dict[str, str | None]:
    """What is kept, by what it is for."""
    with office.desk.records.read() as tx:
        no = tx.value(_NO, id=publisher_id)
        return {name: rows.secret(tx, no, name) for name in rows.secrets_held(tx, no)}


def test_everything_is_kept_and_answered_but_passwords(office: Office) -> None:
    made = office.ask("POST", "/publishers", FULL)
    assert made.status == 200, made.raw
    reply = office.ask("GET", "/publishers/Full")
    found = reply.json
    assert found["feedIndexLatency"] == 90
    assert found["deliverFeedByFTP"] is True
    assert found["ftpConfig"] == {
        "credentials": {"host": "ftp.example.com", "port": 21, "username": "ripple", "tls": False},
        "pathTemplate": "in/{exportedName}-{date}.xml",
        "alertRecipients": ["ops@example.com"],
    }
    first, second = found["publisherContactDetailsRevamp"]
    assert (first["email"], str(first["notificationAlertThreshold"])) == ("a@b.org", "80.5")
    assert second == {
        "email": None,
        "vpAccessEnabled": False,
        "notificationEnabled": False,
        "notificationAlertThreshold": None,
    }
    assert found["vendorPortalDetails"] == [
        {"url": "https://one.example", "username": "u"},
        {"url": "https://two.example", "username": None},
    ]
    assert found["publisherPortalDetails"] == {"url": "https://p.example", "username": "v"}
    assert found["publisherReconciliationDetails"] == {
        "mode": "Portal",
        "startDate": "11/20/2026",
        "frequency": "Weekly",
        "timezone": "UTC+5:30",
    }
    assert found["agencies"] == ["acme"]
    listed = office.ask("GET", "/publishers?page=0&limit=10").raw
    assert b"s3cret" not in reply.raw + listed
    assert sorted(passwords(office, "Full").values(), key=str) == [
        "s3cret-1",
        "s3cret-2",
        "s3cret-3",
    ]
    held = [
        name for name, kept in fingerprint(office.desk.records).items() if "s3cret" in str(kept)
    ]
    assert not held, "a password stands open in the records"


def test_what_was_read_may_be_sent_back(office: Office) -> None:
    office.new("/publishers", FULL)
    before, kept = office.get("/publishers/Full"), passwords(office, "Full")
    office.put("/publishers/Full", before)
    assert office.get("/publishers/Full") == before
    assert passwords(office, "Full") == kept
    # So may it with a null where the password was.
    ftp = before["ftpConfig"]
    ftp["credentials"]["password"] = None
    office.put("/publishers/Full", {"ftpConfig": ftp})
    assert passwords(office, "Full") == kept


def test_a_kept_password_goes_to_no_other_place(office: Office) -> None:
    office.new("/publishers", FULL)
    kept = passwords(office, "Full")
    for other in ({"host": "evil.example"}, {"username": "x"}, {"port": 2121}, {"tls": True}):
        login = {"host": "ftp.example.com", "username": "ripple"} | other
        pointer = "/ftpConfig/credentials/password"
        body = {"ftpConfig": {"credentials": login}}
        assert set(office.faults("PUT", "/publishers/Full", body)) == {pointer}
    moved = {"url": "https://evil.example", "username": "u"}
    assert set(office.faults("PUT", "/publishers/Full", {"vendorPortalDetails": [moved]})) == {
        "/vendorPortalDetails/0/password"
    }
    assert passwords(office, "Full") == kept


def test_passwords_are_replaced_and_forgotten(office: Office) -> None:
    office.new("/publishers", FULL)
    login = FTP["credentials"] | {"password": "s3cret-9"}
    office.put("/publishers/Full", {"ftpConfig": {"credentials": login}})
    found = office.get("/publishers/Full")
    assert found["ftpConfig"]["pathTemplate"] == "{exportedName}.xml"
    assert found["ftpConfig"]["alertRecipients"] == []
    assert "s3cret-9" in passwords(office, "Full").values()
    assert "s3cret-1" not in passwords(office, "Full").values()
    office.put(
        "/publishers/Full",
        {
            "deliverFeedByFTP": None,
            "ftpConfig": None,
            "vendorPortalDetails": None,
            "publisherPortalDetails": None,
            "publisherReconciliationDetails": None,
            "publisherContactDetailsRevamp": None,
            "feedIndexLatency": None,
        },
    )
    assert passwords(office, "Full") == {}
    cleared = office.get("/publishers/Full")
    office.new("/publishers", {"id": "Bare", "name": "Full"})
    bare = office.get("/publishers/Bare")
    own = {"id", "value", "feedUrl"}
    assert {k: v for k, v in cleared.items() if k not in own} == {
        k: v for k, v in bare.items() if k not in own
    }


def test_a_deleted_publisher_keeps_no_password_for_a_new_one(office: Office) -> None:
    office.new("/publishers", FULL)
    assert office.ask("DELETE", "/publishers/Full").status == 200
    assert list(passwords(office, "Full").values()) == ["s3cret-1"]
    again = {
        "id": "Full",
        "ftpConfig": {"credentials": {"host": "ftp.example.com", "username": "ripple"}},
    }
    assert set(office.faults("POST", "/publishers", again)) == {"/ftpConfig/credentials/password"}
    office.new("/publishers", {"id": "Full"})
    assert passwords(office, "Full") == {}


def test_many_writers_leave_one_login_and_its_password(office: Office) -> None:
    def write(n: int) -> int:
        login = {"host": f"h{n % 4}.example", "username": "u", "password": f"p{n % 4}"}
        body = {"ftpConfig": {"credentials": login}}
        status: int = office.ask("PUT", "/publishers/TestExp1", body).status
        return status

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(write, range(40))) == {200}
    host = office.get("/publishers/TestExp1")["ftpConfig"]["credentials"]["host"]
    assert passwords(office, "TestExp1") == {f"ftp://u@{host}:21": f"p{host[1]}"}


@pytest.mark.parametrize(
    ("said", "pointers"),
    [
        ({"deliverFeedByFTP": True}, {"/ftpConfig"}),
        ({"ftpConfig": {}}, {"/ftpConfig/credentials"}),
        (
            {"ftpConfig": {"credentials": {}, "alertRecipients": ["a@b", "x"]}},
            {
                "/ftpConfig/credentials/host",
                "/ftpConfig/credentials/username",
                "/ftpConfig/alertRecipients/1",
            },
        ),
        (
            {"ftpConfig": {"credentials": {"host": "h.example", "username": "u"}}},
            {"/ftpConfig/credentials/password"},
        ),
        (
            {
                "ftpConfig": {
                    "credentials": {
                        "host": "ftp://h.example",
                        "username": "u\r\nDELE x",
                        "password": "p\r\nQUIT",
                        "port": 0,
                        "tls": 1,
                    },
                    "pathTemplate": "../{name}",
                }
            },
            {
                f"/ftpConfig/credentials/{name}"
                for name in ("host", "username", "password", "port", "tls")
            }
            | {"/ftpConfig/pathTemplate"},
        ),
        (
            {"perClientPlacements": True, "ftpConfig": FTP | {"pathTemplate": "{publisher}.xml"}},
            {"/ftpConfig/pathTemplate"},
        ),
        (
            {
                "publisherContactDetailsRevamp": [
                    {"vpAccessEnabled": True},
                    {"notificationEnabled": True},
                    {"email": "no"},
                    {"notificationAlertThreshold": 101},
                    5,
                ]
            },
            {
                "/publisherContactDetailsRevamp/0/email",
                "/publisherContactDetailsRevamp/1/notificationAlertThreshold",
                "/publisherContactDetailsRevamp/2/email",
                "/publisherContactDetailsRevamp/3/notificationAlertThreshold",
                "/publisherContactDetailsRevamp/4",
            },
        ),
        (
            {"vendorPortalDetails": [{"username": "u"}, {"url": "x", "password": "p"}]},
            {"/vendorPortalDetails/0/url", "/vendorPortalDetails/1/username"},
        ),
        ({"vendorPortalDetails": [{"url": "x"}, {"url": "x"}]}, {"/vendorPortalDetails/1"}),
        ({"publisherPortalDetails": []}, {"/publisherPortalDetails"}),
        (
            {"publisherPortalDetails": {"url": "x", "username": "u"}},
            {"/publisherPortalDetails/password"},
        ),
        (
            {
                "publisherReconciliationDetails": {
                    "mode": "Fax",
                    "startDate": "13/13/2026",
                    "frequency": "Hourly",
                    "timezone": "Mars",
                }
            },
            {
                f"/publisherReconciliationDetails/{name}"
                for name in ("mode", "startDate", "frequency", "timezone")
            },
        ),
        (
            {"publisherReconciliationDetails": {"frequency": "Daily"}},
            {"/publisherReconciliationDetails/mode"},
        ),
        ({"feedIndexLatency": 10_081}, {"/feedIndexLatency"}),
        ({"schema": {"additionalFields": ["1x"]}}, {"/schema/additionalFields/0"}),
    ],
)
def test_all_faults_are_named(
    module_office: Office, said: dict[str, Any], pointers: set[str]
) -> None:
    office, before = module_office, fingerprint(module_office.desk.records)
    assert set(office.faults("POST", "/publishers", {"id": "New"} | said)) == pointers
    assert set(office.faults("PUT", "/publishers/TestExp1", said)) == pointers
    assert fingerprint(office.desk.records) == before


@pytest.mark.parametrize(
    ("host", "kept"),
    [
        ("ftp.example.com", "ftp.example.com"),
        (" Bücher.example ", "xn--bcher-kva.example"),
        ("93.184.216.34", "93.184.216.34"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
    ],
)
def test_a_host_has_one_spelling(sqlite_office: Office, host: str, kept: str) -> None:
    login = {"host": host, "username": "u", "password": "p"}
    sqlite_office.new("/publishers", {"id": "H", "ftpConfig": {"credentials": login}})
    assert sqlite_office.get("/publishers/H")["ftpConfig"]["credentials"]["host"] == kept


@pytest.mark.parametrize(
    "host",
    [
        "",
        " ",
        "a b",
        "a/b",
        "u@h.example",
        "h.example:21",
        "0x7f.1",
        "127.1",
        "h\x01",
        "[::1]:21",
        "[fe80::1%eth0]",
        5,
        None,
        ["h"],
    ],
)
def test_hosts_that_are_none(module_office: Office, host: Any) -> None:
    login = {"host": host, "username": "u", "password": "p"}
    body = {"id": "H", "ftpConfig": {"credentials": login}}
    faults = module_office.faults("POST", "/publishers", body)
    assert set(faults) == {"/ftpConfig/credentials/host"}


def test_the_older_way_to_name_additional_fields(office: Office) -> None:
    schema = {"additionalFields": ["salary", "hours"], "additionalFieldsV2": {"hours": "shift"}}
    office.new("/publishers", {"id": "Old", "schema": schema})
    found = office.get("/publishers/Old")["schema"]
    assert found["additionalFieldsV2"] == {"salary": "salary", "hours": "shift"}


def test_a_publisher_of_other_clients_says_so(office: Office) -> None:
    office.put("/publishers/TestExp1", {"placementType": "JobBoard"})
    direct, board = office.client(), office.client(companyName="B", clientType="JobBoard")
    told = {}
    for client in (direct, board):
        # A group may be made before the publisher changes, or the other way round.
        office.group(office.campaign(client))
        job = {
            "refNumber": "1",
            "title": "t",
            "description": "d",
            "url": "https://e.example/1",
            "company": "c",
            "country": "US",
        }
        office.new(f"{client}/jobs", job)
        (told[client],) = office.get(f"{client}/jobs/1/explain")["publishers"]
    assert "CLIENT_TYPE" in told[direct]["reasons"]
    assert told[direct]["listed"] is False
    assert "CLIENT_TYPE" not in told[board]["reasons"]


# ── deliveries ──────────────────────────────────────────────────────────────────────────────────


def test_deliveries_are_listed_and_asked_for(office: Office) -> None:
    url = "/publishers/Full/deliveries"
    office.new("/publishers", FULL)
    assert office.get(f"{url}?page=0&limit=10") == {
        "data": [
            {
                "clientId": None,
                "path": "in/acme-2026-11-18.xml",
                "state": "WAITING",
                "current": False,
                "bytes": None,
                "at": None,
                "deliveredOn": None,
                "failure": None,
            }
        ]
    }
    assert office.ask("POST", url).json == {"result": True, "message": "Delivery requested"}
    with office.desk.records.read() as tx:
        assert len(tx.all(_WAITING)) == 1
    assert office.get(f"{url}?page=1&limit=10") == {"data": []}
    assert set(office.faults("GET", url)) == {"/page", "/limit"}
    office.put("/publishers/Full", {"deliverFeedByFTP": False})
    assert set(office.faults("POST", url)) == {"/deliverFeedByFTP"}
    assert office.get(f"{url}?page=0&limit=10") == {"data": []}


def test_each_clients_file_is_listed(office: Office) -> None:
    office.new("/publishers", FULL | {"perClientPlacements": True, "isCompressedFeed": True})
    client = office.client(companyName="Mills", exportedName="../Mills")
    office.get(f"/publishers/Full/feeds?client_id={client[9:]}")
    (found,) = office.get("/publishers/Full/deliveries?page=0&limit=10")["data"]
    assert found["clientId"] == client[9:]
    assert found["path"] == "in/___Mills-2026-11-18.xml.gz"
