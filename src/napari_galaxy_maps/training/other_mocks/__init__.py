"""A second recipe of mock galaxies, which scores what the first one trained: it shares no code with
`mocks` and `sed`, and nothing is ever trained or calibrated on it. Nor is anything chosen, but for
settings of `stellar-unet` by galaxies of `training.outside`.
"""
