"""The objects that everything speaks: galaxies, images and cubes, maps of properties, recipes."""
