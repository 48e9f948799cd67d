"""What is printed: the release gate, the values that pages look up, and the pages."""
