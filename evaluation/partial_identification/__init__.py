"""Effects that the data confine to an interval and do not pin down: bounds and their uncertainty."""
