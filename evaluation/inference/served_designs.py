"""Which randomised schemes a regression on the arm may serve.

People drawn one by one, within blocks or not; and clusters drawn whole. Adaptive allocation and two-stage
saturation designs are in neither: their chances depend on what came before, or on others' arms, and
ask for weights.

Reference: Bruhn & McKenzie (2009), AEJ: Applied 1, 200-232: control for what was balanced in the draw.
"""

from __future__ import annotations

PEOPLE = frozenset(
    {
        "simple",
        "complete",
        "blocked",
        "multi_site",
        "factorial",
        "wait_list",
        "encouragement",
        "rerandomised",
        "minimised",
        "sequential_blocks",
    }
)
CLUSTERS = frozenset({"clustered", "blocked_clusters"})
"""Clusters may also be drawn in pairs: the design `matched_pairs` draws pairs of people or of places."""
