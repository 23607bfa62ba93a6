"""What a day's plan is told in files: the limits and costs, and the balances."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from capdesk.decide.pools.checks import parameters_from
from capdesk.model.errors import InvalidInput
from capdesk.model.market_rows import Balance
from capdesk.model.pool_parameters import PoolParameters
from capdesk.model.wording import worded
from capdesk.treasury import SurveyRules

if TYPE_CHECKING:
    from capdesk.decide.pools.eligibility import OnIce
    from capdesk.records import Records

SURVEY = "survey"


def read_rules(path: Path | None, on_ice: OnIce | None = None) -> tuple[PoolParameters, SurveyRules]:
    """Read a TOML file: `PoolParameters` by name, and `SurveyRules` in the table ``[survey]``.

    Parameters
    ----------
    on_ice
        Stands over what the file says.

    Raises
    ------
    InvalidInput
        For a file that is no TOML, an unknown name, or a value that cannot be obeyed.
    """
    given: dict[str, Any] = {}
    if path is not None:
        try:
            given = tomllib.loads(path.read_text(encoding="utf-8"))
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise InvalidInput(f"{path} cannot be read as TOML: {error}") from error
    told = given.pop(SURVEY, {})
    try:
        rules = msgspec.convert(told, SurveyRules)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"{path}, [survey]: {worded(error, SurveyRules, _known(SurveyRules))}") from None
    if on_ice is not None:
        rules = replace(rules, eligibility=replace(rules.eligibility, on_ice=on_ice))
    return parameters_from(given), rules


def _known(rules: type[msgspec.Struct], before: str = "") -> list[str]:
    """The names that a table may have, those of a table within it after its own."""
    names: list[str] = []
    for each in msgspec.structs.fields(rules):
        nested = isinstance(each.type, type) and issubclass(each.type, msgspec.Struct)
        names += _known(each.type, f"{before}{each.name}.") if nested else [f"{before}{each.name}"]
    return names


def balances_of(records: Records, day: dt.date, file: Path | None, account: str | None) -> list[Balance]:
    """What is held on a day: by the records, or by a table of balances that is not written to them.

    Raises
    ------
    InvalidInput
        If a row of the table cannot be accepted, or nothing is held: a plan for a part of
        what is held would move the rest's limits.
    """
    found = records.balances(day, account) if file is None else _of_file(file, day, account)
    if found:
        return found
    whose = "" if account is None else f" of the account {account!r}"
    raise InvalidInput(
        f"nothing{whose} is known to be held up to {day}: 'capdesk pools import FILE --source balances' brings it "
        "into the records, or name a table with --holdings"
    )


def _of_file(file: Path, day: dt.date, account: str | None) -> list[Balance]:
    from capdesk import sources

    reading = sources.read(sources.open_source("balances", str(file), {}, day))
    if reading.rejected:
        raise InvalidInput(
            "\n".join([f"{file}: no plan is made from a part of it", *map(str, reading.rejected)])
        )
    rows = [row for row in reading.rows if isinstance(row, Balance) and row.day <= day]
    last = {row.account: max(each.day for each in rows if each.account == row.account) for row in rows}
    return [row for row in rows if row.day == last[row.account] and account in (None, row.account)]
