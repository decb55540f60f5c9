"""The documentation site: what it shows is all there, and says what the code says."""

import re
import signal
from fnmatch import fnmatch
from html.parser import HTMLParser
from inspect import getdoc, getmodule
from pathlib import Path
from unicodedata import normalize

import prose
import pytest
from docs_site import docstrings, equations, fields, measured, messages, neighbours, reference

import synaptree
from synaptree import rules
from synaptree.cli import words
from synaptree.errors import SynaptreeError, WorkersError
from synaptree.grammar.family.posterior import posterior

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = {
    **{path.relative_to(DOCS).with_suffix("").as_posix(): path for path in DOCS.rglob("*.md")},
    **neighbours.outside(),
}
LISTS = re.compile(r"```\{toctree\}\n(.*?)```", re.DOTALL)


def listed():
    """The entries of all tables of contents, from the root of the site."""
    for name, path in PAGES.items():
        folder = name.rpartition("/")[0]
        for entries in LISTS.findall(path.read_text("utf-8")):
            for entry in filter(None, re.sub(r"^:.*$", "", entries, flags=re.M).splitlines()):
                yield f"{folder}/{entry}".lstrip("/")


def test_every_page_is_in_a_table_of_contents():
    entries = list(listed())
    lost = [n for n in PAGES if n != "index" and not any(fnmatch(n, e) for e in entries)]
    assert lost == []


