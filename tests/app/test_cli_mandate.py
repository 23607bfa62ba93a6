"""The rules of a ledger through the command line: shown, weighed, changed."""

import re

import pytest

from capdesk.app.commands.config_file import SETTINGS, toml_of
from capdesk.config import CapitalConfig
from tests.app.command_line import ATTENTION, INVALID_INPUT, ask, rules, run

pytestmark = pytest.mark.usefixtures("ledger")


EVERYTHING = CapitalConfig(
    max_exposure_per_market_percent="0.5%",
    max_total_exposure_percent=33.333,
    min_order_size=0.25,
    order_tick="0.01",
    share_markets=True,
    on_expiry="free",
    priority_tiers={"critical": 100, "high": 90, "normal": "0.75%"},
    market_profiles=[{"pattern": "btc-*", "max_percent": 2}, {"pattern": 'a"b\\c', "max_absolute": 10}],
    groups={"btc": {"max_percent": 10, "patterns": ["btc-*", "xbt-?"]}, "a.b": {"max_absolute": 7}},
    accounts=["main", "kalshi"],
    max_mark_age_seconds=600,
    day_boundary="22:30",
)
WITH_SLEEVES = CapitalConfig(
    sleeves=[
        {"name": "making", "percent": "0.5%", "cap": 10, "minimum": 2, "expected_return": "-0.5"},
        {"name": "none", "percent": 20, "pays_gas": True, "max_position_size": "0.5"},
    ],
    default_sleeve="making",
    reserve_percent=2,
    idle="share",
    compounding="half",
    resume_margin_percent=10,
    recall_seconds=60,
    sizing="unified",
    max_drawdown_percent=None,
    risk={"high": "0.5", "stale_after_seconds": None, "correlation": [{"above": "0.5", "multiplier": "0.5"}]},
    breakers={"daily_loss_percent": "0.5%", "gas_above_gwei": 100, "stale_data": True},
)


def test_every_setting_has_its_comment() -> None:
    assert set(SETTINGS) == set(CapitalConfig.model_fields)


@pytest.mark.parametrize(
    "config", [CapitalConfig(), EVERYTHING, WITH_SLEEVES], ids=["defaults", "everything", "sleeves"]
)
def test_a_written_configuration_reads_back_as_the_same(config: CapitalConfig) -> None:
    assert CapitalConfig.load(rules(toml_of(config.model_dump()))) == config


def test_an_example_in_the_file_is_valid_when_its_comment_is_taken_away() -> None:
    lines = toml_of(CapitalConfig().model_dump()).splitlines()
    text = "\n".join(
        line.removeprefix("# ") if re.match(r"# (\[|[a-z_]+ = )", line) else line for line in lines
    )
    read = CapitalConfig.load(rules(text))

    assert read.groups["bitcoin"].patterns == ("btc-*",)
    assert [sleeve.name for sleeve in read.sleeves] == ["market_making", "arbitrage"]
    assert read.risk is not None
    assert read.breakers is not None


def test_the_rules_in_force_are_shown() -> None:
    shown = ask("mandate", "show")

    assert shown["mandate_version"] == 1
    assert shown["config"]["max_exposure_per_market_percent"] == "5"
    assert "max_total_exposure_percent        30" in run("mandate", "show").stdout


def test_the_rules_in_force_are_a_file_to_edit() -> None:
    file = rules(run("mandate", "show", "--toml").stdout)

    assert ask("mandate", "diff", file)["changes"] == []
    assert run("mandate", "diff", file).stdout == "no difference to mandate 1\n"


def test_a_wider_mandate_disturbs_nothing() -> None:
    run("request", "btc", "10")
    weighed = ask("mandate", "diff", rules("max_total_exposure_percent = 50"))

    assert weighed["changes"] == [{"field": "max_total_exposure_percent", "in_force": "30", "proposed": "50"}]
    assert (weighed["headroom_before"], weighed["headroom_after"]) == ("50", "90")
    assert weighed["above"] == []


def test_a_narrower_mandate_names_what_would_be_above_and_by_how_much() -> None:
    for market in ("btc-1", "btc-2", "eth-1"):
        run("request", market, "10")
    file = rules(
        "max_exposure_per_market_percent = 4\nmax_total_exposure_percent = 10\n"
        '[groups.btc]\nmax_percent = 6\npatterns = ["btc-*"]\n'
    )
    weighed = ask("mandate", "diff", file, code=ATTENTION)

    assert {
        (each["name"], each["market_id"]): (each["after"], each["above"]) for each in weighed["above"]
    } == {
        ("total", None): ("20", "10"),
        ("group:btc", None): ("12", "8"),
        ("market_percent", "btc-1"): ("8", "2"),
        ("market_percent", "btc-2"): ("8", "2"),
        ("market_percent", "eth-1"): ("8", "2"),
    }
    assert (weighed["headroom_before"], weighed["headroom_after"]) == ("30", "0")


def test_a_group_that_would_be_above_is_named() -> None:
    run(
        "mandate",
        "update",
        rules('[groups.btc]\nmax_percent = 20\npatterns = ["btc-*"]\n'),
        "--reason",
        "test",
    )
    for market in ("btc-1", "btc-2"):
        run("request", market, "10")
    (above,) = ask("mandate", "diff", rules("[groups.btc]\nmax_percent = 6\n"), code=ATTENTION)["above"]

    assert above == {
        "name": "group:btc",
        "market_id": None,
        "used": "20",
        "before": "40",
        "after": "12",
        "above": "8",
    }


def test_weighing_changes_nothing() -> None:
    run("request", "btc", "10")
    before = run("ledger", "export").stdout
    result = run("mandate", "diff", rules("max_total_exposure_percent = 1"))

    assert result.exit_code == ATTENTION
    assert "1 limit would be exceeded" in result.stdout
    assert run("ledger", "export").stdout == before


def test_what_is_weighed_is_what_happens() -> None:
    run("request", "btc", "10")
    file = rules("max_total_exposure_percent = 12")
    weighed = ask("mandate", "diff", file)
    ask("mandate", "update", file, "--reason", "a quiet weekend")

    assert ask("report")["headroom"] == weighed["headroom_after"] == "14"


def test_an_update_is_a_new_version() -> None:
    updated = ask(
        "mandate", "update", rules("max_total_exposure_percent = 12"), "--reason", "a quiet weekend"
    )

    assert updated == {"changed": True, "mandate_version": 2, "reason": "a quiet weekend"}
    assert ask("request", "btc", "5")["mandate_version"] == 2


def test_an_update_without_a_difference_writes_nothing() -> None:
    assert ask("mandate", "update", rules(""), "--reason", "test")["changed"] is False
    assert ask("mandate", "show")["mandate_version"] == 1


def test_an_update_under_one_id_is_made_once() -> None:
    words = (
        "mandate",
        "update",
        rules("max_total_exposure_percent = 12"),
        "--reason",
        "test",
        "--request-id",
        "m",
    )

    assert ask(*words)["mandate_version"] == ask(*words)["mandate_version"] == 2


def test_an_update_needs_a_reason() -> None:
    result = run("mandate", "update", rules(""))

    assert result.exit_code == INVALID_INPUT
    assert "--reason" in result.stderr


def test_a_mandate_that_drops_an_account_with_money_is_refused_when_weighed() -> None:
    refused = ask("mandate", "diff", rules('accounts = ["other"]'), code=INVALID_INPUT)

    assert refused["error"] == "ConfigError"
    assert "main" in refused["message"]
