"""Target weights: one file per strategy, the problem they share, the solvers, and the certificates."""
