"""Write run.yaml and run-*.yaml from the winners of the searches whose results are kept.

python studies/settling/runs.py

In run.yaml the rules that settle stand beside others of the scoreboard, which the registration
searched on the same kinds with as many settings. Two of them are also run without the masks of the
layers above, in the same settings. The other files have the winners of one search each.
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
# {title}
#   synaptree study run studies/settling/{file}.yaml --out runs/{out}
# Written by runs.py from the winners of {sources}.
seeds: 200-209
runs:
"""
TITLE = "What a long convergence buys: rules that settle, beside others of the scoreboard."
MORE = {  # further searches, and what their winners are run for
    "masks": "Equilibrium propagation without the masks of the layers above, with a weak label.",
    "deeper": "Rules that settle on the deeper kind, where backprop without masks fails.",
}
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


def write(file: str, title: str, sources: str, runs: list[Run]) -> None:
    """Write a study file, a line for each run."""
    head = HEAD.format(title=title, file=file, sources=sources, out=file.replace("run", "settling"))
    (HERE / f"{file}.yaml").write_text(head + "".join(f"  - {flow(r)}\n" for r in runs), "utf-8")


def main() -> None:
    """Write the files."""
    settling = winners("settling-search")
    bare = [
        run | {"rule": rule(run) | {"masks": "none"}}
        for run in settling
        if rule(run)["name"] in WITHOUT_MASKS
    ]
    sources = "search.yaml and of ../registration-2"
    write("run", TITLE, sources, [*beside(), *settling, *bare])
    for name, title in MORE.items():
        if (RESULTS / f"settling-search-{name}").exists():
            found = winners(f"settling-search-{name}")
            write(f"run-{name}", title, f"search-{name}.yaml", found)


if __name__ == "__main__":
    main()
