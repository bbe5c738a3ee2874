"""Radial profiles in elliptical rings, and the ellipses that fit a galaxy."""
