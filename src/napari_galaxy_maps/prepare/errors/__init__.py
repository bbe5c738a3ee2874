"""The uncertainty of every pixel: photon noise, noise that pixels share, calibration."""