@pytest.mark.parametrize("path", prose.pages(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_cells_of_tables_are_short(path):
    cells = [text for text in prose.markdown(path.read_text("utf-8")) if text.cell]
    assert [text for text in cells if len(prose.WORD.findall(text.words)) > 25] == []


def test_links_to_elsewhere_have_a_form_that_can_be_followed():
    for path in PAGES.values():
        text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text("utf-8"), flags=re.S)
        for link in re.findall(r"https?://[^\s)>\"']*", text):
            assert re.fullmatch(r"https://[\w.-]+\.[a-z]{2,}(/[\w./~%#?=&+-]*)?", link), link


def test_files_that_pages_link_to_can_be_shown():
    for page in PAGES.values():
        for link in re.findall(r"\]\(([^):#]+)[^):]*\)", page.read_text("utf-8")):
            path = page.parent / link
            if path.is_file() and path.suffix not in neighbours.AS_THEY_ARE:
                path.read_text("utf-8")


# Equations


class Text(HTMLParser):
    """All characters of a piece of MathML, and which of them stand below or above the line."""

    def __init__(self, html):
        super().__init__()
        self.all, self.tags, self.parts = "", [], []
        self.feed(html)
        self.close()
        assert self.tags == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.tags.pop() == tag

    def handle_data(self, data):
        self.all += data


def plain(text):
    """The characters of an equation without blanks and without marks of what is moved.

    What stands below a symbol comes before what stands above it.
    """
    text = re.sub(r"(['°*²]+)_(\{[^{}]*\}|\w)", r"_\2\1", text)
    return normalize("NFKC", re.sub(r"[\s_^{}]", "", text)).replace("'", "′")


def all_equations():
    for name in rules.names(former=True):
        rule = rules.rule_class(name)
        yield rule.facts.equation
        for are_equations, lines in equations.blocks(getdoc(getmodule(rule)) or ""):
            if are_equations:
                yield from lines


def test_typeset_equations_keep_every_character_in_its_order():
    found = list(all_equations())
    assert len(found) > 60
    for equation in found:
        read = Text(equations.mathml(equation)).all
        assert plain(read) == plain(equation), equation


@pytest.mark.parametrize(
    ("written", "typeset"),
    [
        ("T_l", "<msub><mi>T</mi><mrow><mi>l</mi></mrow></msub>"),
        ("Wc", "<mi>W</mi><mi>c</mi>"),
        ("w_ij", "<msub><mi>w</mi><mrow><mi>i</mi><mi>j</mi></mrow></msub>"),
        ("x²", "<msup><mi>x</mi><mrow><mn>2</mn></mrow></msup>"),
        (
            "ẑ_iᵀ",
            '<msubsup><mi class="marked">ẑ</mi><mrow><mi>i</mi></mrow>'
            "<mrow><mi>T</mi></mrow></msubsup>",
        ),
        (
            "d_{l−1}",
            "<msub><mi>d</mi><mrow><mi>l</mi><mo>−</mo><mn>1</mn></mrow></msub>",
        ),
        ("softmax(u", '<mtext>softmax</mtext><mo stretchy="false">(</mo><mi>u</mi>'),
        ("u < 1", "<mi>u</mi><mo>&lt;</mo><mn>1</mn>"),
        ("h°_l", "<msubsup><mi>h</mi><mrow><mi>l</mi></mrow><mrow><mo>°</mo></mrow></msubsup>"),
    ],
)
def test_what_stands_below_and_above_the_line(written, typeset):
    assert re.sub("^<math[^>]*><mrow>|</mrow></math>$", "", equations.mathml(written)) == typeset


def test_symbols_in_running_text_are_found_and_words_are_not():
    text = "Here W_l and γ_{l+1} change, but `W_o` and same_class_of are words."
    pieces = equations.in_text(text)
    assert "".join(piece for piece, _ in pieces) == text
    assert [piece for piece, math in pieces if math] == ["W_l", "γ_{l+1}"]


# The reference


def test_the_reference_of_python_has_all_public_names_once():
    names = [name for part in reference.PARTS.values() for name in part]
    assert sorted(names) == sorted(synaptree.__all__)
    text = reference.public_names()
    for name in {*names} - {"rules", "figures", "audit"}:
        assert re.search(rf"auto\w+:: synaptree\.{name}\n", text), name
    for name in synaptree.figures.__all__:
        assert f":: synaptree.figures.{name}\n" in text


def test_the_reference_of_grammars_has_what_the_page_on_grammars_uses():
    page = (DOCS / "grammar.md").read_text("utf-8")
    text = reference.grammar_names()
    used = re.findall(r"^from (synaptree\.grammar\S*) import (.+)$", page, re.M)
    assert len(used) > 10
    for module, names in used:
        for name in names.split(", "):
            assert re.search(rf"auto\w+:: {re.escape(module)}\.{name}\n", text), name
    table = page.partition("## Exact answers")[2].partition("\n## ")[0]
    calls = re.findall(r"\| `(\w+)\b", table)
    assert {"posterior", "log_probability", "joint", "bayes_error"} <= {*calls}
    for name in calls:
        assert f".{name}\n" in text or name == "grammar", name


def test_a_signature_says_array_like_and_a_docstring_loses_the_head_of_its_arguments():
    named = "synaptree.grammar.family.posterior.posterior"
    array = (
        "_Buffer | _SupportsArray[dtype[Any]] | _NestedSequence[_SupportsArray[dtype[Any]]] | "
        "complex | bytes | str | _NestedSequence[complex | bytes | str]"
    )
    text = f"(x: {array}, known: Mapping[tuple[int, int], {array}] | None = None, n: int = 1)"
    said = docstrings.short_signature(None, "function", named, posterior, {}, text, "Posterior")
    short = "(x: ArrayLike, known: Mapping[tuple[int, int], ArrayLike] | None = None, n: int = 1)"
    assert said == (short, "Posterior")
    lines = getdoc(posterior).splitlines()
    assert "Args:" in lines
    docstrings.as_fields(None, "function", named, posterior, {}, lines)
    assert "Args:" not in lines
    assert any(line.startswith("- **known**: for nodes") for line in lines)


def test_the_reference_of_commands_has_all_commands_and_options():
    source = (ROOT / "src" / "synaptree" / "cli" / "__init__.py").read_text("utf-8")
    found = re.findall(r"^(app|study|trees)\.command\((.*?)\)\(\w+\.(\w+)\)", source, re.M)
    groups = {"app": "", "study": "study ", "trees": "grammar "}
    typed = {f"synaptree {groups[g]}{name.strip(chr(34)) or called}" for g, name, called in found}
    text = reference.commands()
    assert {*re.findall("^## (.*)$", text, re.M)} == typed
    options = re.findall(r"^\| `(--[\w-]+)", text, re.M)
    assert {"--lr", "--views", "--P", "--dry-run", "--workers"} <= {*options}
    for _, command in reference.every_command():
        for param in command.params:
            assert param.hidden or any(f"`{word}" in text for word in [*param.opts, "["]), param


def test_all_fields_and_all_columns_are_explained():
    said = fields.said_of_fields()
    assert all(said[name].strip() for name in synaptree.RunSpec.model_fields)
    frame = synaptree.load(ROOT / "results" / "quick-1")
    columns = {name for names in fields.column_groups().values() for name in names}
    assert {str(name) for name in frame.columns} <= columns
    assert all(fields.said_of_columns()[name].strip() for name in columns)


def test_a_table_of_fields_has_their_values_and_defaults():
    rows = {row.split("`")[1]: row.split(" | ") for row in fields.study_fields().splitlines()[2:]}
    assert rows["width"][1:3] == ["whole number at least 1", "`128`"]
    assert rows["momentum"][1:3] == ["number at least 0 and below 1", "`0.9`"]
    assert rows["optimizer"][1:3] == ["adam, sgd", "`adam`"]
    assert rows["P"][2] == "(required)"
    assert rows["views"][2] == "none"


def test_messages_are_one_line_each_and_exit_codes_are_all_listed():
    rows = messages.messages().splitlines()[2:]
    assert len(rows) >= 5
    assert all(row.count("`") >= 2 for row in rows)
    text = (DOCS / "reference" / "errors.md").read_text("utf-8")
    listed_codes = {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.M)}
    codes = {words.RUNS_FAILED, words.FOUND_FAULTS, words.REFUSED, words.NO_OUTPUT}
    codes |= {words.INTERRUPTED, words.NO_READER, 0}
    codes |= {SynaptreeError.exit_code, WorkersError.exit_code}
    # As a shell says of a process that a signal ended.
    codes |= {128 + signal.SIGTERM, 128 + signal.SIGKILL}
    assert listed_codes == codes


