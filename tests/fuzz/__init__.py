"""Files from strangers: small valid ones of every kind, damaged at random, and what may come of reading them."""
