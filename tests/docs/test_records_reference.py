"""The page about the records names every table, column, verb and source there is, and no other."""

from __future__ import annotations

import inspect
import re

import capdesk.records.list_tables
import capdesk.records.run_tables  # noqa: F401
from capdesk.records import Records
from capdesk.records.tables import Base
from capdesk.sources import plugins
from tests.docs.test_reference import page, quoted, rows, sections

PAGE = page("reference/records.md")
PARTS = sections(PAGE, 2)


def test_every_table_and_column_is_documented() -> None:
    shown = {
        name: [quoted(row[0])[0] for row in rows(text)] for name, text in sections(PARTS["Tables"], 3).items()
    }
    made = {name: [column.name for column in table.columns] for name, table in Base.metadata.tables.items()}
    assert {name: sorted(columns) for name, columns in shown.items()} == {
        name: sorted(columns) for name, columns in made.items()
    }


def test_every_source_is_documented_with_its_options() -> None:
    shown = {quoted(row[0])[0]: row[2] for row in rows(PARTS["Sources"])}
    assert set(shown) == set(plugins.BUILT_IN)
    for name, options in shown.items():
        takes = list(inspect.signature(plugins.BUILT_IN[name]).parameters)[1:]
        assert [option for option in takes if option != "day" and f"`{option}`" not in options] == [], name


def test_every_verb_of_the_records_is_documented_with_its_arguments() -> None:
    verbs = sections(PARTS["From Python"], 3)["Records"]
    shown = {call.split("(")[0]: call for row in rows(verbs) for call in quoted(row[0])}
    public = {name: member for name, member in vars(Records).items() if not name.startswith("_")}
    assert set(shown) == set(public)
    for name, member in public.items():
        takes = list(inspect.signature(member).parameters)[1:]
        assert re.findall(r"[(,] ?(\w+)", shown[name]) == takes, name
