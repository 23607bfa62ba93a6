"""The demo: one real day of five-minute bitcoin markets, traded by five bots in four sleeves of one bankroll.

Read `markets` (what is real), `pricing` (what is a model), `crash` (what is invented, where it is
asked for), `bots` (who asks), `mandate` (under which rules), `replay` and `heartbeat` (how the day
runs against the desk and its supervisor), `figures` (what it came to).
"""
