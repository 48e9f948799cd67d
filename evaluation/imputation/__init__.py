"""Multiple imputation: chains of regressions by arm, aware of clusters, and the pooling of their answers."""
