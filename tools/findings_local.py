"""What is found of local plasticity: which forms of layerwise rules pass the audit, and learn."""

import tables
from findings import (
    DEEP,
    DEEPER,
    FAMILIES,
    KINDS,
    PRESET,
    UNIFORM,
    cell,
    count,
    decided,
    endpoint,
    entry,
    error,
    kind_said,
    label_of,
    part,
    sure,
    title,
    word,
)  # fmt: skip

from synaptree import load
from synaptree.claims.second.cells import Kind
from synaptree.claims.second.outcome import Entry

OWN = "clapp, local"


def local() -> str:
    """The part of local.md."""
    own = entry("6", "contrastive", DEEP, OWN)
    forms = judged_forms()
    online = next(e for kind, e in forms if kind == DEEP and "running" in e.cell.label)
    rest = [e for _, e in forms if e not in (own, online)]
    sure(
        own.note == online.note == "local",
        all("shares its weights between positions" in e.note for e in rest),
        not any("uses" in e.note for e in rest),
        all(decided("6", "non-contrastive", kind) == "no" for kind in KINDS.values()),
        all(decided("6", "contrastive", kind) == "no" for kind in (UNIFORM, DEEPER)),
        decided("6", "contrastive", DEEP) == "mixed",
    )
    batch = [e for e in rest if "hears" in e.note]
    heard = [int(e.note.split()[1]) for e in batch]
    runs = load(tables.RESULTS / PRESET, curves=False)
    runs = runs[(runs["rule"] == "lpl") & runs["label"].str.contains("running")]
    collapsed = sum(len(layers) >= 3 for layers in runs["collapsed"])
    sure(collapsed == len(runs) == online.solved.of)
    sure(own.cell.depth == 3 and cell("clapp", DEEP).depth == 2)
    answer = [
        f"{word(len(forms) - len(rest)).capitalize()} of {len(forms)} forms pass the "
        "audit, both on the "
        "deep kind: CLAPP with weights of its own at each position, and LPL with running "
        "statistics and weights of its own.",
        f"That **CLAPP** solves {count(own.cell)}, an error of {error(own.cell)}, which leaves the "
        f"question open; with shared weights it solves {count(cell('clapp', DEEP))}.",
        f"That **LPL** solves {count(online.cell)}: at least three of its four layers collapse in "
        f"{collapsed} of {len(runs)} runs.",
        f"All {len(rest)} other forms share their weights between positions, and {len(batch)} of "
        f"them also compare {min(heard)} to {max(heard)} other objects at once.",
        "No form fails for another reason: none uses the weights or masks of other layers, the "
        "output error, or a label in its update.",
        "So the claim fails for non-contrastive rules on all three kinds and for contrastive rules "
        "on the uniform and the deeper kind, and is open for contrastive rules on the deep kind.",
    ]
    numbers = [
        "| form | kind | solved | why it is not local |",
        "|---|---|---|---|",
        *(
            f"| {title(label_of(e.cell), [kind])} | {kind_said(kind)} | {count(e.cell)}, error "
            f"{error(e.cell)} | {'**local**' if e.note == 'local' else e.note} |"
            for kind, e in forms
        ),
        "",
        f"With weights of its own at each position, an untrained network leaves {own.cell.depth} "
        f"levels of the deep kind to learn, with shared weights {cell('clapp', DEEP).depth}. CLAPP "
        "hears one other object, which the claim allows: it can be the one before.",
    ]
    alt = (
        "A row a form of a layerwise rule on the deep kind, with marks for what makes it not "
        "local: sharing weights between positions, and comparing many objects at once. Only two "
        "rows have no mark: CLAPP with unshared weights, whose disc is somewhat more than half "
        "full, and LPL with running statistics, whose disc is empty. Most rows with marks have "
        "full discs."
    )
    sure(0.5 < own.cell.solved.mean() < 0.7)
    return part("local", alt, answer, numbers)


def judged_forms() -> list[tuple[Kind, Entry]]:
    """The forms that claim 6 is asked of, on each kind."""
    return [
        (p.kind, e)
        for kind in (DEEP, UNIFORM, DEEPER)
        for about in FAMILIES
        for p in endpoint("6", about).asked
        if p.kind == kind
        for e in sorted(p.entries, key=lambda e: (e.note != "local", -e.solved.hits))
    ]
