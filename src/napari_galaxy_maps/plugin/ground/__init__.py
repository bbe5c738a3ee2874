"""How images and maps become napari layers and back: planes, shapes, colours, settings."""
