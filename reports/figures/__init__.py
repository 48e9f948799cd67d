"""Figures made from released values only, with the text that stands in for them."""
