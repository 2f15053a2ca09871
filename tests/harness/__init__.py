"""What goes on attacking the package by hand: kills, planted faults, sanitizers, long load."""
