"""Published tables made again by one command: without it a table is thirty commands that a person pastes."""
