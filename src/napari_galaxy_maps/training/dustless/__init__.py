"""How well dust is taken away: on mock galaxies whose light without dust is known, and beside
CIGALE's attenuation of real ones.
"""
