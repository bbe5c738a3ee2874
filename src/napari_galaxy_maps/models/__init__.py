"""Pretrained models: cards, registry, features, trees, uncertainties, devices."""
