"""When to look, and when to stop: boundaries, Bayesian rules and pilot criteria, all declared."""
