"""Handwritten digits that come with scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Digits(NamedTuple):
    """Images of handwritten digits and what they show.

    Attributes
    ----------
    images : float64 array of shape (n_images, 8, 8)
        Ink in each cell: how many of its 4 × 4 pixels are black, from 0 to 16.
    labels : int64 array of shape (n_images,)
        The digit, from 0 to 9.
    """

    images: NDArray[np.float64]
    labels: NDArray[np.int64]


def digits() -> Digits:
    """The digits of `sklearn.datasets.load_digits`, as arrays.

    Examples
    --------
    >>> images, labels = digits()
    >>> images.shape, float(images.max()), sorted(set(labels.tolist()))
    ((1797, 8, 8), 16.0, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    from sklearn.datasets import load_digits

    bunch: Any = load_digits()
    return Digits(bunch.images, bunch.target.astype("int64"))
