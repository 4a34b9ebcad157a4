"""One random stream for each purpose; the seed belongs to the run, never to the library."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # torch takes seconds to import, and numpy a tenth of one
    import numpy as np
    import torch


def stream_seed(seed: int, stream: str) -> int:
    """A 63-bit number that depends on the seed and on the name of the stream, on every machine.

    Examples
    --------
    >>> stream_seed(0, "init") == stream_seed(0, "init")
    True
    >>> stream_seed(0, "init") == stream_seed(0, "data")
    False
    """
    digest = hashlib.blake2b(f"{seed}/{stream}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1  # 63 bits: torch's manual_seed takes an int64


def generator(seed: int, stream: str) -> torch.Generator:
    """A torch random stream of its own: draws from `"init"` never move those of `"data"`.

    Parameters
    ----------
    seed : int
        The replicate: another seed is another run of the same experiment.
    stream : str
        What the numbers are for, for example `"init"`, `"data"` or `"sample"`.

    Examples
    --------
    >>> import torch
    >>> data = generator(0, "data")
    >>> first = torch.rand(3, generator=data)
    >>> bool((first == torch.rand(3, generator=generator(0, "data"))).all())
    True
    """
    import torch

    return torch.Generator().manual_seed(stream_seed(seed, stream))


def rng(seed: int, stream: str) -> np.random.Generator:
    """The same for numpy.

    Examples
    --------
    >>> float(rng(0, "data").random()) == float(rng(0, "data").random())
    True
    """
    import numpy as np

    return np.random.default_rng(stream_seed(seed, stream))
