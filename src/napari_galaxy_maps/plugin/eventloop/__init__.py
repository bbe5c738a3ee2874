"""Eventloop."""
