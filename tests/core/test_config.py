"""Settings: flags over environment over file over defaults; a bad one stops the start."""

from pathlib import Path

import pytest

from handbill.config import BadSettings, configure, environment_of, meanings
from handbill.host.settings import Settings

CONTRACT = (
    "DATA API_PORT EDGE_PORT EDGE_URL RECORDS_URL JOURNAL_URL BLOBS_URL EGRESS_ALLOW WORKERS "
    "TOKEN_SECONDS IP_MODE RETENTION_DAYS"
)


def test_nothing_given_means_every_default(tmp_path: Path) -> None:
    configured = configure({"PATH": "/bin"}, tmp_path)
    assert configured.settings == Settings()
    assert set(configured.sources.values()) == {"default"}


def test_flags_win_over_environment_over_file(tmp_path: Path) -> None:
    (tmp_path / "handbill.toml").write_text(
        'workers = 2\nedges = 2\nhandbill_data = "filed"\negress_allow = ["one:1", "two:2"]\n'
    )
    configured = configure(
        {"HANDBILL_EDGES": "3", "HANDBILL_API_PORT": "9000"},
        tmp_path,
        {"api_port": 0, "edge_port": None},
    )
    settings, sources = configured.settings, configured.sources
    assert (settings.workers, settings.edges, settings.api_port) == (2, 3, 0)
    assert settings.data == "filed"
    assert settings.egress_allow == ("one:1", "two:2")
    assert settings.edge_port == Settings().edge_port
    assert sources["workers"] == str(tmp_path / "handbill.toml")
    assert (sources["edges"], sources["api_port"], sources["edge_port"]) == (
        "environment",
        "flag",
        "default",
    )


def test_a_named_file_is_read_and_must_be_there(tmp_path: Path) -> None:
    named = tmp_path / "other.toml"
    named.write_text("token_seconds = 60\n")
    environ = {"HANDBILL_CONFIG": str(named)}
    assert configure(environ, tmp_path).settings.token_seconds == 60
    named.unlink()
    with pytest.raises(BadSettings, match=r"other\.toml cannot be read"):
        configure(environ, tmp_path)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"HANDBILL_APIPORT": "1"}, "Did you mean HANDBILL_API_PORT?"),
        ({"HANDBILL_WORKER": "1"}, "Did you mean HANDBILL_WORKERS?"),
        ({"HANDBILL_QQQQ": "1"}, "`handbill settings` lists"),
        ({"HANDBILL_WORKERS": "x"}, "must be a whole number from 1 to 64"),
        ({"HANDBILL_WORKERS": "0"}, "must be a whole number from 1 to 64"),
        ({"HANDBILL_WORKERS": ""}, "must be a whole number from 1 to 64"),
        ({"HANDBILL_API_PORT": "65536"}, "must be a whole number from 0 to 65535"),
        ({"HANDBILL_IP_MODE": "raw"}, "must be one of full, hashed, truncated"),
        ({"HANDBILL_EGRESS_ALLOW": "localhost"}, "must be a comma list of host:port"),
        ({"HANDBILL_DATA": ""}, "must be text that is not empty"),
    ],
)
def test_a_bad_variable_stops_the_start_and_says_what_to_do(
    environ: dict[str, str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(BadSettings) as stopped:
        configure(environ, tmp_path)
    assert said in str(stopped.value)
    assert next(iter(environ)) in str(stopped.value)


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "handbill.toml").write_text('workrs = 1\nedges = "many"\n')
    with pytest.raises(BadSettings) as stopped:
        configure({"HANDBILL_HOSTT": "x"}, tmp_path)
    lines = str(stopped.value).splitlines()
    assert len(lines) == 3
    assert "Did you mean workers?" in lines[0]
    assert "Did you mean HANDBILL_HOST?" in lines[2]


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "handbill.toml").write_text("workers: 2\n")
    with pytest.raises(BadSettings, match="is not TOML"):
        configure({}, tmp_path)


def test_children_read_the_very_same_settings(tmp_path: Path) -> None:
    settings = Settings(
        data="elsewhere", egress_allow=("[::1]:80", "b:2"), ip_mode="hashed", edges=3, api_url=""
    )
    assert configure(environment_of(settings), tmp_path).settings == settings


def test_every_setting_has_a_meaning_and_the_contract_names_exist() -> None:
    told = {meaning.variable: meaning for meaning in meanings()}
    assert set(told) == {f"HANDBILL_{name.upper()}" for name in Settings.__struct_fields__}
    assert all(len(meaning.meaning) > 20 for meaning in told.values())
    assert {f"HANDBILL_{name}" for name in CONTRACT.split()} <= set(told)


def test_addresses_follow_host_and_port_until_a_public_one_is_set() -> None:
    assert Settings(host="10.0.0.1", edge_port=99).public_edge == "http://10.0.0.1:99"
    assert Settings(edge_url="https://click.example/").public_edge == "https://click.example"


def test_a_server_that_listens_everywhere_is_reached_on_loopback() -> None:
    assert Settings(host="0.0.0.0").public_api == "http://127.0.0.1:8080"
    assert Settings(host="::").public_edge == "http://[::1]:8081"


def test_the_stores_are_in_the_data_folder_until_an_address_is_set() -> None:
    settings = Settings(data="/somewhere")
    assert settings.records_address == "sqlite:////somewhere/records.db"
    assert settings.blobs_address == "/somewhere/blobs"
    assert str(settings.journal_folder) == "/somewhere/journal"
    assert str(Settings(journal_url="file:///elsewhere").journal_folder) == "/elsewhere"


@pytest.mark.parametrize("name", ["EDGE_URL", "API_URL"])
@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://https://click.example", "has two schemes"),
        ("https://user:pw@click.example/", "user name or password"),
        ("https://click.example/?to=", "to which a path can be added"),
        ("https://click.example/#", "to which a path can be added"),
        ("https://click.example/\u200b", "to which a path can be added"),
        ("https://click..example", "invalid host"),
    ],
)
def test_a_path_can_be_added_to_a_public_address(
    name: str, address: str, told: str, tmp_path: Path
) -> None:
    with pytest.raises(BadSettings, match=f"HANDBILL_{name} .*{told}"):
        configure({f"HANDBILL_{name}": address}, tmp_path)


@pytest.mark.parametrize("name", ["EDGE_URL", "API_URL"])
def test_a_public_address_must_be_one(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="http:// or https://"):
        configure({f"HANDBILL_{name}": "nope"}, tmp_path)
    told = configure({f"HANDBILL_{name}": "https://jobs.example.com/x"}, tmp_path)
    assert getattr(told.settings, name.lower()) == "https://jobs.example.com/x"
