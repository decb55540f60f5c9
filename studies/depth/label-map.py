"""Error over unlabelled strings × labels, of the networks that a study has saved.

python studies/depth/label-map.py FOLDER OUT [SUPERVISED]

FOLDER has the networks of `synaptree study run --save`, SUPERVISED the results of rules that know
all labels; those on the same kinds and grammars are drawn, without the recipe of the RHM's authors.
Writes OUT.csv.gz (a row a readout) and OUT.svg, and prints how many labels are needed.
"""

import sys
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from synaptree import label_map, load
from synaptree.analysis.label_map import labels_needed
from synaptree.report.label_map import draw, table
from synaptree.report.svg import svg
from synaptree.results.columns import GRAMMAR
from synaptree.training.process import prepare


def drawn(rows: pd.DataFrame, supervised: str | Path | None) -> str:
    """The figure of the readouts in rows, beside the supervised runs of a folder on the same kinds
    and grammars, without the recipe of the RHM's authors."""
    beside = None
    if supervised is not None:
        frame = load(supervised, curves=False)
        same = rows[[*GRAMMAR, "seed"]].drop_duplicates()
        beside = frame[~frame["stop_loss"].gt(0)].merge(same)
    return svg(draw(table(rows, beside)), "label_map")


def main() -> None:
    """Measure, draw and print."""
    if len(sys.argv) not in (3, 4):
        raise SystemExit(__doc__)
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    prepare()
    rows = pd.DataFrame(map(asdict, label_map(folder)))
    rows.to_csv(out.with_suffix(".csv.gz"), index=False, compression={"method": "gzip", "mtime": 0})
    supervised = sys.argv[3] if len(sys.argv) == 4 else None
    out.with_suffix(".svg").write_text(drawn(rows, supervised))
    print(labels_needed(rows).to_string(index=False))


if __name__ == "__main__":
    main()
