"""What napari's manifest names: docks, readers, writers, sample data and the demo."""
