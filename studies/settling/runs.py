"""Write run.yaml from the winners of the search, and of those of the second registration.

python studies/settling/runs.py

The rules that settle stand beside others of the scoreboard, which the registration searched on the
same kinds with as many settings. Two of them are also run without the masks of the layers above,
in the same settings.
"""

from pathlib import Path
from typing import Any

import yaml

from synaptree.study.write import flow

HERE = Path(__file__).parent
RESULTS = HERE.parent.parent / "results"
OF_SEARCH = ("evaluations", "tests")  # what a search sets for itself
BESIDE = ("backprop", "masking", "feedback_alignment", "dfa", "clapp_pp")
WITHOUT_MASKS = ("predictive_coding", "equilibrium_propagation")
HEAD = """\
# What a long convergence buys: rules that settle, beside others of the scoreboard.
#   synaptree study run studies/settling/run.yaml --out runs/settling
# Written by runs.py from the winners of search.yaml and of ../registration-2.
seeds: 200-209
runs:
"""
Run = dict[str, Any]


def winners(search: str) -> list[Run]:
    """The best settings of each rule on each kind."""
    file = yaml.safe_load((RESULTS / search / "winners.yaml").read_text("utf-8"))
    return [{k: v for k, v in run.items() if k not in OF_SEARCH} for run in file["runs"]]


def rule(run: Run) -> Run:
    """The rule of a run, with its options."""
    return {"name": run["rule"]} if isinstance(run["rule"], str) else run["rule"]


def beside() -> list[Run]:
    """The rules to compare with, without options: masking is backprop without masks then."""
    return [
        run
        for kind in ("uniform", "deep")
        for run in winners(f"registration-2-search-{kind}")
        if run["rule"] in BESIDE
    ]


def main() -> None:
    """Write the runs, a line each."""
    settling = winners("settling-search")
    bare = [
        run | {"rule": rule(run) | {"masks": "none"}}
        for run in settling
        if rule(run)["name"] in WITHOUT_MASKS
    ]
    entries = "".join(f"  - {flow(run)}\n" for run in (*beside(), *settling, *bare))
    (HERE / "run.yaml").write_text(HEAD + entries, "utf-8")


if __name__ == "__main__":
    main()
