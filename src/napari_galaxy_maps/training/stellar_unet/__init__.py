"""How stellar-unet is trained, calibrated, scored and its card written."""
