"""Images of different sharpness brought to one PSF, by kernels and convolution."""
