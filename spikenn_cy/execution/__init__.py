"""Jobs done by processes on this machine or on a cluster, none of which is lost without a word."""
