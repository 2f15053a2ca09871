"""Type of memory that grows, a read-only buffer from outside."""

import sys
from typing import final

@final
class Block:
    if sys.version_info >= (3, 12):
        def __buffer__(self, flags: int, /) -> memoryview: ...
