"""The answer in a terminal."""

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from synaptree.report.answer import Spoken


def print_answer(spoken: Spoken, console: Console) -> None:
    """The questions with their answers, a line or two each."""
    console.print(Text(spoken.first))
    for said in spoken.lead:
        asked = Text.assemble((said.asks, "bold"), " ", said.answer)
        console.print(Padding(asked, (0, 0, 0, 2), expand=False))
    if spoken.last:
        console.print(Text(spoken.last))
    console.print()
