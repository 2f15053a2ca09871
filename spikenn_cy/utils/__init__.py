"""What any room may need and none is about: files, extras, progress, aligned memory, the faster of two ways."""
