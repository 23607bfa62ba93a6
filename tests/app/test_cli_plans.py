"""Plans through the command line: weights, their adoption, and the orders towards them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from capdesk import Amount, plan_weights
from capdesk.app.cli import app
from capdesk.app.series import read_table

EXAMPLES = Path(__file__).parents[2] / "examples"
PRICES = str(EXAMPLES / "crypto_weekly.csv")
MOMENTS = "name,mean,risk_score,a,b\na,0.10,2,0.04,0.006\nb,0.06,1,0.006,0.01\n"


@pytest.fixture(autouse=True)
def in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("CAPDESK_LEDGER", raising=False)
    Path("moments.csv").write_text(MOMENTS, encoding="utf-8")


def run(*words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == code, result.output
    return result


def ask(*words: str) -> Any:
    return json.loads(run(*words, "--json").stdout)


def test_weights_of_prices_are_those_of_the_sample_covariance() -> None:
    told = ask("weights", PRICES, "--strategy", "min_variance")
    table = read_table(Path(PRICES))
    returns = np.array([[float(each) for each in table.returns_of(name)] for name in table.names])
    covariance = np.cov(returns)
    weights = np.array([float(told["weights"][name]) for name in table.names])
    slope = covariance @ weights

    assert weights.sum() == pytest.approx(1)
    # At the minimum every name that is held has the same slope, and the others a larger one.
    assert np.ptp(slope[weights > 0]) < 1e-6
    assert slope[weights == 0].min() > slope[weights > 0].max()
    assert told["history"]["volatility"] == pytest.approx((weights @ covariance @ weights * 52) ** 0.5)
    assert told["certificate"]["gap"] < 1e-6


def test_moments_give_the_closed_form() -> None:
    told = ask("weights", "moments.csv", "--strategy", "max_sharpe", "--risk-free-rate", "0.02")
    raw = np.linalg.solve([[0.04, 0.006], [0.006, 0.01]], [0.08, 0.04])

    assert [float(told["weights"][name]) for name in "ab"] == pytest.approx(raw / raw.sum(), abs=1e-6)
    assert told["history"] is None


def test_scores_serve_risk_parity_and_the_environment_names_the_strategy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("scores.csv").write_text("name,risk_score\na,1\nb,3\n", encoding="utf-8")
    monkeypatch.setenv("CAPITAL_STRATEGY", "risk_parity")

    assert ask("weights", "scores.csv")["weights"] == {"a": "0.75", "b": "0.25"}
    assert ask("weights", "scores.csv", "--strategy", "equal_weight")["weights"] == {"a": "0.5", "b": "0.5"}


def test_a_configuration_beside_the_caller_counts_after_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("weights.csv").write_text("name,current,target\na,0.5,0.53\nb,0.5,0.47\n", encoding="utf-8")
    Path("scores.csv").write_text("name,risk_score\na,1\nb,3\n", encoding="utf-8")
    Path("capdesk.toml").write_text(
        'strategy = "risk_parity"\nrebalance_threshold = 0.02\nmin_order_size = 2\n'
    )
    assert ask("weights", "scores.csv")["weights"] == {"a": "0.75", "b": "0.25"}
    assert len(ask("rebalance", "weights.csv", "1000")["orders"]) == 2
    assert ask("rebalance", "weights.csv", "1000", "--threshold", "0.04")["orders"] == []
    monkeypatch.setenv("CAPITAL_STRATEGY", "equal_weight")
    assert ask("weights", "scores.csv")["weights"] == {"a": "0.5", "b": "0.5"}


def test_limits_bind_and_leave_cash() -> None:
    told = ask("weights", PRICES, "--only", "BTC", "--only", "ETH", "--only", "XMR", "--max-weight", "0.2")

    assert told["weights"] == {"BTC": "0.2", "ETH": "0.2", "XMR": "0.2"}
    assert told["cash"] == "0.4"
    refused = run("weights", PRICES, "--only", "BTC", "--max-weight", "0.2", "--no-cash", code=2)
    assert "20 % < 100 %" in refused.stderr


def test_no_more_names_are_held_than_are_asked_for() -> None:
    told = ask("weights", PRICES, "--max-names", "3")

    assert list(told["weights"]) == ["BTC", "ETH", "BNB"]
    assert (
        "max_names must be a whole number from 1 up, got 0"
        in run("weights", PRICES, "--max-names", "0", code=2).stderr
    )


def test_a_plan_for_a_person_shows_every_name_and_why() -> None:
    shown = run("weights", PRICES, "--strategy", "min_variance", "--max-weight", "0.3", "--explain").stdout

    assert "prices of 8 names" in shown
    assert "30.0000 %" in shown
    assert "max weight BTC 0.3" in shown
    assert "at its most (max_weight)" in shown
    assert "nothing feasible is better" in shown


def test_what_may_not_be_meant_is_one_line_on_standard_error() -> None:
    Path("short.csv").write_text("a,b\n" + "0.01,-0.01\n-0.02,0.01\n0.03,0.02\n" * 10, encoding="utf-8")
    told = run("weights", "short.csv", "--strategy", "min_cvar", "--json")

    assert told.stderr == "warning: the tail has 1.5 scenarios for 2 names: its weights are mostly chance\n"
    assert json.loads(told.stdout)["strategy"] == "min_cvar"


def test_a_saved_plan_is_verified_and_adopted() -> None:
    told = ask("weights", PRICES, "--strategy", "min_variance", "--save", "plan.json")
    assert told["hash"] == hashlib.sha256(Path("plan.json").read_bytes()).hexdigest()
    assert ask("verify", "plan.json")["holds"]
    run("init")
    adopted = ask("adopt", "plan.json", "--reason", "first plan")
    assert (adopted["changed"], adopted["mandate_version"], adopted["plan"]) == (True, 2, told["hash"])
    rules = ask("mandate", "show")["config"]
    shares = {sleeve["name"]: float(sleeve["percent"]) / 100 for sleeve in rules["sleeves"]}
    assert shares == {
        name: pytest.approx(float(weight), abs=1e-6) for name, weight in told["weights"].items()
    }
    assert sum(round(share * 1e6) for share in shares.values()) == 1_000_000
    last = run("ledger", "export").stdout.splitlines()[-1]
    assert f"plan {told['hash']} by min_variance: first plan" in last

    assert "nothing was written" in run("adopt", "plan.json").stdout


def test_an_adoption_names_the_sleeves_that_lose_their_share() -> None:
    Path("capdesk.toml").write_text('sleeves = [{ name = "sniper", percent = 4 }]\n', encoding="utf-8")
    run("init")
    run("weights", PRICES, "--save", "plan.json")

    assert "left out  sniper: no part of the plan, so 0 % from now on" in run("adopt", "plan.json").stdout
    assert ask("adopt", "plan.json")["left_out"] == ["sniper"]


def test_what_is_no_plan_is_not_adopted() -> None:
    run("init")

    assert "error" in run("adopt", "moments.csv", code=2).stderr


def test_orders_by_the_threshold_and_by_what_they_earn() -> None:
    head = "name,current,target,fixed_cost,proportional_cost,expected_return"
    table = f"{head}\na,0.40,0.30,5,0.001,0.02\nb,0.60,0.70,5,0.001,0.05\n"
    Path("costs.csv").write_text(table, encoding="utf-8")
    Path("plain.csv").write_text(
        "\n".join(line.rsplit(",", 3)[0] for line in table.splitlines()), encoding="utf-8"
    )

    plain = ask("rebalance", "plain.csv", "1000")
    assert [(it["action"], it["protocol"], it["amount"]) for it in plain["orders"]] == [
        ("decrease", "a", "100.00"),
        ("increase", "b", "100.00"),
    ]
    assert ask("rebalance", "plain.csv", "1000", "--threshold", "0.11")["orders"] == []
    costs = ask("rebalance", "costs.csv", "1000")
    assert costs["orders"] == []
    assert {it["protocol"] for it in costs["left_out"]} == {"a", "b"}
    # 100 dollars at 3 % more for a year earn 3 dollars; ten times the capital earns 30 and pays 12.
    assert len(ask("rebalance", "costs.csv", "10000")["orders"]) == 2


def test_covariances_make_a_no_trade_region() -> None:
    Path("one.csv").write_text("name,current,target,proportional_cost\na,0,0.5,0.002\n", encoding="utf-8")
    Path("cov.csv").write_text("name,a\na,0.04\n", encoding="utf-8")
    told = ask("rebalance", "one.csv", "1000000", "--covariances", "cov.csv", "--risk-aversion", "2")

    assert float(told["orders"][0]["amount"]) == pytest.approx(475_000, abs=0.02)
    shown = run("rebalance", "one.csv", "1000000", "--covariances", "cov.csv", "--risk-aversion", "2").stdout
    assert "a by +2.50 %: traded to the edge of its no-trade region" in shown
    assert "falls by $475,000" in shown


def test_a_frontier_rises_to_the_largest_mean_and_names_its_knee() -> None:
    told = ask("frontier", PRICES, "--points", "6", "--save", "knee.json")
    volatilities = [point["volatility"] for point in told["points"]]
    earned = [point["expected_return"] for point in told["points"]]
    table = read_table(Path(PRICES))
    means = {
        name: 52 * float(sum(returns) / len(returns))
        for name in table.names
        if (returns := table.returns_of(name))
    }

    assert len(earned) == 6
    assert volatilities == sorted(volatilities)
    assert earned == sorted(earned)
    assert earned[-1] == pytest.approx(max(means.values()), rel=1e-5)
    assert told["points"][0]["weights"] == ask("weights", PRICES, "--strategy", "min_variance")["weights"]
    assert ask("verify", "knee.json")["holds"]
    assert json.loads(Path("knee.json").read_text())["weights"] == told["points"][told["knee"]]["weights"]


def test_a_frontier_of_moments_ends_at_the_name_with_the_largest_mean() -> None:
    told = ask("frontier", "moments.csv", "--points", "3")

    assert told["points"][-1]["weights"] == {"a": "1", "b": "0"}
    assert told["points"][-1]["volatility"] == pytest.approx(0.2)
    assert told["points"][-1]["expected_return"] == pytest.approx(0.1)


def test_a_third_criterion_stands_beside_return_and_variance() -> None:
    words = ("frontier", PRICES, "--points", "3", "--levels", "3", "--criterion", "concentration")
    points = ask(*words)["points"]
    squares = [sum(float(weight) ** 2 for weight in point["weights"].values()) for point in points]

    assert [point["third"] for point in points] == pytest.approx(squares, abs=1e-5)
    assert "concentration" in run(*words).stdout


def test_a_tail_loss_is_shown_in_percent_of_a_period() -> None:
    words = ("frontier", PRICES, "--points", "3", "--levels", "2", "--criterion", "cvar")
    shown = run(*words).stdout

    assert "worst 5 % of a period" in shown
    for point in ask(*words)["points"]:
        assert f" {point['third'] * 100:.2f} %" in shown


@pytest.mark.parametrize("more", [(), ("--criterion", "cvar", "--levels", "2")])
def test_the_frontiers_page_opens_without_a_network(more: tuple[str, ...]) -> None:
    shown = run("frontier", PRICES, "--points", "4", "--html", "page.html", *more).stdout
    page = Path("page.html").read_text(encoding="utf-8")

    assert "page.html" in shown
    assert "<script src=" not in page
    assert page.count('class="plotly-graph-div"') == (1 if more else 2)
    assert "<h2>The knee</h2>" in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rebalance", "moments.csv", "100"), "must have the columns name, current and target"),
        (("weights", "missing.csv"), "missing.csv cannot be read as CSV"),
        (("weights", PRICES, "--only", "DOGE"), "has no column DOGE; its columns are BTC"),
        (("weights", "moments.csv", "--only", "DOGE"), "has no name DOGE; its names are a, b"),
        (("weights", PRICES, "--strategy", "martingale"), "strategy = 'martingale'"),
        (("weights", "moments.csv", "--strategy", "min_cvar"), "min_cvar needs returns or prices"),
        (("frontier", PRICES, "--points", "1"), "at least 2 points, got 1"),
        (("frontier", PRICES, "--criterion", "beauty"), "criterion must be one of"),
    ],
)
def test_what_cannot_be_planned_is_one_line(words: tuple[str, ...], said: str) -> None:
    result = run(*words, code=2)

    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_plan_is_stored_as_a_run_and_replays_to_the_last_digit() -> None:
    told = ask("weights", PRICES, "--strategy", "min_variance", "--max-weight", "0.3", "--store", "runs.db")
    again = ask("replay", "1", "--records", "runs.db")

    assert told["run"] == 1
    assert again["replay"] == "identical"
    assert again["stored"]["objective"] == told["certificate"]["objective"]


def test_a_plan_that_cannot_be_made_stores_nothing() -> None:
    run("weights", PRICES, "--max-weight", "0.05", "--no-cash", "--store", "runs.db", code=2)

    assert ask("pools", "runs", "--records", "runs.db")["runs"] == []


HOLES = "date,a,b\n2026-01-01,2,\n2026-01-02,2.5,9\n2026-01-03,2,9.9\n2026-01-04,2.1,9.5\n"


@pytest.mark.parametrize(
    "words", [("weights",), ("frontier", "--points", "2"), ("metrics", "--column", "b")], ids=lambda it: it[0]
)
def test_lines_left_out_are_counted(words: tuple[str, ...]) -> None:
    Path("holes.csv").write_text(HOLES, encoding="utf-8")
    command, *options = words
    said = " ".join(run(command, "holes.csv", *options, code=2).output.split())
    assert "line 2, b is empty" in said
    assert "--drop-incomplete" in said
    told = run(command, "holes.csv", *options, "--drop-incomplete").stdout
    assert "1 lines with an empty cell left out" in " ".join(told.split())
    assert ask(command, "holes.csv", *options, "--drop-incomplete")["dropped_lines"] == 1


VIEWS = """
[market_weights]
a = 0.5
b = 0.5
[[view]]
portfolio = { a = 1, b = -1 }
return = %s
confidence = %s
"""


def test_views_move_the_market_as_the_library_does() -> None:
    Path("views.toml").write_text(VIEWS % (0.10, 0.5), encoding="utf-8")
    words = ("weights", "moments.csv", "--strategy", "black_litterman", "--views", "views.toml")
    told = ask(*words)
    plan = plan_weights(
        ["a", "b"],
        "black_litterman",
        covariance=np.array([[0.04, 0.006], [0.006, 0.01]]),
        market_weights={"a": 0.5, "b": 0.5},
        views=[({"a": 1, "b": -1}, 0.10)],
        confidences=[0.5],
    )
    assert told["weights"] == {name: str(weight) for name, weight in plan.weights.items()}
    Path("views.toml").write_text(VIEWS % (0.10, 0), encoding="utf-8")
    assert [float(weight) for weight in ask(*words)["weights"].values()] == pytest.approx([0.5, 0.5])


def test_a_view_of_a_year_is_a_week_s_52_times() -> None:
    prices = read_table(Path(PRICES), only=["BTC", "ETH"])
    plan = plan_weights(
        ["BTC", "ETH"],
        "black_litterman",
        prices=np.array([[float(each) for each in prices.columns[name]] for name in ("BTC", "ETH")]).T,
        market_weights={"BTC": 0.7, "ETH": 0.3},
        views=[({"ETH": 1, "BTC": -1}, 0.52 / 52)],
    )
    Path("views.toml").write_text(
        "[market_weights]\nBTC = 0.7\nETH = 0.3\n"
        "[[view]]\nportfolio = { ETH = 1, BTC = -1 }\nreturn = 0.52\n",
        encoding="utf-8",
    )
    words = ("--only", "BTC", "--only", "ETH", "--strategy", "black_litterman", "--views", "views.toml")
    told = ask("weights", PRICES, *words)
    assert told["weights"] == {name: str(weight) for name, weight in plan.weights.items()}
    assert plan.weights["ETH"] > Amount("0.31")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("market = 1", "may have [market_weights] and [[view]], got market"),
        ("[[view]]\nreturn = 0.1", "view 1 must have portfolio and return"),
        ("[[view]]\nreturn = 20\nportfolio = { a = 1 }", "a fraction is meant, did you mean 0.2?"),
        (VIEWS % (0.1, 0.5) + "[[view]]\nreturn = 0.1\nportfolio = { a = 1 }", "view 2 has no confidence"),
        ("[[view]]\nreturn = 0.1\nportfolio = 'a'", "must be names with their shares"),
        ("not toml", "cannot be read as TOML"),
        ("[market_weights]\na = 1", "market_weights has no value for b"),
    ],
)
def test_views_that_cannot_be_read_are_named(text: str, said: str) -> None:
    Path("views.toml").write_text(text, encoding="utf-8")
    words = ("weights", "moments.csv", "--strategy", "black_litterman", "--views", "views.toml")
    assert said in " ".join(run(*words, code=2).output.split())


def test_views_without_their_strategy_are_refused() -> None:
    Path("views.toml").write_text(VIEWS % (0.10, 0.5), encoding="utf-8")
    said = run("weights", "moments.csv", "--strategy", "min_variance", "--views", "views.toml", code=2)
    assert "views are for black_litterman" in said.output


def test_mean_variance_without_a_risk_aversion_says_what_it_is() -> None:
    told = ask("weights", "moments.csv", "--strategy", "mean_variance")
    assert told["strategy"] == "mean_variance"
    assert told["notes"] == ["without a risk_aversion mean_variance is the maximum Sharpe ratio"]


def test_a_file_that_is_saved_over_is_told() -> None:
    words = ("weights", "moments.csv", "--strategy", "min_variance", "--save", "plan.json")
    assert "made  plan.json" in run(*words).stdout
    assert "replaced  plan.json" in run(*words).stdout


@pytest.mark.parametrize(
    ("strategy", "said", "unit"),
    [
        ("min_variance", "1 % of room lowers the variance by 0.000224", "the variance"),
        ("max_sharpe", "1 % of room raises the Sharpe ratio by", "the Sharpe ratio"),
    ],
)
def test_a_shadow_price_has_its_unit(strategy: str, said: str, unit: str) -> None:
    """At 40 % of a and 60 % of b a point from a to b lowers the variance by 2 (0.0196 - 0.0084) / 100."""
    words = ("weights", "moments.csv", "--strategy", strategy, "--max-weight", "0.6")
    assert ask(*words)["shadow_price_unit"] == unit
    shown = " ".join(run(*words, "--explain").stdout.split())
    assert said in shown
    assert f"would improve {unit} by" in shown
