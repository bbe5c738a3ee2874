"""Training on a person's own galaxies and true maps."""
