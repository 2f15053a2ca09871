"""From image files to spikes and decisions: download, splits, extraction, prediction."""
