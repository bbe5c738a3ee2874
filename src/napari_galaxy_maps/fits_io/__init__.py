"""FITS in and out: images of the sky, maps of properties, prepared cubes, regions and tables."""
