"""The dock widgets, one for each step of the work."""
