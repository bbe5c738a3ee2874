"""dust-forest: dust and stars of every pixel from its colours, by trees trained on DustPedia."""
