"""Jobs done by processes on this machine or on a cluster, of which none is lost without a word."""
