"""The command line. Thin: each command turns its words into a call, and prints what comes back.

Nothing heavy is imported before a command runs, so that help answers at once.
"""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from synaptree.errors import SynaptreeError

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from synaptree.grammar.rhm import RandomHierarchyModel
    from synaptree.spec import RunSpec
    from synaptree.study.claims import Outcome

app = typer.Typer(
    name="synaptree",
    help="Which learning rules find the hidden hierarchy of high-dimensional data, and what must "
    "each synapse know for it?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
grammar_app = typer.Typer(help="Show a Random Hierarchy Model.", no_args_is_help=True)
app.add_typer(grammar_app, name="grammar")
study_app = typer.Typer(
    help="Run many runs from a file; see docs/studies.md.", no_args_is_help=True
)
app.add_typer(study_app, name="study")

V = Annotated[int, typer.Option("--v", help="Vocabulary size of every level below the class.")]
N = Annotated[int, typer.Option("--n", help="Number of classes.")]
M = Annotated[int, typer.Option("--m", help="Production rules (synonyms) per feature.")]
S = Annotated[int, typer.Option("--s", help="Tuple size.")]
DEPTH = Annotated[int, typer.Option("--L", help="Depth; strings have s**L tokens.")]
SEED = Annotated[int, typer.Option("--seed", help="Seed of the grammar (and of all else).")]
AS_JSON = Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")]
WORKERS = Annotated[
    int | None, typer.Option(help="Worker processes.  [default: one a core]", min=1)
]
SCHEDULER = Annotated[
    str | None,
    typer.Option(help="A running Dask cluster, as tcp://host:8786.  [default: workers of its own]"),
]
DEVICE = Annotated[str, typer.Option(help="cpu or cuda.")]
DRY_RUN = Annotated[
    bool, typer.Option("--dry-run", help="Only say what would be run, and for how long.")
]


def main() -> None:
    """The entry point: a user's mistake is one line and exit code 2, never a traceback."""
    try:
        code = app(standalone_mode=False)
    except SynaptreeError as fault:
        _fail(str(fault))
    except typer.TyperException as fault:
        # No arguments at all: typer has already printed the help, and there is no message.
        _fail(fault.format_message().replace("\n", " "))
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except BrokenPipeError:
        # The reader went away (| head): nothing is left to say, nor to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    if code == 130:  # typer turns Ctrl-C into this code
        print("synaptree: stopped; what was finished is kept", file=sys.stderr)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str) -> NoReturn:
    for line in message.splitlines():
        print(f"synaptree: {line}", file=sys.stderr)
    sys.exit(2)


def _console(stderr: bool = False) -> "Console":
    from rich.console import Console

    return Console(stderr=stderr)


@app.command()
def reproduce(
    preset: Annotated[
        str,
        typer.Option(
            help="quick: at most 10 minutes on 2 cores; laptop: 3 hours; full: a GPU or a cluster."
        ),
    ] = "quick",
    out: Annotated[
        Path | None, typer.Option(help="Folder for results.  [default: runs/PRESET]")
    ] = None,
    workers: WORKERS = None,
    scheduler: SCHEDULER = None,
    dry_run: DRY_RUN = False,
    device: DEVICE = "cpu",
) -> None:
    """Train every rule of a preset, judge the study's claims, and write the report.

    Started again on the same folder, it goes on with the runs that are missing.
    """
    from synaptree.study.presets import preset as load_preset

    specs = load_preset(preset)
    folder = out or Path("runs") / preset
    if dry_run:
        _foretell(specs, folder, (1, 1), False, workers, device)
        return
    _check(folder, device)
    console = _console()
    failed = _run(specs, folder, _shard(None), False, workers, scheduler, device, console)
    _conclude(folder, console, {spec.run_id for spec in specs})
    if failed:
        raise SynaptreeError(f"{failed} runs failed; the report names their errors")


