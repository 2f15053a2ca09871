"""Networks in whole numbers: quantised weights, thresholds and spike times, which decide alike in Python and in C."""
