"""Output folders and the records in them: held by one writer, known by content, never half-written."""
