"""Spiking convolutions: filters, and where in an image they fire first; for extractors and, one floor up, networks."""
