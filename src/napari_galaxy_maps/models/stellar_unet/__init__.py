"""stellar-unet: stars and gas of every pixel from optical images, by a U-Net trained on mocks."""
