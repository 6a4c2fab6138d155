"""LaTeX, for the package booktabs."""

import re

import pandas as pd

from analysis.formats import drawn

SUFFIX = "tex"
LETTERS = "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ"  # other capitals look as Latin ones
NAMES = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi "
    "chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
)
SIGNS = {"±": r"\pm", "−": "-", "×": r"\times", "→": r"\to", "≥": r"\ge", "≤": r"\le", "²": "^2"}
KNOWN = {letter: rf"\{name}" for letter, name in zip(LETTERS, NAMES.split(), strict=True)} | SIGNS
SPECIAL = {c: rf"\{c}" for c in "&%$#_{}"} | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
SPECIAL |= {"\\": r"\textbackslash{}", "<": r"\textless{}", ">": r"\textgreater{}"}


def title(text: str) -> str:
    """Return it in bold."""
    return rf"\textbf{{{line(text)}}}"


def line(text: str) -> str:
    """Return it as a paragraph."""
    return in_latex("".join(SPECIAL.get(c, c) for c in text)) + "\n"


def table(frame: pd.DataFrame, display: pd.DataFrame) -> str:
    """Return the text as a tabular."""
    # The end of a row takes a [ or a * that comes next for its own.
    return in_latex(re.sub(r"^(\s*)([\[*])", r"\1{\2}", drawn(display, "latex_booktabs"), flags=re.MULTILINE))


def in_latex(text: str) -> str:
    """Return text with what LaTeX has for Greek letters and signs."""
    return "".join(rf"\ensuremath{{{KNOWN[c]}}}" if c in KNOWN else c for c in text)
