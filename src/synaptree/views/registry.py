"""All views, how they are read from their names, and which of them layers may have together."""

from collections.abc import Sequence

from synaptree.errors import SynaptreeError, shown, unknown
from synaptree.views.base import View
from synaptree.views.half_mask import HalfMask
from synaptree.views.movie import Movie
from synaptree.views.same_class import SameClass
from synaptree.views.same_latent import SameLatent
from synaptree.views.sibling import Sibling

VIEWS: tuple[type[View], ...] = (Sibling, HalfMask, SameClass, SameLatent, Movie)


def canonical(name: str) -> str:
    """A view's name as it is kept, from one with blanks around it, capitals, or - for _."""
    return name.strip().lower().replace("-", "_")


def parse_view(name: str) -> View:
    """A view by its name.  Raises SynaptreeError for a name or a parameter that is not valid."""
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise SynaptreeError(f"view: {shown(name)} given; expected a name, as same_class")
    for view in VIEWS:
        if (parsed := view.parse(name)) is not None:
            return parsed
    raise unknown("view", name, [spelling for view in VIEWS for spelling in view.names])


def per_layer(names: Sequence[str], L: int) -> tuple[str, ...]:
    """One view name for each layer 1..L, from one for all, one for each, or two (below, top).

    Raises SynaptreeError where the number of names fits neither, where a name is not valid, where
    the top layer, which has one position, would compare positions, or where two views need
    different training sets.
    """
    if len(names) == 1:
        full = tuple(names) * L
    elif len(names) == 2 and L > 2:
        full = (names[0],) * (L - 1) + (names[1],)
    else:
        full = tuple(names)
    if len(full) != L:
        raise SynaptreeError(
            f"views: {len(names)} given for {L} layers; expected 1 (all layers), 2 (below the top, "
            f"top) or {L} (one a layer)"
        )
    views = [parse_view(name) for name in full]
    if missing := views[-1].missing_at_top:
        below = f"{full[0]}," if L > 1 else ""
        raise SynaptreeError(
            f"views: the top layer has one position and so no {missing}; expected same_class or "
            f"trace:K for it, as in {below}same_class"
        )
    objects = list(dict.fromkeys(view.objects for view in views if view.objects))
    if len(objects) > 1:
        raise SynaptreeError(
            f"views: {objects[0]} and {objects[1]} given, but a training set has one kind of "
            "object; expected one of them, alone or beside sibling and half_mask"
        )
    if any(view.highest_level > L for view in views):
        raise SynaptreeError(
            f"views: {objects[0]} given for L={L} levels; expected a level of at most {L}"
        )
    return full
