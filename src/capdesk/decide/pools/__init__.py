"""Pool allocation: the problem, the exact solver and its rivals, the plan that follows."""
