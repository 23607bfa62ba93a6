"""The demo: one real day of five-minute bitcoin markets, traded by four bots on one bankroll.

Read `markets` (what is real), `pricing` (what is a model), `bots` (who asks), `replay` (how the
day runs against the desk), `figures` (what it came to).
"""
