"""Maps and sums of galaxies held against the truth, and against published relations."""
