"""What counts as the outcome: versioned lists of offence classes, per locality and nationally."""
