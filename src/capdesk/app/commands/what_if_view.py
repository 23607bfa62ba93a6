"""How a journal decided again looks: what it comes to, and each verdict that flips, with why."""

import json
import sys
from pathlib import Path

from capdesk.app import render
from capdesk.app.commands.second_look import Found, SecondLook
from capdesk.decide.what_if import Flip
from capdesk.model.money import Amount
from capdesk.model.requests import AllocationResult, moment


def write(look: SecondLook, ledger: Path, config: Path) -> None:
    """Print one JSON object, the flips one by one as they are read back."""
    head = {
        "ledger": ledger,
        "config": config,
        "entries": look.entries,
        "requests": look.requests,
        "flips": look.flips,
        "impossible": look.impossible,
        "granted_more": Amount.from_micro(look.granted_more),
        "turns": [
            {"was": was, "becomes": becomes, "count": count}
            for (was, becomes), count in look.turns.most_common()
        ],
        "shown": look.shown,
    }
    indent = 2 if sys.stdout.isatty() else None
    text = json.dumps(render.plain(head), indent=indent, ensure_ascii=False)
    print(text.removesuffix("}").rstrip(), end=', "changes": [')
    for number, found in enumerate(look.kept()):
        print("," if number else "", json.dumps(render.plain(record(found)), ensure_ascii=False), end="")
    print("]}")


def record(found: Found) -> dict[str, object]:
    """Give a flip, or what could not be carried out, as a JSON object."""
    if not isinstance(found, Flip):
        return {
            "what": "impossible",
            "sequence": found.sequence,
            "time": moment(found.at),
            "why": found.why,
        }
    return {
        "what": "flip",
        "sequence": found.sequence,
        "time": moment(found.at),
        "market_id": found.market,
        "strategy": found.strategy,
        "asked": Amount.from_micro(found.asked),
        "was": found.was,
        "was_amount": Amount.from_micro(found.was_amount),
        "becomes": found.becomes,
        "amount": Amount.from_micro(found.amount),
        "why": found.why,
    }


def draw(look: SecondLook, ledger: Path, config: Path) -> None:
    """Print the flips and what they come to, for a person."""
    from rich.padding import Padding

    out = render.console()
    out.print(
        f"[bold]{render.literal(str(ledger))}[/] under {render.literal(str(config))}  "
        f"[dim]{look.entries:,} entries, {look.requests:,} requests[/]"
    )
    before = None
    for found in look.kept():
        when = render.clock_time(moment(found.at), relative_to=before)
        out.print(f"\n{headline(found)}  [dim]{when} UTC · entry {found.sequence:,}[/]")
        out.print(Padding(render.literal(found.why), (0, 0, 0, 2), expand=False))
        before = moment(found.at)
    out.print()
    out.print(summary(look))


def headline(found: Found) -> str:
    """Name what flips: whose verdict, what it was and what it would be."""
    if not isinstance(found, Flip):
        return "[red]impossible[/]"
    whose = render.literal(f"{found.strategy} in {found.market}")
    was, becomes = outcome(found.was, found.was_amount), outcome(found.becomes, found.amount)
    colour = "green" if found.amount > found.was_amount else "red" if not found.amount else "yellow"
    return f"[bold]{whose}[/]  {was} → [{colour}]{becomes}[/]"


def outcome(result: AllocationResult, amount: int) -> str:
    """Name one verdict."""
    return render.money(Amount.from_micro(amount)) if result is AllocationResult.SUCCESS else result.value


def summary(look: SecondLook) -> str:
    """Say how much flips in all."""
    if not look.flips and not look.impossible:
        return "[green]no verdict flips[/]"
    lines = [f"[bold]{look.flips:,}[/] of {look.requests:,} verdicts flip"]
    if look.flips:
        more = Amount.from_micro(look.granted_more)
        lines[0] += f"; {render.signed_money(more)} granted in all"
    for (was, becomes), count in look.turns.most_common():
        lines.append(f"  {count:>9,}  {turn(was, becomes)}")
    if look.impossible:
        lines.append(f"  {look.impossible:>9,}  commands that could not have been carried out")
    hidden = look.flips + look.impossible - look.shown
    if hidden:
        lines.append(f"[dim]the first {look.shown:,} are shown; --all lists the other {hidden:,} too[/]")
    return "\n".join(lines)


def turn(was: AllocationResult, becomes: AllocationResult) -> str:
    """Name a kind of flip."""
    if was is becomes:
        return "granted another amount"
    before, after = ("granted" if each is AllocationResult.SUCCESS else each.value for each in (was, becomes))
    return f"{before} → {after}"
