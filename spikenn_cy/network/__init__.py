"""The network: layers, how they learn and decide, and `Readout`, which users meet."""
