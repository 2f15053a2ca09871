"""NumPy twins of the C element types in ``types.pxd``, so that Python and Cython name them alike."""

import numpy as np

REAL = np.dtype(np.float32)  # synaptic weights, thresholds, potentials, errors
STAMP = np.dtype(np.float32)  # spike times, in the data set's unit of time
INDEX = np.dtype(np.int32)  # inputs, neurons, classes
OFFSET = np.dtype(np.int64)  # positions in the spike arrays
FLAG = np.dtype(np.uint8)  # 0/1 masks
