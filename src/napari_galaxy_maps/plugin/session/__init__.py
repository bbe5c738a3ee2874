"""What a person did in the window, kept in a folder NAME.galaxymaps and found again."""
