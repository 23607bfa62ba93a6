"""Market risk: the state of the market becomes one multiplier, which acts once."""
