"""Networks that come with the package, so that a picture can be classified before anything is trained or fetched."""
