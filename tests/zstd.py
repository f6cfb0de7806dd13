"""A zstd compressor for tests: the standard library's, or the one that the extra "zstd" installs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

compress: Callable[[bytes], bytes]
if sys.version_info >= (3, 14):
    from compression import zstd as _zstd
else:
    from backports import zstd as _zstd

compress = _zstd.compress