def _run(
    specs: "list[RunSpec]",
    folder: Path,
    share: tuple[int, int],
    failed_too: bool,
    workers: int | None,
    scheduler: str | None,
    device: str,
    console: "Console",
) -> int:
    """Run what is missing, alone in the folder; returns how many runs failed.

    failed_too: runs that failed before count as being there.
    """
    from synaptree.study.lock import hold
    from synaptree.study.plan import done_in, plan
    from synaptree.study.progress import Live

    with hold(folder, *share):
        programs = plan(specs, done_in(folder, failed_too), device)
        if kept := len(specs) - sum(map(len, programs)):
            _say(f"{kept} of {len(specs)} runs are there already in {folder}, going on")
        if not programs:
            return 0
        from synaptree.study.engine import run

        with Live(programs, console) as live:
            return run(
                *(programs, folder),
                workers=workers or _cores(),
                scheduler=scheduler,
                device=device,
                tell=live,
                say=live.note,
            )


@study_app.command("run")
def study_run(
    file: Annotated[Path, typer.Argument(help="A study file (YAML).")],
    out: Annotated[Path, typer.Option(help="Folder for results.")],
    workers: WORKERS = None,
    scheduler: SCHEDULER = None,
    shard: Annotated[
        str | None, typer.Option(help="i/n: this driver's share of n, for job arrays.")
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Run failed runs again.")] = False,
    dry_run: DRY_RUN = False,
    device: DEVICE = "cpu",
) -> None:
    """Run a study; started again on the same folder, go on with the runs that are missing."""
    from synaptree.study.files import read_study
    from synaptree.study.plan import plan
    from synaptree.study.plan import shard as share

    specs = read_study(file)
    part, parts = _shard(shard)
    if dry_run:
        _foretell(specs, out, (part, parts), not retry, workers, device)
        return
    mine = [s for p in share(plan(specs, set(), device), part, parts) for s in p]
    _check(out, device)
    (out / "study.yaml").write_text(file.read_text("utf-8"), encoding="utf-8")
    failed = _run(mine, out, (part, parts), not retry, workers, scheduler, device, _console())
    _print_status(out)
    if failed:
        raise SynaptreeError(f"{failed} runs failed; `synaptree study status {out}` names them")


def _foretell(
    specs: "list[RunSpec]",
    folder: Path,
    part: tuple[int, int],
    failed_too: bool,
    workers: int | None,
    device: str,
) -> None:
    """Say what is left to run, how long it will take and in how much memory."""
    from synaptree.study.plan import done_in, plan, replica_bytes, seconds_left, shard
    from synaptree.study.progress import duration

    mine = [s for p in shard(plan(specs, set(), device), *part) for s in p]
    programs = plan(mine, done_in(folder, failed_too), device)
    count = workers or _cores()
    seconds = seconds_left(programs, device) / min(count, max(len(programs), 1))
    largest = max((len(p) * replica_bytes(p[0]) for p in programs), default=0)
    _say(
        f"{len(specs)} runs, {len(mine)} of them in this share; {sum(map(len, programs))} are "
        f"left, in {len(programs)} programs of up to {max(map(len, programs), default=0)} "
        f"replicas; about {duration(seconds)} on {count} workers, {largest / 1e6:.0f} MB each "
        "beside torch"
    )


@study_app.command("status")
def study_status(
    folder: Annotated[Path, typer.Argument(help="A folder of results.")],
) -> None:
    """What is done, failed and left, and the best of each rule so far."""
    _print_status(folder)


def _print_status(folder: Path) -> None:
    from synaptree.study.files import read_study
    from synaptree.study.journal import load

    frame = load(folder, curves=False)
    done, failed = (frame[frame["status"] == status] for status in ("done", "failed"))
    left = ""
    if (folder / "study.yaml").exists():
        wanted = {spec.run_id for spec in read_study(folder / "study.yaml")}
        left = f", {len(wanted - set(frame['run_id']))} left"
    _say(f"{folder}: {len(done)} runs done, {len(failed)} failed{left}")
    _print_best(frame, _console())
    reasons = failed.groupby(["label", "L", "m", "P", "error"], dropna=False)["seed"]
    for (label, L, m, P, error), seeds in reasons:
        _say(f"failed: {label}, L={L} m={m} P={P}, {len(seeds)} runs: {error}")


def _print_best(frame: "pd.DataFrame", console: "Console") -> None:
    """For each grammar a table of its rules, the best settings of each."""
    from rich.markup import escape
    from rich.table import Table

    from synaptree.study.search import best_settings

    best = best_settings(frame)
    many = len(best) > 0 and (best["tried"] > 1).any()
    for grammar, rows in best.groupby("grammar", sort=False) if len(best) else ():
        title = f"{grammar}: test error of the best settings" if many else f"{grammar}: test error"
        table = Table(title=title, title_justify="left")
        for name in ("rule", "mean", "range", "runs", *(["tried", "settings"] if many else [])):
            table.add_column(name, justify="left" if name in ("rule", "settings") else "right")
        for row in rows.sort_values("test_error", kind="stable").to_dict("records"):
            spread = f"{100 * row['lowest']:.1f} – {100 * row['highest']:.1f}"
            lost = f" ({row['diverged']} diverged)" if row["diverged"] else ""
            more = [f"{row['tried']}{lost}", escape(row["settings"])] if many else []
            mean = f"{100 * row['test_error']:.1f}%"
            table.add_row(escape(row["label"]), mean, spread, str(row["replicas"]), *more)
        console.print(table)


@study_app.command("export")
def study_export(
    folder: Annotated[Path, typer.Argument(help="A folder of results.")],
    to: Annotated[str, typer.Option(help="csv, parquet or tensorboard.")] = "csv",
    out: Annotated[
        Path | None,
        typer.Option(help="The file or folder.  [default: FOLDER/results.TO, FOLDER/tensorboard]"),
    ] = None,
) -> None:
    """Write the results for other programs: one table, one row a run, or TensorBoard's curves."""
    from synaptree.study.export import export

    _say(f"wrote {export(folder, to, out)}")


def _shard(text: str | None) -> tuple[int, int]:
    part, slash, parts = (text or "1/1").partition("/")
    if slash and part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts):
        return int(part), int(parts)
    raise SynaptreeError(f"shard: {text!r} given; expected i/n with i from 1 to n, as 1/4")


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _say(text: str) -> None:
    """One plain line, whatever the width of the terminal."""
    print(text, flush=True)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="A folder of results, as runs/quick.")],
) -> None:
    """Judge the claims on the results in a folder, and write its report anew."""
    _conclude(folder, _console())


