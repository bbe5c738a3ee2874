"""The photometric bands and surveys as tables, and the units that their images come in."""
