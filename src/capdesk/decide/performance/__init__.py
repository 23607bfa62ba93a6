"""How a portfolio did: a series of returns to its figures."""

from capdesk.decide.performance.metrics import calculate_efficiency_metrics

__all__ = ["calculate_efficiency_metrics"]
