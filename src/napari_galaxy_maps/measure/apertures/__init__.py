"""Sums and means of maps and images in ellipses, rings and polygons, with their errors."""
