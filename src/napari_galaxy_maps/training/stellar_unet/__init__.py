"""Stellar unet."""
