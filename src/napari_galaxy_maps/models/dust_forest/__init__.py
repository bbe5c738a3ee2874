"""Dust forest."""
