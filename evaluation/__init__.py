"""What was found: samples, estimators, checks and the findings that a run writes."""
