"""FITS files, regions and tables in and out: what a file is, and galaxies from files."""
