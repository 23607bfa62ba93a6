"""The claims: one file each, with a function `measure(place)` that gives rows of the table."""
