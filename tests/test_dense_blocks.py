"""Dense times may come block by block: the data set is the one that they would make together."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import DataError

pytestmark = pytest.mark.quick


@pytest.mark.filterwarnings("ignore::spikenn_cy.errors.DataWarning")
def test_a_data_set_of_blocks_is_that_of_their_rows_together():
    X = np.random.default_rng(0).random((9, 3, 4)) * 2
    y = list("abcabcabc")
    whole = SpikingDataset.from_numpy(X, y)
    for cuts in ([], [4], [0, 3, 3, 8]):
        parts = SpikingDataset.from_blocks(iter(np.split(X, cuts)), y)
        for name in ("indptr", "indices", "timestamps", "labels", "classes"):
            assert_array_equal(getattr(parts, name), getattr(whole, name))


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(2, 3)], "X: must have 4 samples, one a label, got 2"),
        ([(2, 3), (3, 3)], "X: must have 4 samples, one a label, got 5"),
        ([(2, 3), (2, 4)], "X: must have samples of shape (3,), got (4,)"),
        ([], "X: must have 4 samples, one a label, got 0"),
    ],
)
def test_blocks_that_do_not_go_together_are_refused(shapes, message):
    with pytest.raises(DataError) as caught:
        SpikingDataset.from_blocks((np.zeros(shape) for shape in shapes), [0, 1, 2, 3])
    assert str(caught.value) == message


def test_a_wrong_time_in_a_block_is_told_with_its_place():
    blocks = [np.zeros((2, 3)), np.zeros((2, 3))]
    blocks[1][0, 1] = -1
    with pytest.raises(DataError, match=r"^X\[2, 1\]: a time must be a number >= 0, got -1\.0$"):
        SpikingDataset.from_blocks(blocks, [0, 1, 2, 3])
