"""What each step of the preparation does with a galaxy on its way from images to a cube."""
