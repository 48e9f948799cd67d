"""When one person's treatment reaches another: clusters' values by saturation, and their contrasts."""
