"""What is found of rules with an output error: direct feedback, and masks."""

from findings import (
    DEEP,
    DEEPER,
    KINDS,
    UNIFORM,
    cell,
    count,
    decided,
    each,
    endpoint,
    entry,
    error,
    hits,
    part,
    rows,
    steps,
    sure,
    there,
    thousands,
    title,
    word,
)

from synaptree.claims.second.cells import Kind
from synaptree.report.words import listed, percent, whole
from synaptree.training.solved import chance_error

FIXED = ("dfa", "dfa (error=sign)", "drtp", "pepita")
LEARNED = ("direct_kolen_pollack", "forward_dfa", "error_broadcast")
PERTURBED = ("node_perturbation",)
LEAST_SQUARES, UNMASKED, OTHERS = (
    "least_squares_feedback", "backprop, no masks", "backprop, another input's masks",
)  # fmt: skip
ALIGNED, NEITHER = "feedback_alignment", "random feedback, no masks"


def direct_feedback() -> str:
    """The part of direct-feedback.md."""
    fixed, learned = "fixed direct feedback", "learned direct feedback"
    kp, forward, broadcast = LEARNED
    best = min((*FIXED, *LEARNED), key=lambda label: cell(label, DEEPER).errors.mean())
    sure(
        decided("1a", fixed, DEEP) == "yes" and decided("1a", fixed, UNIFORM) == "mixed",
        decided("1a", learned, UNIFORM) == "no" and decided("1a", learned, DEEP) == "mixed",
        all(decided("1a", "perturbation", kind) == "yes" for kind in (UNIFORM, DEEP)),
        all(hits(label, DEEP)[0] == 0 for label in FIXED),
        all(hits(label, UNIFORM)[0] == 0 for label in FIXED[1:]),
        all(hits(label, DEEPER)[0] == 0 for label in (*FIXED, *LEARNED)),
        hits(broadcast, UNIFORM)[0] == hits(broadcast, DEEP)[0] == 0,
        best == forward,
    )
    answer = [
        f"**Fixed** feedback weights do not learn the deep kind: each of {word(len(FIXED))} rules "
        f"solves {count(cell('dfa', DEEP))}.",
        f"On the uniform kind it is open: DFA solves {count(cell('dfa', UNIFORM))}, and the other "
        f"{word(len(FIXED) - 1)} solve none.",
        f"**Learned** feedback weights do learn the uniform kind: {title(kp)} and {title(forward)} "
        f"each solve {count(cell(kp, UNIFORM))}, in {steps(kp, UNIFORM)} and "
        f"{steps(forward, UNIFORM)} times backprop's steps.",
        f"On the deep kind it is open for this family: {each(LEARNED, DEEP)}.",
        f"**Perturbation** fails on both: {title(PERTURBED[0])} solves "
        f"{count(cell(PERTURBED[0], DEEP))} on each.",
        f"With three levels left, no direct rule that was run solves any grammar; the best, "
        f"{title(best)}, has an error of {error(cell(best, DEEPER))}, where guessing has "
        f"{100 * chance_error(DEEPER.n):.1f}%.",
    ]
    sure(hits(kp, UNIFORM) == hits(forward, UNIFORM))
    sure(hits(PERTURBED[0], UNIFORM) == hits(PERTURBED[0], DEEP))
    (why,) = {
        why.split("P of ")[1].split(" or more")[0]
        for why in endpoint("1a", fixed).why_not
        if DEEPER.name in why
    }
    numbers = [
        *rows((*FIXED, *LEARNED, *PERTURBED, LEAST_SQUARES)),
        "",
        "The last row is a control: it is given the fixed matrix that best predicts backprop's "
        "own signal. "
        f"Claim 1a gives no verdict on the deeper kind. It asks for {thousands(int(why))} strings "
        "there, four times what backprop is known to need.",
    ]
    alt = (
        "Discs that fill with the share of grammars solved, a row a rule and a column a kind of "
        "grammar. Fixed feedback: DFA's disc is about half full on the uniform kind, all others "
        "are empty. Learned feedback: two rules have full discs on the uniform kind, and Forward "
        "DFA's is nearly full on the deep kind. All discs on the deeper kind are empty, except "
        "backprop's."
    )
    sure(0.4 < cell("dfa", UNIFORM).solved.mean() < 0.7, cell(forward, DEEP).solved.mean() > 0.8)
    return part("direct-feedback", alt, answer, numbers)


