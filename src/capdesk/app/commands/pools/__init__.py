"""`capdesk pools`: the universe, the lists, and the runs that were planned from them."""

import typer

from capdesk.app.commands import replaying
from capdesk.app.commands.pools import adopting, demo, importing, lists, planning, runs, surveying
from capdesk.app.commands.shell import DeskCommand, DeskGroup

UNIVERSE, LISTS, PLANS, RUNS = "The universe", "The lists", "Plans", "Runs"

app = typer.Typer(
    cls=DeskGroup,
    no_args_is_help=True,
    help="Bring pools in, say which may be used, plan a day, look at the runs.",
)
app.command("import", cls=DeskCommand, rich_help_panel=UNIVERSE)(importing.import_rows)
app.command("eligible", cls=DeskCommand, rich_help_panel=UNIVERSE)(surveying.eligible)
app.command("forecast", cls=DeskCommand, rich_help_panel=UNIVERSE)(surveying.forecast)
app.command("approve", cls=DeskCommand, rich_help_panel=LISTS)(lists.approve)
app.command("blacklist", cls=DeskCommand, rich_help_panel=LISTS)(lists.blacklist)
app.command("icebox", cls=DeskCommand, rich_help_panel=LISTS)(lists.icebox)
app.command("plan", cls=DeskCommand, rich_help_panel=PLANS)(planning.plan)
app.command("adopt", cls=DeskCommand, rich_help_panel=PLANS)(adopting.adopt)
app.command("demo", cls=DeskCommand, rich_help_panel=PLANS)(demo.demo)
app.command("runs", cls=DeskCommand, rich_help_panel=RUNS)(runs.runs)
app.command("show", cls=DeskCommand, rich_help_panel=RUNS)(runs.show)
app.command("diff", cls=DeskCommand, rich_help_panel=RUNS)(runs.diff)
app.command("replay", cls=DeskCommand, rich_help_panel=RUNS)(replaying.replay)
