"""Pictures of feature extraction show the filters and the spikes that are there."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from small_runs import dense

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import DataError
from spikenn_cy.plots import feature_activity
from spikenn_cy.plots import filters
from spikenn_cy.plots import samples
from spikenn_cy.plots.canvas import alt_text

pytestmark = pytest.mark.quick


def labelled(figure):
    """Return whether all axes of a figure say what they measure."""
    return all(axes.get_ylabel() and (axes.get_xlabel() or axes.get_label() == "<colorbar>") for axes in figure.axes)


def weights(n_channels, n_filters=128, size=5):
    return np.random.default_rng(0).random((size, size, n_channels, n_filters), np.float32)


def drawn(figure):
    """Return the values of the image in a figure of filters."""
    return np.ma.filled(figure.axes[0].images[0].get_array().astype(float), np.nan)


def filter_at(image, number, size=5):
    top, left = number // 16 * (size + 1), number % 16 * (size + 1)
    return image[top : top + size, left : left + size]


@pytest.mark.parametrize("number", [0, 17, 127])
def test_a_filter_of_two_channels_is_shown_as_on_minus_off(number):
    given = weights(2)
    figure = filters(given)
    assert labelled(figure)
    assert drawn(figure).shape == (8 * 6 - 1, 16 * 6 - 1)
    difference = given[:, :, 0, number] - given[:, :, 1, number]
    np.testing.assert_array_equal(filter_at(drawn(figure), number), difference)
    low, high = figure.axes[0].images[0].get_clim()
    assert low == -high
    assert high == np.abs(given[:, :, 0] - given[:, :, 1]).max()


@pytest.mark.parametrize("number", [0, 17, 127])
def test_a_filter_of_six_channels_is_shown_in_colour(number):
    given = weights(6)
    figure = filters(given)
    assert labelled(figure)
    difference = given[:, :, [0, 2, 4], number] - given[:, :, [1, 3, 5], number]
    colours = (1 + difference / np.abs(difference).max()) / 2
    np.testing.assert_allclose(filter_at(drawn(figure), number), colours, atol=1e-6)


def test_a_filter_of_one_channel_is_shown_as_it_is():
    given = weights(1, n_filters=3, size=4)
    figure = filters(given)
    assert labelled(figure)
    np.testing.assert_array_equal(drawn(figure)[:, 5:9], given[:, :, 0, 1])


def test_channels_of_no_known_meaning_are_shown_side_by_side():
    given = weights(3, n_filters=7, size=4) - 0.5
    figure = filters(given)
    assert labelled(figure)
    assert drawn(figure).shape == (4 * 7 - 3, 2 * 17 - 3)
    for number in range(7):
        row, column = divmod(number, 2)
        for channel in range(3):
            left = 17 * column + 5 * channel
            shown = drawn(figure)[7 * row : 7 * row + 4, left : left + 4]
            np.testing.assert_array_equal(shown, given[:, :, channel, number])


def test_equal_weights_are_drawn_too():
    for n_channels in (1, 2, 3, 6):
        assert np.isfinite(filter_at(drawn(filters(np.zeros((5, 5, n_channels, 4)))), 0)).all()


@pytest.mark.parametrize(
    ("given", "finding"),
    [
        (np.zeros((5, 5, 2)), r"must have the shape \(k, k, D, C\), got \(5, 5, 2\)"),
        (np.zeros((5, 5, 13, 8)), "must have a D of at most 12, got 13"),
        (np.zeros((5, 5, 2, 0)), "must have no axis of length 0"),
        (np.full((5, 5, 2, 8), np.nan), "must be finite"),
        ("filters", "must be an array of numbers"),
    ],
)
def test_weights_that_are_no_filters_are_refused(given, finding):
    with pytest.raises(DataError, match=f"weights: {finding}"):
        filters(given)


def test_activity_counts_every_sample_and_every_spike():
    dataset = SpikingDataset.from_numpy(*dense(90, 0))
    figure = feature_activity(dataset)
    assert labelled(figure)
    shares, times = (axes.patches[0].get_data() for axes in figure.axes)
    assert shares.values.sum() == len(dataset)
    assert times.values.sum() * len(dataset) == pytest.approx(len(dataset.indices))
    assert (times.edges[0], times.edges[-1]) == (0, dataset.max_time)
    percent = 100 * np.diff(dataset.indptr) / dataset.n_inputs
    assert (shares.edges[0], shares.edges[-1]) == (percent.min(), percent.max())
    assert figure.axes[0].lines[0].get_xdata()[0] == percent.mean()
    assert f"{percent.mean():.1f} % of 12 features" in alt_text(figure)


@pytest.mark.filterwarnings("ignore::spikenn_cy.errors.DataWarning")
@pytest.mark.parametrize("share", [0, 1])
def test_activity_of_samples_that_are_all_alike_is_drawn(share):
    times = np.ones((5, 4)) if share == 0 else np.zeros((5, 4))
    counts = feature_activity(SpikingDataset.from_numpy(times, np.arange(5))).axes[0].patches[0].get_data().values
    assert counts.sum() == 5


def test_activity_of_nothing_is_refused():
    with pytest.raises(DataError, match="must be a SpikingDataset, got ndarray"):
        feature_activity(np.zeros((3, 3)))
    with pytest.raises(DataError, match="must hold at least one sample"):
        feature_activity(SpikingDataset.from_numpy(*dense(9, 0))[:0])


@pytest.mark.parametrize("shape", [(3, 4), (3, 2, 2)])
def test_samples_are_drawn_as_the_images_that_they_are(shape):
    dataset = SpikingDataset.from_numpy(*dense(30, 0)).reshaped(shape)
    figure = samples(dataset, [4, 29])
    images = [axes.images[0].get_array() for axes in figure.axes]
    times = dataset.to_dense()[[4, 29]].reshape(2, 3, *shape[1:])
    np.testing.assert_array_equal(images, times if len(shape) == 2 else times.min(axis=3))
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == [str(dataset.classes[dataset.labels[number]]) for number in (4, 29)]
    assert f"2 samples as images of 3 by {shape[1]} pixels" in alt_text(figure)
    assert len(samples(dataset).axes) == 10
    unlabelled = SpikingDataset.from_numpy(dense(13, 0)[0]).reshaped(shape)
    assert not any(axes.get_title() for axes in samples(unlabelled, range(13)).axes)


@pytest.mark.parametrize(
    ("numbers", "finding"),
    [
        ([0, 9], "must be from 0 to 8, got 9"),
        ([0.5], "must be from 0 to 8, got 0.5"),
        ([], "must be of 1 to 100 samples, got 0"),
        (3, "must be several numbers of samples, got 3"),
    ],
)
def test_samples_that_there_are_not_are_refused(numbers, finding):
    with pytest.raises(DataError, match=f"^numbers: {finding}"):
        samples(SpikingDataset.from_numpy(*dense(9, 0)).reshaped((3, 4)), numbers)


def test_samples_that_are_no_images_are_refused():
    with pytest.raises(DataError, match=r"input_shape: must be that of images, got \(12,\)"):
        samples(SpikingDataset.from_numpy(*dense(9, 0)))
