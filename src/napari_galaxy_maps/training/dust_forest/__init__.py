"""How dust-forest is trained, its errors calibrated and its card written."""
