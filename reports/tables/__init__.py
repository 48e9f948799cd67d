"""Tables made from released values only."""
