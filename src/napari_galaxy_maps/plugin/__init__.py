"""The napari plugin: the only room that knows of windows."""
