"""Estimators, one to a file; the file name is the estimator's name in a study."""