def test_every_rule_is_in_the_index_under_its_family():
    parts = re.split("^## ", reference.rule_index(), flags=re.M)[1:]
    found = {
        part.split("\n")[0].lower(): re.findall(r"\(rules/(\w+)\.md\)", part) for part in parts
    }
    for name in rules.names():
        assert name in found[rules.rule_class(name).facts.family]
    assert sum(map(len, found.values())) == len(rules.names())


def test_what_a_docstring_says_of_each_argument():
    text = "Train.\n\nrule: a name.  a, b: two sizes, as in\n``c: 3``.\n\nReturns all: done."
    pieces = docstrings.split(text, ["rule", "a", "b", "c"])
    assert [names for names, _ in pieces] == [[], ["rule"], ["a", "b"], []]
    assert "".join(said for names, said in pieces if names == ["a", "b"]).split()[-1] == "3``."
    lines = text.split("\n")
    docstrings.as_fields(None, "function", "train", lambda rule, a, b: None, None, lines)
    assert [line for line in lines if line.startswith("- ")] == [
        "- **rule**: a name.",
        "- **a, b**: two sizes, as in ``c: 3``.",
    ]
    assert lines[-1] == "Returns all: done."
    assert docstrings.escaped("P* of a | b, *new* and ``x*``") == r"P\* of a \| b, *new* and ``x*``"


def test_a_rules_page_has_its_errors_as_its_runs_have_them():
    frame = synaptree.load(ROOT / "results" / "laptop", curves=False)
    sign = (frame["rule"] == "dfa") & frame["rule_options"].str.contains("sign")
    runs = frame[sign & (frame["L"] == 4) & (frame["m"] == 6) & (frame["P"] == 32768)]
    assert len(runs) >= 5
    solved = sum(error <= 0.1 * 7 / 8 for error in runs["test_error"])
    errors = f"{solved} of {len(runs)} | {runs['test_error'].mean():.3f}"
    assert f"| v=8 n=8 m=6 s=2 L=4 | 32768 | {errors} |" in measured.part("dfa")
    assert "<svg role=" in measured.part("dfa")
    assert measured.part("no_such_rule") == ""


def test_a_rule_that_settles_has_its_rows_from_its_own_study():
    frame = synaptree.load(ROOT / "results" / "settling", curves=False)
    own = frame[(frame["label"] == "predictive_coding (masks=none)") & (frame["L"] == 4)]
    said = f"0 of {len(own)} | {own['test_error'].mean():.3f}"
    part = measured.part("predictive_coding")
    row = r"| predictive\_coding (masks=none) | shared | v=8 n=8 m=4 s=2 L=4 | 8192 |"
    assert f"{row} {said} |" in part
    assert "Learning curves beside backprop, on" in part


@pytest.mark.parametrize("name", ["masking", "lpl", "global_error_vector", "predictive_coding"])
def test_the_forms_of_a_rule_are_told_apart_on_its_page(name):
    rows = re.findall(r"^\| (.*?) \| (v=.*?) \|", measured.part(name), re.M)
    assert len(rows) == len(set(rows)) > 0
    assert all(form.count("(") == form.count(")") for form, _ in rows)


@pytest.mark.parametrize(("rule", "form", "weights"), [
    ("clapp", "clapp", "local"),
    ("clapp", "clapp", "shared"),
    ("lpl", "lpl (statistics=running)", "local"),
])  # fmt: skip
def test_a_rules_page_has_a_row_for_shared_and_one_for_unshared_weights(rule, form, weights):
    runs = measured.results()
    runs = runs[(runs["rule"] == rule) & (runs["connectivity"] == weights) & (runs["P"] == 8192)]
    runs = runs[runs["network_seed"] == runs["seed"]]
    hits = (runs["test_error"] <= 0.1 * 7 / 8).sum()
    said = {"local": "unshared", "shared": "shared"}[weights]
    start = f"| {form} | {said} | v=8 n=8 m=4 s=2 L=4 | 8192 |"
    assert f"{start} {hits} of {len(runs)} |" in measured.part(rule)
