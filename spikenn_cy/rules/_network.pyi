"""Types of what a rule that trains every layer answers."""

class NetworkRule:
    runs_to_end: bool

    def __init__(self, n_classes: int, n_per_class: int, max_time: float) -> None: ...
