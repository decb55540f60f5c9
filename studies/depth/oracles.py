"""How many strings two oracles need, which cluster patches level by level, beside the laws.

python studies/depth/oracles.py OUT.csv [--seeds 0,1,2,3] [--m 3,4] [--L 2,3,4,5,6]

An oracle clusters patches by what stands beside them (`siblings`), or by the classes of the strings
in which they stand (`class`); `synaptree.grammar.oracles` says how. Every row is one grammar at one
P. Printed are P* with its interval over grammars, and two laws. Rows that the file has already are
not made again.
"""

import sys
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pandas as pd

from synaptree import RandomHierarchyModel
from synaptree.analysis.sample_complexity import sample_complexity
from synaptree.grammar.exact import predicted_sample_complexity
from synaptree.grammar.oracles import at_sizes
from synaptree.training.solved import solved_at

LEAST, MOST = 2**6, 2**17
KEYS = ["oracle", "m", "L", "seed"]


def sizes(model: RandomHierarchyModel) -> list[int]:
    """Powers of two up to half of all strings."""
    return [P for P in 2 ** np.arange(6, 18) if LEAST <= P <= min(MOST, model.size // 2)]


def rows(oracle: str, m: int, L: int, seed: int) -> pd.DataFrame:
    """The errors of an oracle on one grammar, up to two sizes beyond the first that it solves."""
    model = RandomHierarchyModel(8, 8, m, 2, L, seed)
    found: list[dict[str, object]] = []
    for P in sizes(model):
        (learned,) = at_sizes(model, [P], seed, oracle)
        levels = {f"level_{l}": share for l, share in enumerate(learned.accuracy, 1)}
        found.append({"P": P, "test_error": learned.error, **levels})
        solved = [each["test_error"] <= solved_at(8) / 4 for each in found[-3:]]
        if len(solved) == 3 and all(solved):
            break
    return pd.DataFrame(found).assign(oracle=oracle, m=m, L=L, seed=seed)


def needed(table: pd.DataFrame) -> pd.DataFrame:
    """P* of each oracle on each kind, beside the laws."""
    made: list[dict[str, object]] = []
    for (oracle, m, L), of_kind in table.groupby(["oracle", "m", "L"]):
        # A grammar that stopped early is solved at the larger sizes, too.
        errors = of_kind.pivot_table(index="seed", columns="P", values="test_error").ffill(axis=1)
        each = [row[None] for row in errors.to_numpy(float)]
        P = sample_complexity(list(errors.columns), each, solved_at(8))
        law = predicted_sample_complexity(8, 8, m, 2, L)
        made.append(
            {
                "oracle": oracle,
                "m": m,
                "L": L,
                "grammars": len(each),
                "P*": P.value,
                "low": P.low,
                "high": P.high,
                "at_most": P.below,
                "n·m**L": law.supervised,
                "v·m³/(1-m/v)": law.latent_from_siblings,
            }
        )
    return pd.DataFrame(made)


def main() -> None:
    """Measure and print; rows are kept in the file that is named first."""
    words = sys.argv[1:]
    if not words:
        raise SystemExit(__doc__)
    options = {"--seeds": "0,1,2,3", "--m": "3,4", "--L": "2,3,4,5,6"} | dict(pairwise(words))
    asked = [[int(x) for x in options[name].split(",")] for name in ("--m", "--L", "--seeds")]
    out = Path(words[0])
    table = pd.read_csv(out) if out.exists() else pd.DataFrame(columns=KEYS)
    for oracle, (m, L, seed) in product(("siblings", "class"), product(*asked)):
        here = table[KEYS].eq([oracle, m, L, seed]).all(axis=1)
        if not here.any():
            new = rows(oracle, m, L, seed)
            table = pd.concat([table, new]) if len(table) else new
            table.to_csv(out, index=False)
    print(needed(table).to_string(index=False, float_format="{:.4g}".format))


if __name__ == "__main__":
    main()
