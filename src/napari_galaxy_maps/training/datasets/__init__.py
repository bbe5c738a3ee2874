"""The training sets: DustPedia, CIGALE's fits, mock galaxies, PICASSO's archive."""
