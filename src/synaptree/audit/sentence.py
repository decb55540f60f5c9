"""The audit in one sentence: what a synapse multiplies."""

from collections.abc import Mapping

from synaptree.audit.compare import Need


def sentence(
    needs: Mapping[str, Need], second_pass: bool, gated: bool = True, one_other: bool = False
) -> str:
    """What a synapse multiplies, in words.

    gated: whether its unit's own gate is a factor.  one_other: whether just one other object of the
    batch has an effect.
    """
    third = [
        *_from_above(needs, second_pass),
        *_from_other_inputs(needs, one_other),
        *(["numbers that the whole layer shares"] if needs["units"] == "scalar" else []),
    ]
    gate = "the unit's own gate × " if gated else ""
    return f"presynaptic activity × {gate}{', and '.join(third) or 'what is in the layer itself'}"


def _from_above(needs: Mapping[str, Need], second_pass: bool) -> list[str]:
    """The strongest form in which the error or the label reaches the synapse."""
    if needs.get("phases") == "yes":
        return ["another sign in each of the states that the network settles into"]
    if needs.get("settled") == "yes":
        return ["the error that is left beside the unit when the network has settled"]
    if needs["masks_above"] == "yes":
        return ["an error that came down through the masks of the layers above"]
    if needs["weights_above"] in ("vector", "yes"):
        return ["the output's error through the weights of the layers above"]
    if needs["error"] == "vector":
        return ["the output's error, broadcast"]
    if needs["label"] == "vector":
        return ["the target, broadcast"]
    if second_pass:
        noise = needs["label"] == "scalar" and needs["error"] == "no"
        effect = "noise did to the loss, one number" if noise else "the error did at the input"
        return [f"what {effect}, in a second pass"]
    if needs["error"] == "yes":
        return ["the output's error"]
    if needs["label"] == "yes":
        return ["the error of the layer's own reader of the class"]
    for key, what in (("error", "the output's error"), ("label", "the label")):
        if needs[key] == "scalar":
            return [f"one broadcast number that depends on {what}"]
    return []


def _from_other_inputs(needs: Mapping[str, Need], one_other: bool) -> list[str]:
    """The second view, and other inputs or what is remembered of them."""
    parts: list[str] = []
    if needs["second_view"] not in ("none", "no"):
        through = " through the layer's own weights" if needs["own"] == "yes" else ""
        parts.append(f"a prediction from the second view{through}")
    if needs["other_inputs"] == "yes":
        parts.append("one other input" if one_other else "other inputs of the batch")
    elif needs["memory"] not in ("none", "no"):
        parts.append("what the layer remembers of earlier inputs")
    return parts
