"""How each model's weights were made, and how to train on a set of one's own."""
