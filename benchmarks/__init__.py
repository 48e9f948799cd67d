"""Speed against named peers, as ratios measured in one run; run them with `make bench`."""
