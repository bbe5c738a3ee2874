"""From images as an observatory delivers them to one cube: sky, PSF, grid, errors."""
