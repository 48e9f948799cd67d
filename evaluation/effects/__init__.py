"""Effects in units that a decision can use: pooled over sites, standardised, in numbers prevented."""
