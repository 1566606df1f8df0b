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
