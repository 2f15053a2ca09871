"""Settings as frozen records: read from JSON, checked once, refused with place, rule and finding."""
