"""A second recipe of mock galaxies, which scores what the first one trained: it shares no code with
`mocks` and `sed`, and nothing is ever trained, chosen or calibrated on it.
"""
