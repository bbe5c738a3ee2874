"""Figures of galaxies, profiles and predictions against the truth, by matplotlib."""
