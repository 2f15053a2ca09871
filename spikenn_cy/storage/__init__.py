"""Output folders, the records in them, and model files: held by one writer, known by content, never half-written."""
