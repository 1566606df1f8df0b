"""Whatever is read can be sent back as it is, and changes nothing."""

from contract.office import Office
from contract.world import build

FULL_GROUP = {
    "placements": [
        {"value": "TestExp1", "bid": 0.7, "caps": {"budget": {"cap": "Weekly", "value": 2}}}
    ],
    "performanceTargets": [{"type": "cpc", "value": 0.5}],
    "ioDetails": [{"number": "1", "value": 5}],
    "settingsOverride": {"markdown": 12.5},
    "adWordsMetadata": {"id": 7},
}


def test_what_is_read_can_be_sent_back(office: Office) -> None:
    world = build(office)
    client = world.client
    campaign = office.campaign(client, settingsOverride={"markup": 3}, caps={})
    group = office.group(campaign, **FULL_GROUP)
    default = f"{client}/campaigns/{world.ids['client_id']}$campaign$default"
    at_publisher = f"{client}/publishers/{world.ids['publisher_id']}"
    for path in (
        client,
        campaign,
        default,
        group,
        f"{client}/feeds/{world.ids['feed_id']}",
        f"{client}/jobs/{world.ids['job_reference'].replace('/', '%2F').replace(' ', '%20')}",
        f"{at_publisher}/configs/{world.ids['config_id']}",
        f"{client}/stage-map",
        "/publishers/TestExp1",
        "/agencies/acme",
    ):
        before = office.ask("GET", path)
        headers = {"if-match": before.headers["etag"]}
        office.clock.forward(1_000_000)
        sent = office.ask("PUT", path, before.json, headers)
        assert sent.status == 200, (path, sent.raw)
        after = office.ask("GET", path)
        assert after.headers["etag"] == before.headers["etag"], (path, after.raw)


def test_a_publisher_that_was_deleted_since_may_stay_where_it_stood(office: Office) -> None:
    for publisher in ("Gone", "Gone2", "Gone3"):
        office.new("/publishers", {"id": publisher})
    client = office.client(excludedPublishers=["Gone2"], globallyExcludedPublishers=["Gone3"])
    campaign = office.campaign(client)
    office.put(campaign, {"placementCaps": {"Gone": {"budget": {"cap": "Weekly", "value": 2}}}})
    group = office.group(campaign, placements=[{"value": "Gone", "bid": 0.7}])
    said = {"publishers": ["Gone"], "Gone": {"x": "y"}}
    job = f"{client}/jobs/R9"
    office.new(
        f"{client}/jobs",
        {"refNumber": "R9", "title": "T", "description": "d"}
        | {
            "url": "https://a.example/9",
            "publisherFields": said,
            "placementSettings": [{"value": "Gone", "cpcBid": 0.7}],
        },
    )
    for publisher in ("Gone", "Gone2", "Gone3"):
        assert office.ask("DELETE", f"/publishers/{publisher}").status == 200
    for path in (client, campaign, group, job):
        before = office.get(path)
        assert "Gone" in str(before)
        office.put(path, before)
        assert office.get(path) == before
    changed = {
        client: {"excludedPublishers": ["Gone2", "None"]},
        campaign: {"placementCaps": {"None": {"budget": {"cap": "Weekly", "value": 2}}}},
        group: {"placements": [{"value": "None"}]},
        job: {"placementSettings": [{"value": "Gone", "cpcBid": 0.8}]},
    }
    for path, body in changed.items():
        assert list(office.faults("PUT", path, body).values()) == [
            "is not a publisher of the agency"
        ]


def test_a_zone_is_the_same_in_another_spelling(office: Office) -> None:
    client = office.client(timeZone="UTC+5:30")
    office.put(client, {"timeZone": "UTC+05:30"})
    assert office.get(client)["timeZone"] == "UTC+5:30"
    for other in ("UTC-5:30", "Asia/Kolkata", None):
        assert set(office.faults("PUT", client, {"timeZone": other})) == {"/timeZone"}


def test_an_empty_date_says_what_null_says(office: Office) -> None:
    client = office.client(endDate="")
    found = office.get(client)
    assert found["endDate"] == office.get(office.client(endDate=None))["endDate"]
    campaign = office.campaign(client, startDate="11/20/2026", endDate="11/30/2026")
    for cleared in ("", None):
        office.put(campaign, {"endDate": cleared})
        assert office.get(campaign)["endDate"] == ""
        office.put(campaign, {"endDate": "11/30/2026"})
    assert set(office.faults("PUT", campaign, {"endDate": " "})) == {"/endDate"}
