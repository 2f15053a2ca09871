"""Features of images and the learning of their filters."""


def digits(n_images):
    """Return so many 28 x 28 images: the bundled digits, three times as large, with a margin."""
    import numpy as np

    from spikenn_cy.demo import load_digits

    small, _ = load_digits()
    large = np.kron(small * np.uint8(15), np.ones((1, 3, 3), np.uint8))
    return np.resize(np.pad(large, ((0, 0), (2, 2), (2, 2))), (n_images, 28, 28))


class STDPCSNN:
    """The published layer for MNIST, 128 filters of 5 x 5; cost should be linear in ``n_images``.

    An epoch looks at one position of each image and a transform at 576, so an epoch should
    cost a few hundredths of a transform.
    """

    params = ([250, 1_000],)
    param_names = ("n_images",)
    timeout = 120

    def setup(self, n_images):
        from spikenn_cy.features import STDPCSNN

        self.images = digits(n_images)
        self.extractor = STDPCSNN.from_config({"conv1_epochs": 20}).fit(self.images)
        self.times = self.extractor.input_times(self.images)
        self.learner = STDPCSNN.from_config({"conv1_epochs": 10})

    def time_transform(self, n_images):
        self.extractor.transform(self.images)

    def time_input_times(self, n_images):
        self.extractor.input_times(self.images)

    def time_feature_times(self, n_images):
        self.extractor.feature_times(self.times)

    def time_ten_epochs(self, n_images):
        self.learner.fit(self.images)

    def track_active(self, n_images):
        dataset = self.extractor.transform(self.images)
        return len(dataset.indices) / (n_images * dataset.n_inputs)

    track_active.unit = "share of features"