def _conclude(folder: Path, console: "Console", only: set[str] | None = None) -> None:
    """Print the claims and write the report; `only`: leave out other runs in the folder."""
    from synaptree.report.page import write_report
    from synaptree.study.claims import evaluate
    from synaptree.study.journal import load

    frame = load(folder)
    outcomes = evaluate(frame if only is None else frame[frame["run_id"].isin(only)])
    _print_errors(frame, console)
    _print_claims(outcomes, console)
    page = write_report(folder, outcomes)
    _say(f"report: {page}")


def _print_errors(frame: "pd.DataFrame", console: "Console") -> None:
    from rich.table import Table

    from synaptree.report.figures import labels
    from synaptree.study.journal import by_grammar

    table = Table(title="Test error, mean over grammars (lowest – highest)", title_justify="left")
    panels = list(by_grammar(frame))
    table.add_column("rule")
    for name, _ in panels:
        table.add_column(name.replace(" s=", "\ns="))
    for label, _ in labels(frame[frame["status"] == "done"]):
        cells: list[str] = []
        for _, runs in panels:
            e = 100 * runs[runs["label"] == label]["test_error"]
            cells.append("" if e.empty else f"{e.mean():5.1f}% ({e.min():.1f} – {e.max():.1f})")
        table.add_row(label, *cells)
    console.print(table)


def _print_claims(outcomes: "list[Outcome]", console: "Console") -> None:
    from rich.markup import escape
    from rich.table import Table

    colour = {"reproduced": "green", "not reproduced": "red", "undecided": "yellow"}
    table = Table(title="The claims of the study", title_justify="left", show_lines=True)
    for name in ("", "claim", "outcome", "effect"):
        table.add_column(name, ratio={"claim": 2, "effect": 3}.get(name))
    for o in outcomes:
        verdict = f"[{colour[o.verdict]}]{o.verdict}"
        table.add_row(str(o.number), escape(o.claim), verdict, escape(o.effect))
    console.print(table)


