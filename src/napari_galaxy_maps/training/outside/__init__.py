"""Galaxies that the mocks' generator never made, on which `stellar-unet` is scored: none is ever
trained on.
"""
