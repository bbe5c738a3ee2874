"""Mock galaxies: images in every band with the true maps of every property, by a seeded forward
model.
"""