@app.command()
def train(
    rule: Annotated[str, typer.Option("--rule", help="The rule; `synaptree rules` lists them.")],
    views: Annotated[
        str,
        typer.Option(
            help="For layerwise rules, V[,V…] from below: sibling, half_mask, half_mask:neurons, "
            "same_class, trace:K, same_latent:k, movie:p."
        ),
    ] = "",
    v: V = 8,
    n: N = 8,
    m: M = 4,
    s: S = 2,
    depth: DEPTH = 3,
    P: Annotated[int, typer.Option("--P", help="Training-set size.")] = 4096,
    seed: SEED = 0,
    replicas: Annotated[int, typer.Option(help="Grammars, seeds S … S+R-1.", min=1)] = 1,
    width: Annotated[int | None, typer.Option(help="Units of a layer.  [default: 128]")] = None,
    steps: Annotated[int | None, typer.Option(help="Updates.  [default: 2000]")] = None,
    batch: Annotated[int | None, typer.Option(help="Inputs a step.  [default: 128]")] = None,
    lr: Annotated[
        float | None, typer.Option(help="Learning rate.  [default: adam 0.001, sgd 0.1]")
    ] = None,
    lr_schedule: Annotated[str | None, typer.Option(help="constant or cosine.")] = None,
    weight_decay: Annotated[
        float | None, typer.Option(help="What weights lose, times lr, a step.  [default: 0]")
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(help="together, or one layer after the other: sequential, plateau."),
    ] = None,
    stop_loss: Annotated[
        float | None, typer.Option(help="Stop once the training loss is below.  [default: never]")
    ] = None,
    validation: Annotated[
        float | None, typer.Option(help="Part of P held back to choose the best evaluation.")
    ] = None,
    readout_steps: Annotated[
        int | None,
        typer.Option(help="The last of the steps, in which the readout learns on frozen layers."),
    ] = None,
    optimizer: Annotated[str | None, typer.Option(help="adam or sgd.")] = None,
    parametrisation: Annotated[str | None, typer.Option(help="standard or mean_field.")] = None,
    connectivity: Annotated[str | None, typer.Option(help="shared or local.")] = None,
    precision: Annotated[str | None, typer.Option(help="float32 or float64.")] = None,
    weights: Annotated[
        str | None, typer.Option(help="masking: transpose, sign, random or interpolated:α.")
    ] = None,
    masks: Annotated[
        str | None,
        typer.Option(
            help="masking: true, none, other_input, batch_mean, mean_jacobian, kept:q, nearest:k."
        ),
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="Any option of the rule, as temperature=0.5.")
    ] = None,
    device: DEVICE = "cpu",
    out: Annotated[Path | None, typer.Option(help="Also append to the results here.")] = None,
    as_json: AS_JSON = False,
) -> None:
    """Train one rule on one kind of grammar."""
    from synaptree import rules
    from synaptree.spec import make_spec
    from synaptree.study.journal import Journal, row_of
    from synaptree.study.progress import Live, Update
    from synaptree.training import train_replicas

    options = dict(_assignment(text) for text in option or [])
    options |= {k: w for k, w in {"weights": weights, "masks": masks}.items() if w is not None}
    given = {
        "width": width, "steps": steps, "batch": batch, "lr": lr, "lr_schedule": lr_schedule,
        "weight_decay": weight_decay, "schedule": schedule, "stop_loss": stop_loss,
        "validation": validation, "readout_steps": readout_steps,
        "optimizer": optimizer, "parametrisation": parametrisation,
        "connectivity": connectivity, "precision": precision,
    }  # fmt: skip
    spec = make_spec(
        rule=rules.get(rule, **options),
        views=views,
        v=v,
        n=n,
        m=m,
        s=s,
        L=depth,
        P=P,
        grammar_seed=seed,
        data_seed=seed,
        network_seed=seed,
        **{k: w for k, w in given.items() if w is not None},
    )
    specs = spec.replicate(replicas)
    _check(out, device)
    console = _console(stderr=as_json)
    with Live([specs], console) as live:
        results = train_replicas(specs, device=device, progress=lambda made: live(Update(0, made)))
    rows = [row_of(result) for result in results]
    if out is not None:
        journal = Journal(out)
        journal.append(*rows)
        journal.close()
    if as_json:
        print(json.dumps(_train_json(spec, rows)))
    else:
        _print_training(rows, console)


