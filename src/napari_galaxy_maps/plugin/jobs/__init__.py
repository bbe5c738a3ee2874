"""What panels set going off the main thread: opening, preparing, predicting, comparing."""