def masks() -> str:
    """The part of masks.md."""
    two = (UNIFORM, DEEP)
    sure(
        decided("2b", "", UNIFORM) == "no" and decided("2b", "", DEEP) == "mixed",
        decided("2c", "", UNIFORM) == "mixed",
        all(decided("2c", "", kind) == "no" for kind in (DEEP, DEEPER)),
        decided("2a", "", DEEPER) == "yes",
        all(decided("2a", "", kind) == "mixed" for kind in two),
        endpoint("2b").parts[0].nature != "prevents",
        hits(UNMASKED, DEEPER)[0] == 0,
        entry("2b", "", DEEP, UNMASKED).answer == "no",
        there(LEAST_SQUARES, DEEPER) is None and there(OTHERS, DEEPER) is None,
    )
    answer = [
        "**Mostly not, as far as these kinds go.** Random feedback without masks errs more than "
        f"backprop. With two levels left to learn, {_weights(UNIFORM)} and {_weights(DEEP)} of the "
        f"difference are due to wrong weights, and with three levels {_weights(DEEPER)}. The rest "
        "is due to missing masks. With four and five levels left, backprop's weights alone do not "
        "solve ([depth](depth.md#more-data-or-a-limit)).",
        "With two levels left to learn, backprop's weights learn without the masks of the layers "
        f"above: they solve {count(cell(UNMASKED, UNIFORM))} grammars of the uniform kind and "
        f"{count(cell(UNMASKED, DEEP))} of the deep kind, "
        f"in {steps(UNMASKED, UNIFORM)} and {steps(UNMASKED, DEEP)} times backprop's steps. On "
        "the deep kind this stays open, because many questions are asked together; as the only "
        "question it would be decided.",
        f"With three levels left they solve {count(cell(UNMASKED, DEEPER))} within backprop's "
        f"budget, with an error of {error(cell(UNMASKED, DEEPER))}.",
        f"True masks with random weights solve {_all(ALIGNED)} on the three kinds, and "
        f"random weights without masks {_all(NEITHER)}.",
        f"Masks save more error with backprop's weights than with random ones on the deeper kind, "
        f"by {_points(DEEPER)} points. On the uniform kind the difference is {_points(UNIFORM)} "
        f"points, and on the deep kind {_points(DEEP)}; corrected for all questions, neither "
        "decides.",
        "With another input's masks, which are wrong, backprop's weights solve "
        f"{_both(OTHERS, two)}. The best linear direct feedback that is the same for every input, "
        f"fitted by least squares, solves {_both(LEAST_SQUARES, two)}.",
    ]
    numbers = [
        *rows(("backprop", UNMASKED, OTHERS, ALIGNED, NEITHER, LEAST_SQUARES)),
        "",
        "| | " + " | ".join(KINDS) + " |",
        "|---|---|---|---|",
        _row("error that masks save, with backprop's weights", "W weights, none masks",
             "W weights, true masks"),
        _row("error that masks save, with random weights", "random weights, none masks",
             "random weights, true masks"),
        "| the first less the second, in points | "
        + " | ".join(_points(kind) for kind in KINDS.values()) + " |",
        "| share of right weights in all that is saved | "
        + " | ".join(_weights(kind, of=True) for kind in KINDS.values()) + " |",
        "",
        "The share is a Shapley share: what right weights save, averaged over the two orders in "
        "which weights and masks can be put right. Claim 2b asks "
        "whether masks are necessary. Corrected for all questions, the answer is no on the uniform "
        "kind and open on the other two. As the only question, it would be no on the deep kind "
        "too.",
    ]  # fmt: skip
    alt = (
        "A square of four for each kind of grammar: backprop's weights or random ones, with true "
        "masks or none; darker means a lower error. Uniform and deep: both squares with backprop's "
        "weights are dark, with masks and without. Deeper: only the square with both is dark. On "
        "the deep and the deeper kind random weights are light, with masks and without."
    )
    return part("masks", alt, answer, numbers)


def _both(label: str, kinds: tuple[Kind, ...]) -> str:
    return f"{listed([count(cell(label, kind)) for kind in kinds])} grammars"


def _all(label: str) -> str:
    return listed([count(cell(label, kind), of=False) for kind in KINDS.values()])


def _points(kind: Kind) -> str:
    found = entry("2a", "", kind, UNMASKED).estimate
    assert found is not None
    return f"{whole(100 * found.value)} ({whole(100 * found.low)} to {whole(100 * found.high)})"


def _weights(kind: Kind, *, of: bool = False) -> str:
    found = entry("2a", "", kind, UNMASKED).others["share of weights"]
    return percent(found.value) + (
        f" ({whole(100 * found.low)}–{percent(found.high)})" if of else ""
    )


def _row(head: str, without: str, having: str) -> str:
    said: list[str] = []
    for kind in KINDS.values():
        others = entry("2a", "", kind, UNMASKED).others
        said.append(f"{whole(100 * (others[without].value - others[having].value))} points")
    return f"| {head} | {' | '.join(said)} |"
