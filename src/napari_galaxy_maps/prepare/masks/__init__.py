"""What is masked by hand or by fit, its edits one by one, and the files it is kept in."""
