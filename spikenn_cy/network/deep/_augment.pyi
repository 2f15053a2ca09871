"""Types of samples as a training sees them."""

from typing import final

@final
class Augmentation:
    def __init__(self, input_shape: tuple[int, int, int], shift: int, flip: bool) -> None: ...
