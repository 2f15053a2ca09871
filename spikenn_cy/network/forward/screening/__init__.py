"""Screening: estimates that settle most first spikes before any exact sum. The mathematics stand in README.md here."""
