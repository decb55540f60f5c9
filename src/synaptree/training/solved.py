"""From which error on a grammar counts as solved."""

SHARE = 0.1  # of chance error


def chance_error(n: int) -> float:
    """The error of guessing among n classes."""
    return 1 - 1 / n


def solved_at(n: int) -> float:
    """The largest error at which a grammar with n classes is solved."""
    return SHARE * chance_error(n)
