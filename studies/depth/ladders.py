"""Write the runs of this study from the winners of its searches.

python studies/depth/ladders.py [RESULTS]

RESULTS (by default results/) has the folders of the searches, as `python tools/keep.py NAME` keeps
them. What a search has not finished yet is left out, and said. `PARTS` below says which winners are
run on which grammars and sizes; their settings are unchanged but for what a part changes.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from synaptree.report.words import listed
from synaptree.study.write import flow

HERE = Path(__file__).parent
FOLDER = "studies/depth"
Fields = dict[str, Any]
OF_SEARCH = ("evaluations", "tests", "P")
OF_KIND = ("m", "L", "batch")  # what backprop's recipe takes from a kind
# Backprop as the RHM's authors train it, see studies/backprop-reference.
AUTHORS: Fields = {
    "rule": "backprop",
    "parametrisation": "mean_field",
    "optimizer": "sgd",
    "lr": 0.1,
    "steps": 20000,
    "stop_loss": 0.001,
    "width": 64,
    "v": 8,
    "n": 8,
}
DIRECT = ("backprop", "dfa")
LONG = {"L3-long": [128, 65536], **{f"L{L}-long": [512, 131072] for L in (4, 5, 6)}}


@dataclass(frozen=True)
class Part:
    """A study file with the winners of one search, or of several, as ``L2 L3``.

    title: its first line.  needs: whether P* is sought between the ends of `sizes`, with the
    winners of all searches; otherwise all sizes are run, and of two winners of a rule on a kind
    the later search's counts.  sizes: for each kind of the searches that is run.  only: names of
    the rules; empty: all.  change: fields in place of the winners' own.  authors: whether backprop
    is also trained as the RHM's authors do.  save: whether the trained networks are kept.
    """

    name: str
    title: str
    search: str
    sizes: Mapping[str, list[int]]
    seeds: str = "200-209"
    needs: bool = False
    only: tuple[str, ...] = ()
    change: Fields = field(default_factory=dict[str, Any])
    authors: bool = False
    save: bool = False

    @property
    def searches(self) -> list[str]:
        """The names of its searches."""
        return self.search.split()

    @property
    def command(self) -> str:
        """The command that runs it."""
        save = " --save" if self.save else ""
        do = "needs" if self.needs else "run"
        file, out = f"{FOLDER}/run-{self.name}.yaml", f"runs/depth-{self.name}"
        return f"synaptree study {do} {file} --out {out}{save}"


PARTS = (
    Part(
        "needs", "P* of backprop, in both forms, and of the layerwise rules.",
        "L2 L3 L4 L5 L6 backprop close",
        {
            "L2m3": [45, 181], "L2m4": [45, 362], "L3m3": [160, 4096], "L3m4": [160, 8192],
            "L4m3": [160, 8192], "L4m4": [160, 32768], "L5m4": [256, 65536],
            "L6m4": [512, 131072], "L5m4-less": [256, 65536], "L6m4-long": [512, 131072],
        }, needs=True, authors=True,
    ),
    Part(
        "needs-L7", "The same at L=7.", "L7", {"L7m4": [1024, 131072]}, "200-204", needs=True,
        authors=True,
    ),
    Part(
        "needs-contexts", "P* of CLAPP++ with the context of the top layer alone.", "contexts",
        {"L5m4": [256, 65536]}, "200-204", needs=True,
    ),
    Part(
        "turns", "Layers learn together, or one after the other: does P* depend on it, or time?",
        "L5 close", {"L5m4": [2048, 4096, 8192]}, "200-204", only=("clapp", "lpl"),
        change={"schedule": ["together", "sequential", "plateau"]},
    ),
    Part(
        "needs-appetite", "P* of rules with an output error by depth, with 12000 steps.",
        "appetite", LONG, "200-204", needs=True,
    ),
    Part(
        "needs-longer", "P* of backprop with 12000 steps on ten grammars, in the same settings.",
        "appetite", LONG, needs=True, only=("backprop",),
    ),
    Part(
        "fresh", "The same on fresh strings: each of 1 536 000 strings is seen once.", "appetite",
        {f"L{L}-long": [1_536_000] for L in (4, 5, 6)}, "200-204",
    ),
    Part(
        "no-labels", "No label below the readout: networks for the map over strings and labels.",
        "no-labels",
        {"L4m4": [2**k for k in range(9, 16)], "L4m6": [2**k for k in range(12, 18)]},
        "200-204", save=True,
    ),
    Part(
        "width", "How much depends on the width.", "L4 close", {"L4m4": [4096]}, "200-201",
        only=("backprop", "clapp", "lpl"), change={"width": [16, 32, 64, 128, 256, 512]},
    ),
    Part(
        "width-direct", "How much depends on the width: direct feedback.", "appetite",
        {"L4-short": [131072]}, "200-202", only=DIRECT, change={"width": [16, 32, 64, 128, 256]},
    ),
    Part(
        "connectivity", "How much depends on shared weights, and on patches.", "L4 close",
        {"L4m4": [2048, 8192]}, "200-202", only=("backprop", "clapp", "lpl"),
        change={"connectivity": ["shared", "local", "full"]},
    ),
    Part(
        "three-children", "The same with s=3.", "L4 close", {"L4m4": [1024, 4096]}, "200-202",
        only=("backprop", "clapp", "lpl"), change={"s": 3, "L": 3, "views": "sibling,same_class"},
    ),
    Part(
        "sixteen-features", "The same with v=n=16.", "L4 close", {"L4m4": [4096, 16384]}, "200-202",
        only=("backprop", "clapp", "lpl"), change={"v": 16, "n": 16},
    ),
)  # fmt: skip


def entries(part: Part, winners: Mapping[str, Any]) -> Iterator[tuple[str, Fields]]:
    """The runs of a part, each with its rule and kind, from what the winners.yaml of one of its
    searches says."""
    runs, facts = winners["runs"], winners["anchors"]["winners"]
    for run, fact in zip(runs, facts, strict=True):
        name = run["rule"] if isinstance(run["rule"], str) else run["rule"]["name"]
        if fact["kind"] not in part.sizes or (part.only and name not in part.only):
            continue
        own = {key: value for key, value in run.items() if key not in OF_SEARCH}
        change = {k: v for k, v in part.change.items() if k != "views" or "views" in run}
        yield f"{fact['rule']} {fact['kind']}", own | change | {"P": part.sizes[fact["kind"]]}
    if part.authors:
        first = {fact["kind"]: run for run, fact in reversed([*zip(runs, facts, strict=True)])}
        for kind, sizes in part.sizes.items():
            if kind in first:
                grammar = {key: first[kind][key] for key in OF_KIND if key in first[kind]}
                yield f"authors {kind}", AUTHORS | grammar | {"P": sizes}


def text(part: Part, winners: Mapping[str, Any]) -> str:
    """The study file of a part, from the winners of its searches, by their names."""
    searches = listed([f"search-{name}.yaml" for name in winners])
    head = f"# {part.title}\n#   {part.command}\n# Written by ladders.py from the winners of "
    head += f"{searches}.\nseeds: {part.seeds}\nruns:\n"
    each = [pair for found in winners.values() for pair in entries(part, found)]
    chosen = [entry for _, entry in each] if part.needs else dict(each).values()
    once = dict.fromkeys(map(flow, chosen))  # two searches may have a kind in common
    return head + "".join(f"  - {line}\n" for line in once)


def main() -> None:
    """Write run-NAME.yaml for each part with a search that is finished."""
    results = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent.parent / "results"
    for part in PARTS:
        found = {name: results / f"depth-search-{name}" / "winners.yaml" for name in part.searches}
        there = {
            name: yaml.safe_load(path.read_text("utf-8"))
            for name, path in found.items()
            if path.exists()
        }
        for name in found.keys() - there.keys():
            print(f"{part.name}: waits for the winners of search-{name}.yaml")
        if there:
            path = HERE / f"run-{part.name}.yaml"
            path.write_text(text(part, there), "utf-8")
            print(f"{part.name}: {path.name}")


if __name__ == "__main__":
    main()
