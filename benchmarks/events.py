"""Recordings of event cameras made into data sets."""

import numpy as np


class Events:
    """One pass: linear in ``n_events``, whatever they are cut into, until a recording is a handful of events."""

    params = ([1_000_000, 10_000_000], [4_000, 1_000_000], ["N-MNIST", "640 x 480"])
    param_names = ("n_events", "events_a_recording", "sensor")
    timeout = 300

    def setup(self, n_events, events_a_recording, sensor):
        from spikenn_cy import SpikingDataset

        self.make = SpikingDataset.from_events
        generator = np.random.default_rng(0)
        width, height = {"N-MNIST": (34, 34), "640 x 480": (640, 480)}[sensor]
        x = generator.integers(width, size=n_events, dtype=np.int16)
        y = generator.integers(height, size=n_events, dtype=np.int16)
        polarity = generator.integers(2, size=n_events, dtype=np.int8)
        t = np.arange(n_events)
        offsets = np.arange(0, n_events + 1, events_a_recording)
        self.events = x, y, polarity, t, offsets, np.arange(len(offsets) - 1) % 10
        self.options = {"sensor_size": (width, height), "duration": events_a_recording}

    def time_from_events(self, n_events, events_a_recording, sensor):
        self.make(*self.events, **self.options)
