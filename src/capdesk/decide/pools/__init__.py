"""Yield pools: who is in, how steady they are, what they will pay, and the plan that is provably best."""
