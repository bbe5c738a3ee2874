"""What is drawn on the sky besides images: circles, apertures, paint, scales and texts."""
