"""What made each weights file, re-runnable."""
