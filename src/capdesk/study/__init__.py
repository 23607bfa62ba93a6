"""Studies: what drives the desk with a clock of its own, over a day that has been or might be."""
