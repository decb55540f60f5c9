"""Whether the settings of a run fit together, and the source of its inputs fits them."""

from math import isqrt
from typing import TYPE_CHECKING, Any

from synaptree.errors import SynaptreeError
from synaptree.rules.shared.strict import as_written
from synaptree.sources.dataset import Dataset, depth
from synaptree.sources.dials import variant
from synaptree.sources.rules_file import RulesFile
from synaptree.sources.variants import VariantStrings
from synaptree.views.movie import Movie

if TYPE_CHECKING:
    from synaptree.training.spec import RunSpec


MOST_RULES = 2**20  # of a level, which are all listed for a variant


def completed(fields: dict[str, Any], data: Dataset) -> dict[str, Any]:
    """The fields of a run on data of one's own, with the sizes that follow from these."""
    if data.held is None:
        return fields  # of a row of results, which has its sizes
    try:
        s = as_written(int, fields["s"]) if "s" in fields else None
    except ValueError:
        return fields  # the field says what is wrong
    return {**data.sizes(s if isinstance(s, int) else None), **fields}


def check_source(spec: "RunSpec") -> None:
    """Raise SynaptreeError where a run's inputs do not fit its other settings."""
    if spec.data:
        _check_data(spec)
    elif spec.variant:
        _check_variant(spec)
    else:
        _check_plain(spec)
    if spec.clips is not None:
        _check_clips(spec)


def _check_plain(spec: "RunSpec") -> None:
    """The grammar itself raises for sizes that do not fit together."""
    size = spec.grammar.size
    if size <= spec.P:
        raise _too_many(spec.P, size)


def _check_variant(spec: "RunSpec") -> None:
    rules = spec.m * max(spec.v, spec.n)
    if rules > MOST_RULES:
        raise SynaptreeError(
            f"variant: {rules} rules of a level, m·v, given; expected at most {MOST_RULES}"
        )
    if (rules := spec.variant.dials.rules) and not _fits(spec, rules):
        return  # a row of results
    # What is checked does not depend on the seed, so that the kind is looked at once.
    grammar = variant(spec.variant, spec.v, spec.n, spec.m, spec.s, spec.L, 0)
    VariantStrings(grammar).check(clips=spec.clips is not None)
    if not (grammar.noisy or grammar.ambiguous) and grammar.derivations <= spec.P:
        raise _too_many(spec.P, grammar.derivations)


def _fits(spec: "RunSpec", rules: RulesFile) -> bool:
    """Whether own rules are at hand.  Raises SynaptreeError where a run cannot be on them."""
    if rules.held is None:
        return False
    rules.check()
    for name, size in rules.sizes.items():
        if (given := getattr(spec, name)) != size:
            raise SynaptreeError(
                f"{name}: {given} given, but rules {rules.name} have {name}={size}; expected that, "
                "or none"
            )
    return True


def _too_many(P: int, size: int) -> SynaptreeError:
    return SynaptreeError(
        f"P: {P} given, but the grammar has P_max = {size} strings, and some must "
        f"be left to test on; expected at most {size - 1}"
    )


def _check_data(spec: "RunSpec") -> None:
    if spec.variant:
        raise SynaptreeError(
            f"variant: {spec.variant} given with data; expected a variant of a grammar, or data"
        )
    if spec.m != 1:
        raise SynaptreeError(f"m: {spec.m} given with data, which have no rules; expected 1")
    if spec.data.held is None:
        return  # a row of results
    held, where = spec.data.held, f"data {spec.data.name}"
    N, d = held.train.x.shape[:2]
    if depth(d, spec.s) != spec.L:
        near = spec.s ** max(1, len(_digits(d, spec.s)) - 1)
        side = f" ({isqrt(d)} × {isqrt(d)} pixels)" if held.form == "images" else ""
        raise SynaptreeError(
            f"{where}: inputs of {d} places{side} given for s={spec.s}, L={spec.L}; expected s**L "
            f"places, as {near} (cut) or {near * spec.s} (padded)"
        )
    real = held.form != "tokens"
    for name, least in (("v", held.v), ("n", held.n)):
        given = getattr(spec, name)
        if given < least or (real and name == "v" and given != least):
            what = "classes" if name == "n" else "different tokens"
            expected = f"at least {least}"
            if real and name == "v":
                what, expected = f"number{'s' * (least != 1)} at each place", f"{least}, or none"
            raise SynaptreeError(
                f"{name}: {given} given, but {where} has {least} {what}; expected {expected}"
            )
    most = N if held.test is not None else N - held.frames
    if most < spec.P or spec.P % held.frames:
        whole = f", in whole clips of {held.frames}" if held.frames > 1 else ""
        raise SynaptreeError(
            f"P: {spec.P} given, but {where} has {N} inputs"
            f"{'' if held.test is not None else ', and some must be left to test on'}; expected at "
            f"most {most}{whole}"
        )


def _digits(number: int, base: int) -> list[int]:
    digits: list[int] = []
    while number:
        number, digit = divmod(number, base)
        digits.append(digit)
    return digits


def _check_clips(spec: "RunSpec") -> None:
    """Clips of a grammar change with a probability; those of data are as they were given."""
    view = spec.clips
    bare = isinstance(view, Movie) and view.p is None
    if not spec.data and bare:
        raise SynaptreeError(
            "view: 'movie' given; expected movie:p with a probability, as movie:0.1, on a grammar"
        )
    if spec.data and not bare:
        assert view is not None
        raise SynaptreeError(
            f"views: {view.objects} given, but no hidden tree is known of data; expected sibling, "
            "half_mask, same_class, trace:K, or movie where the data are clips"
        )
    if spec.data.held is not None and spec.data.held.frames < 2:
        raise SynaptreeError(
            f"views: movie given, but data {spec.data.name} are no clips; expected data with "
            "frames of at least 2"
        )


def check_batch(spec: "RunSpec") -> None:
    """Raise SynaptreeError for a batch that is larger than what is trained on."""
    if spec.batch > spec.trained:
        held = f", of which {spec.P - spec.trained} are held back" if spec.validation else ""
        raise SynaptreeError(
            f"batch: {spec.batch} given, but P is {spec.P}{held}; expected at most "
            f"{spec.trained if spec.validation else 'P'}"
        )


def check_readout_steps(spec: "RunSpec") -> None:
    """Raise SynaptreeError where no steps are left before the readout learns alone."""
    if spec.readout_steps and (spec.readout_steps >= spec.steps or spec.stop_loss):
        left = f"and stop_loss {spec.stop_loss}" if spec.stop_loss else f"of {spec.steps} steps"
        raise SynaptreeError(
            f"readout_steps: {spec.readout_steps} given, {left}; expected fewer than the "
            "steps, and no stop_loss"
        )
