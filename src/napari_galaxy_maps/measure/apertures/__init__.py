"""Apertures."""