def _train_json(spec: "RunSpec", rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The one JSON object of `train --json`; lists have one entry a replica."""
    matrices = [row["portrait"]["probe"] for row in rows]
    return {
        "rule": spec.rule.name,
        "rule_options": spec.rule.model_dump(mode="json", exclude={"name"}),
        "views": list(spec.views),
        **{name: getattr(spec, name) for name in ("v", "n", "m", "s", "L", "P")},
        "seed": spec.grammar_seed,
        "replicas": len(rows),
        "steps": spec.steps,
        "steps_made": [row["steps"] for row in rows],
        "test_error": [row["test_error"] for row in rows],
        "train_error": [row["train_error"] for row in rows],
        # Of each layer, how well the latents of its own level are read from it.
        "probe": [[layer[l] for l, layer in enumerate(matrix)] for matrix in matrices],
        "probe_matrix": matrices,
        "run_id": [row["run_id"] for row in rows],
        "wall_s": max(row["wall_s"] for row in rows),
        "code_version": rows[0]["code_version"],
    }


def _print_training(rows: list[dict[str, Any]], console: "Console") -> None:
    from rich.table import Table

    table = Table(title=rows[0]["label"], title_justify="left")
    depth = len(rows[0]["portrait"]["probe"])
    heads = [f"level {k}\nin layer {k}" for k in range(1, depth + 1)]
    for name in ("seed", "steps", "test\nerror", "train\nerror", *heads):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        probe = [f"{row['portrait']['probe'][k][k]:.3f}" for k in range(depth)]
        errors = [f"{row[name]:.4f}" for name in ("test_error", "train_error")]
        table.add_row(str(row["spec"]["grammar_seed"]), str(row["steps"]), *errors, *probe)
    console.print(table)
    for row in rows:
        if row["collapsed"]:
            layers = ", ".join(map(str, row["collapsed"]))
            seed = row["spec"]["grammar_seed"]
            console.print(f"seed {seed}: collapsed (effective rank below 2) in layer {layers}")


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise SynaptreeError(f"option: {text!r} given; expected NAME=VALUE, as temperature=0.5")
    return name, value


def _check(folder: Path | None, device: str) -> None:
    """Refuse before any work is done what could only fail after it."""
    from synaptree.study.journal import check_writable

    if folder is not None:
        check_writable(folder)
    if device not in ("cpu", "cuda"):
        raise SynaptreeError(f"device: {device!r} given; expected cpu or cuda")
    if device == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise SynaptreeError("device: cuda given, but torch finds no GPU here; expected cpu")


@app.command("rules")
def rules_command(
    name: Annotated[
        str | None, typer.Argument(help="A rule, for its citation and equations.")
    ] = None,
) -> None:
    """The rules and what each needs to know; or one rule's citation and equations."""
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    from synaptree import rules

    console = _console()
    if name is not None:
        console.print(_rule_page(name), highlight=False, markup=False, soft_wrap=True)
        return
    title = "What each rule says it needs"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=0)  # 80 columns wide
    heads = {
        "labels": "labels",
        "weight_transport": "weight\ntransport",
        "error_network": "error\nnetwork",
        "downstream_masks": "masks\nabove",
        "other_samples": "other\ninputs",
    }
    table.add_column("rule", no_wrap=True)
    table.add_column("family", no_wrap=True)
    for head in heads.values():
        table.add_column(head, justify="center", no_wrap=True)
    for each in rules.names():
        facts = rules.rule_class(each).facts
        needs = ["yes" if getattr(facts, need) else "·" for need in heads]
        table.add_row(each, escape(facts.family), *needs)
    console.print(table)


