"""Frozen values of the desk: no I/O, no clock, no randomness. Read `requests.py` first."""
