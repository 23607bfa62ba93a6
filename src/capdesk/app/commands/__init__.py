"""The commands of `capdesk`, one subject a file; `capdesk.app.cli` registers them.

A module here imports nothing heavier than Typer when it is loaded: every command pays for
all of them at its start, so the desk, Rich and asyncio are imported inside the functions.
"""
