"""Work beside the window's event loop: workers, a queue for idle moments, preloading."""
