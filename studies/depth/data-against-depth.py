"""Draw P* against the number of levels left to learn, from results in several folders.

python studies/depth/data-against-depth.py OUT FOLDER [FOLDER …]

One folder has the untrained networks (`run-untrained.yaml`), which say how deep each kind is; the
others have P* and runs on fresh strings. Without untrained networks, or where those of a kind are
missing, P* is drawn against L. Writes OUT.csv and OUT.svg.
"""

import sys
from pathlib import Path

import pandas as pd

from synaptree import load
from synaptree.report.figures.data_against_depth import FIGURE
from synaptree.report.inputs import Inputs


def main() -> None:
    """Draw what the folders hold together."""
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    out = Path(sys.argv[1])
    frames = [load(folder) for folder in sys.argv[2:]]
    table = FIGURE.data(Inputs.of(pd.concat(frames, ignore_index=True), {}))
    if table is None:
        raise SystemExit("nothing to draw: fewer than two depths")
    out.with_suffix(".csv").write_text(table.to_csv(index=False))
    out.with_suffix(".svg").write_text(FIGURE.svg(table))


if __name__ == "__main__":
    main()
