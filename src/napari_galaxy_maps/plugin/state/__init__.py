"""What a window holds: galaxies, results, masks, apertures, spectra, and what changed last."""
