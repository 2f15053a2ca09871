"""SoftHebb in plain NumPy and double precision, written to be read: position by position, as the paper states it."""

import numpy as np


def padded(maps, border):
    return np.pad(maps, ((0, 0), (0, 0), (border, border), (border, border)), mode="reflect")


def convolved(x, weights):
    """Cross-correlation; x is padded already, (n, channels, rows, columns)."""
    n, _, rows, columns = x.shape
    filters, _, kernel, _ = weights.shape
    u = np.zeros((n, filters, rows - kernel + 1, columns - kernel + 1))
    for row in range(u.shape[2]):
        for column in range(u.shape[3]):
            patch = x[:, :, row : row + kernel, column : column + kernel]
            u[:, :, row, column] = np.einsum("bikl,cikl->bc", patch, weights)
    return u


def triangle(u, power):
    return np.maximum(0, u - u.mean(axis=1, keepdims=True)) ** power


def pooled(z, kind, size, stride, pad):
    n, channels, rows, columns = z.shape
    shape = [(length + 2 * pad - size) // stride + 1 for length in (rows, columns)]
    out = np.zeros((n, channels, *shape))
    for row in range(shape[0]):
        for column in range(shape[1]):
            top, left = row * stride - pad, column * stride - pad
            window = z[:, :, max(0, top) : top + size, max(0, left) : left + size]
            out[:, :, row, column] = (window.max if kind == "max" else window.mean)(axis=(2, 3))
    return out


def change(x, u, weights, inverse_temperature):
    """The normalised change of a layer's weights."""
    e = np.exp(inverse_temperature * (u - u.max(axis=1, keepdims=True)))
    s = e / e.sum(axis=1, keepdims=True)
    won = np.arange(u.shape[1])[None, :, None, None] == u.argmax(axis=1)[:, None]
    y = np.where(won, s, -s)
    kernel = weights.shape[2]
    dw = np.zeros_like(weights)
    for row in range(u.shape[2]):
        for column in range(u.shape[3]):
            patch = x[:, :, row : row + kernel, column : column + kernel]
            dw += np.einsum("bc,bikl->cikl", y[:, :, row, column], patch)
    dw -= (y * u).sum(axis=(0, 2, 3))[:, None, None, None] * weights
    return dw / (np.abs(dw).max() + 1e-30)


def rates(weights, learning_rate):
    norms = np.sqrt((weights**2).sum(axis=(1, 2, 3)))
    return learning_rate * (np.abs(norms - 1) + 1e-10) ** 0.5


class Network:
    """``blocks`` are dictionaries of settings, ``weights`` a list of arrays (filters, channels, kernel, kernel)."""

    def __init__(self, blocks, weights):
        self.blocks = blocks
        self.weights = [np.array(w, np.float64) for w in weights]
        self.means = [np.zeros(w.shape[1]) for w in weights]
        self.variances = [np.ones(w.shape[1]) for w in weights]
        self.rates = [rates(w, block["learning_rate"]) for w, block in zip(self.weights, blocks, strict=True)]

    def learn(self, images):
        """One mini-batch: forward through all blocks, then all weights, then all rates."""
        maps, changes = images.transpose(0, 3, 1, 2) / 255, []
        for k, block in enumerate(self.blocks):
            n = maps.size // maps.shape[1]
            mean, variance = maps.mean(axis=(0, 2, 3)), maps.var(axis=(0, 2, 3))
            self.means[k] = 0.9 * self.means[k] + 0.1 * mean
            self.variances[k] = 0.9 * self.variances[k] + 0.1 * variance * n / (n - 1)
            x, u, maps = self.forward(k, maps, mean, variance)
            changes.append(change(x, u, self.weights[k], block["inverse_temperature"]))
        for k, dw in enumerate(changes):
            self.weights[k] = self.weights[k] + self.rates[k][:, None, None, None] * dw
        for k, block in enumerate(self.blocks):
            self.rates[k] = rates(self.weights[k], block["learning_rate"])

    def features(self, images):
        maps = images.transpose(0, 3, 1, 2) / 255
        for k in range(len(self.blocks)):
            _, _, maps = self.forward(k, maps, self.means[k], self.variances[k])
        return maps.reshape(len(images), -1)

    def forward(self, k, maps, mean, variance):
        """Return padded input, potentials and output of a block."""
        block = self.blocks[k]
        column = (slice(None), None, None)
        x = padded((maps - mean[column]) / np.sqrt(variance[column] + 1e-5), block["kernel"] // 2)
        u = convolved(x, self.weights[k])
        window = block["pool"], block["pool_size"], block["pool_stride"], block["pool_pad"]
        return x, u, pooled(triangle(u, block["power"]), *window)


def times(features):
    return 1 - features / features.max(axis=1, keepdims=True)