@app.command("audit")
def audit_command(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[RULE]...", help="Rules; by default all.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="Any option of the rule, as negative=previous.")
    ] = None,
    as_json: AS_JSON = False,
) -> None:
    """What each synapse must know, found by changing one thing at a time."""
    from synaptree import rules
    from synaptree.audit import text
    from synaptree.audit.matrix import audit
    from synaptree.study.process import prepare

    options = dict(_assignment(each) for each in option or [])
    audited = [rules.get(name, **options) for name in names or rules.names()]
    if not names and not options:  # the online forms beside the others
        audited += [rules.get(name, **how) for name, how in rules.ONLINE.items()]
    prepare()
    found = [audit(rule) for rule in audited]
    if as_json:
        print(json.dumps([text.as_json(each) for each in found]))
        return
    console = _console()
    console.print(text.matrix(found))
    console.print(text.legend(), highlight=False, style="dim")
    for each in found:
        console.print()
        console.print(text.verdict(each), highlight=False, markup=False)


def _rule_page(name: str) -> str:
    import inspect
    import textwrap

    from synaptree import rules

    rule = rules.rule_class(name)
    facts = rule.facts
    module = inspect.getdoc(inspect.getmodule(rule)) or ""
    fields = [f"{k} = {f.default!r}" for k, f in rule.model_fields.items() if k != "name"]
    parts = [
        f"{facts.title}  ({facts.family})",
        f"citation     {facts.citation}",
        f"equation     {facts.equation}",
        f"differences  {facts.differences}",
        f"phases       {facts.phases} forward or backward passes an update",
        f"options      {', '.join(fields) or 'none'}",
    ]
    return "\n".join(parts) + "\n\n" + textwrap.indent(module, "  ")


@grammar_app.command("show")
def grammar_show(
    v: V = 8,
    n: N = 8,
    m: M = 4,
    s: S = 2,
    depth: DEPTH = 3,
    seed: SEED = 0,
    string: Annotated[int, typer.Option(help="Which of the strings drawn, 0, 1, 2, …", min=0)] = 0,
    svg: Annotated[Path | None, typer.Option(help="Write the tree to this SVG file.")] = None,
) -> None:
    """Draw one derivation as a tree, in the terminal or as SVG."""
    from synaptree.grammar.draw import tree_svg, tree_text

    grammar = _grammar(v, n, m, s, depth, seed)
    x = grammar.sample(string + 1, seed=seed, replace=True).x[string]
    if svg is None:
        print(tree_text(grammar, x))
        return
    try:
        svg.write_text(tree_svg(grammar, x), encoding="utf-8")
    except OSError as fault:
        raise SynaptreeError(
            f"svg: {str(svg)!r} cannot be written ({(fault.strerror or '').lower()}); expected a "
            "file in a folder that you may write to"
        ) from None
    print(f"wrote {svg}")


@grammar_app.command("info")
def grammar_info(
    v: V = 8,
    n: N = 8,
    m: M = 4,
    s: S = 2,
    depth: DEPTH = 3,
    seed: SEED = 0,
    as_json: AS_JSON = False,
) -> None:
    """What is known exactly: sizes, predicted sample complexity, and what each view tells."""
    from synaptree.grammar.budget import SHOWN, signal_budget
    from synaptree.grammar.exact import describe, fact_text

    grammar = _grammar(v, n, m, s, depth, seed)
    facts = describe(grammar)
    budget = {view: signal_budget(grammar, view) for view in SHOWN}
    if as_json:
        facts["budget"] = budget
        print(json.dumps(facts))
        return
    bits = facts.pop("bits")
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        print(f"{name.replace('_', ' '):{width}}  {fact_text(value)}")
    print(
        "\nmutual information in bits, mean over nodes: of the class with a node's patch, and of a"
    )
    print("node's patch with what each view sets beside it (a layer's signal budget)")
    print("".join(f"{name:>15}" for name in ("level", "nodes", "class patch", *budget)))
    for row, *views in zip(bits, *budget.values(), strict=True):
        values = [row["level"], row["nodes"], row["class_patch"], *views]
        print("".join(f"{fact_text(value):>15}" for value in values))


def _grammar(v: int, n: int, m: int, s: int, L: int, seed: int) -> "RandomHierarchyModel":
    from synaptree.grammar.rhm import RandomHierarchyModel

    return RandomHierarchyModel(v, n, m, s, L, seed)
