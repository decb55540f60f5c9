"""The report: figures from the frame of results, and one self-contained page around them."""

import os
import sys
from contextlib import suppress

# matplotlib does not load where MPLBACKEND names a backend that it lacks; the report needs none.
if "matplotlib" not in sys.modules and "MPLBACKEND" in os.environ:
    _theirs = os.environ.pop("MPLBACKEND")
    import matplotlib

    os.environ["MPLBACKEND"] = _theirs
    with suppress(ValueError):
        matplotlib.rcParams["backend"] = _theirs
