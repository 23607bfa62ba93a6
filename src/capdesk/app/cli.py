"""The command line `capdesk`: which commands there are, and under which names."""

from typing import Annotated

import typer

from capdesk.app.commands import (
    audit,
    budget,
    capital,
    demo,
    doctor,
    flows,
    frontier,
    halting,
    ledger,
    mandate,
    metrics,
    pools,
    reading,
    rebalance,
    recycling,
    replaying,
    setup,
    sizing,
    status,
    supervising,
    verify,
    weights,
    what_if,
)
from capdesk.app.commands.shell import DeskCommand, DeskGroup

START, CAPITAL, PLANS, RISK, INSIGHT, MONEY, RULES = (
    "Start",
    "Capital",
    "Plans",
    "Sleeves and risk",
    "Insight",
    "The bankroll",
    "Rules and record",
)

app = typer.Typer(
    name="capdesk",
    cls=DeskGroup,
    no_args_is_help=True,
    epilog=(
        "The desk is a ledger file: --ledger, or CAPDESK_LEDGER. Exit codes: 0 done, 2 invalid input, 3 refused, "
        "4 no ledger, 5 corrupt, 6 mandate mismatch, 7 unavailable, 8 attention, 9 equivalent, 10 different."
    ),
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def show_version(asked: bool) -> None:
    """Print the version and stop, when asked."""
    if asked:
        from capdesk._version import __version__

        print(f"capdesk {__version__}")
        raise typer.Exit


@app.callback()
def capdesk(
    _version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Run one bankroll: hand capital to markets inside their limits, take it back, explain every decision."""


app.command("demo", cls=DeskCommand, rich_help_panel=START)(demo.demo)
app.command("init", cls=DeskCommand, rich_help_panel=START)(setup.init)
app.command("doctor", cls=DeskCommand, rich_help_panel=START)(doctor.doctor)
app.command("request", cls=DeskCommand, rich_help_panel=CAPITAL)(capital.request)
app.command("increase", cls=DeskCommand, rich_help_panel=CAPITAL)(capital.increase)
app.command("confirm", cls=DeskCommand, rich_help_panel=CAPITAL)(capital.confirm)
app.command("release", cls=DeskCommand, rich_help_panel=CAPITAL)(capital.release)
app.command("recycle", cls=DeskCommand, rich_help_panel=CAPITAL)(recycling.recycle)
app.command("weights", cls=DeskCommand, rich_help_panel=PLANS)(weights.weights)
app.command("frontier", cls=DeskCommand, rich_help_panel=PLANS)(frontier.frontier)
app.command("rebalance", cls=DeskCommand, rich_help_panel=PLANS)(rebalance.rebalance)
app.command("adopt", cls=DeskCommand, rich_help_panel=PLANS)(weights.adopt)
app.command("metrics", cls=DeskCommand, rich_help_panel=PLANS)(metrics.metrics)
app.command("verify", cls=DeskCommand, rich_help_panel=PLANS)(verify.verify)
app.add_typer(pools.app, name="pools", rich_help_panel=PLANS)
app.command("replay", cls=DeskCommand, rich_help_panel=PLANS)(replaying.replay)
app.command("budget", cls=DeskCommand, rich_help_panel=RISK)(budget.budget)
app.command("size", cls=DeskCommand, rich_help_panel=RISK)(sizing.size)
app.command("status", cls=DeskCommand, rich_help_panel=RISK)(status.status)
app.command("halt", cls=DeskCommand, rich_help_panel=RISK)(halting.halt)
app.command("resume", cls=DeskCommand, rich_help_panel=RISK)(halting.resume)
app.add_typer(halting.app, name="breaker", rich_help_panel=RISK)
app.command("observe", cls=DeskCommand, rich_help_panel=RISK)(supervising.observe)
app.command("supervise", cls=DeskCommand, rich_help_panel=RISK)(supervising.supervise)
app.command("report", cls=DeskCommand, rich_help_panel=INSIGHT)(reading.report)
app.command("explain", cls=DeskCommand, rich_help_panel=INSIGHT)(reading.explain)
app.command("audit", cls=DeskCommand, rich_help_panel=INSIGHT)(audit.audit)
app.command("what-if", cls=DeskCommand, rich_help_panel=INSIGHT)(what_if.what_if)
app.command("orphans", cls=DeskCommand, rich_help_panel=INSIGHT)(reading.orphans)
app.command("deposit", cls=DeskCommand, rich_help_panel=MONEY)(flows.deposit)
app.command("withdraw", cls=DeskCommand, rich_help_panel=MONEY)(flows.withdraw)
app.command("transfer", cls=DeskCommand, rich_help_panel=MONEY)(flows.transfer)
app.command("sync", cls=DeskCommand, rich_help_panel=MONEY)(flows.sync)
app.command("mark", cls=DeskCommand, rich_help_panel=MONEY)(flows.mark)
app.add_typer(mandate.app, name="mandate", rich_help_panel=RULES)
app.add_typer(ledger.app, name="ledger", rich_help_panel=RULES)


def main() -> None:
    """Run the command line."""
    app(prog_name="capdesk")
