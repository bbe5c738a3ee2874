"""One grid of pixels for all bands, and images resampled onto it."""
