"""Inference at small numbers: cluster-robust, randomisation, wild bootstrap."""
