"""Galaxies painted with histories, metals and dust that follow no scaling relation, to train on."""
