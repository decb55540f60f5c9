"""How many strings two oracles need, which cluster patches level by level.

python studies/depth/oracles.py OUT.csv.gz [--seeds 200,201,…,209] [--m 3,4] [--L 2,3,4,5,6]

An oracle clusters patches by what stands beside them (`siblings`), or by the classes of the strings
in which they stand (`class`); `synaptree.grammar.oracles` says how. Every row is one grammar at one
P. Printed is P* with its interval over grammars. Rows that the file has already are not made again.
"""

import sys
from itertools import pairwise, product
from pathlib import Path

import pandas as pd
from crossover import growth, said

from synaptree import RandomHierarchyModel
from synaptree.analysis.data_curves import bounded
from synaptree.analysis.needs_by_depth import AtDepth
from synaptree.analysis.paired import Needs
from synaptree.grammar.oracles import at_sizes
from synaptree.training.solved import solved_at

SIZES = [round(2 ** (k / 2)) for k in range(10, 35)]  # 32 to 131 072, a factor of 1.4 apart
KEYS = ["oracle", "m", "L", "seed"]


def sizes(model: RandomHierarchyModel) -> list[int]:
    """Sizes up to half of all strings, as test strings are others than these."""
    return [P for P in SIZES if model.size >= 2 * P]


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


def points(table: pd.DataFrame) -> dict[str, dict[int, dict[int, AtDepth]]]:
    """P* by oracle, m and L."""
    found: dict[str, dict[int, dict[int, AtDepth]]] = {}
    for (oracle, m, L), of_kind in table.groupby(["oracle", "m", "L"]):
        # A grammar that stopped early is solved at the larger sizes, too.
        errors = of_kind.pivot_table(index="seed", columns="P", values="test_error").ffill(axis=1)
        needs = Needs.of(tuple(errors.columns), errors.to_numpy(float), solved_at(8))
        found.setdefault(oracle, {}).setdefault(m, {})[L] = AtDepth(
            label=oracle,
            rule=oracle,
            words="",
            views=(),
            kind={"v": 8, "n": 8, "m": m, "s": 2, "L": L},
            depth=L,
            needs=needs,
            sizes=needs.sizes,
            seeds=tuple(errors.index),
            fresh=None,
        )
    return found


def main() -> None:
    """Measure and print; rows are kept in the file that is named first."""
    words = sys.argv[1:]
    if not words:
        raise SystemExit(__doc__)
    seeds = ",".join(map(str, range(200, 210)))
    options = {"--seeds": seeds, "--m": "3,4", "--L": "2,3,4,5,6"} | dict(pairwise(words))
    asked = [[int(x) for x in options[name].split(",")] for name in ("--m", "--L", "--seeds")]
    out = Path(words[0])
    table = pd.read_csv(out) if out.exists() else pd.DataFrame(columns=KEYS)
    for oracle, (m, L, seed) in product(("siblings", "class"), product(*asked)):
        here = table[KEYS].eq([oracle, m, L, seed]).all(axis=1)
        if not here.any():
            new = rows(oracle, m, L, seed)
            table = pd.concat([table, new]) if len(table) else new
            table.to_csv(out, index=False)
    for oracle, by_m in points(table).items():
        for m, own in by_m.items():
            P = {f"L={L}": said(at.estimate, at.sizes[-1]) for L, at in own.items()}
            print(f"{oracle}, m={m}", P, "a level: ×", bounded(*growth(own), digits=2))


if __name__ == "__main__":
    main()
