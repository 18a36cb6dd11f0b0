"""Words and phrases that the project's prose no longer uses, with the standard term for each.

The search covers docstrings and comments, the strings of the product (messages, descriptions), the documents, the dbt
project, the page of the HTTP server, and the files of configuration, deployment, alerts and continuous integration.
Names in code, test data and assertions are not searched.
"""

import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from football_assets_tests.house.sources import TESTS, Source

# Pattern -> what the field calls it. The patterns are chosen to have few false positives.
DIALECT: dict[str, str] = {
    r"(?:made|makes?|making) (?:\w+ ){0,3}again": "rebuilt, recomputed",
    r"made (?:from|of)": "built from, input fingerprint",
    r"of the others? no more than": "for the rest only … is read",
    r"(?:passing|lasting) (?:reason|cause|error|fault|failure|trouble)s?": "transient, permanent error",
    r"(?:what|that|which) may pass": "transient error",
    r"growing pauses?": "exponential backoff",
    r"how-?manieth": "attempt number",
    r"whoever": "any client that",
    r"(?:has|have|had|is|are|was|were|not) settled|settles?|settling": "no new file for N s, converged",
    r"quiet (?:windows?|weeks?|days?|periods?|times?|stretch(?:es)?|months?)": "insufficient_data",
    r"levers?": "ablation, hyperparameter",
    r"given histor(?:y|ies)": "custom histories",
    r"t(?:ake|akes|aken|aking|ook) up": "loaded",
    r"told": "reported to, configured with",
    r"look(?:s|ed|ing)? at": "read, inspected",
    r"look(?:s|ed|ing)? after": "supervises",
    r"look(?:s|ed|ing)? (?:anew|again)": "polls",
    r"refus(?:e|es|ed|al|als|ing)": "rejected",
    r"noted": "recorded, stored",
    r"sp(?:eaks?|oke|oken|eaking) of": "refers to",
    r"in vain": "without success, timed out",
    r"anew": "again, re-",
    r"heed(?:s|ed|ing)?": "respects",
    r"for good": "permanently",
    r"in the place of": "instead of",
    r"sa(?:y|ys|id|ying) so": "reports it",
    r"to be had": "available",
    r"put(?:s|ting)? (?:aside|away|right|in order)": "moved, sorted, repaired",
    r"hand(?:s|ed|ing)? (?:back|over|on)": "returns, passes",
    r"one row an?": "one row per",
    r"own words": "message",
    r"out of (?:one|a) hand": "one implementation",
    r"the framework's way": "FastAPI routing and body parsing",
    r"by and by": "gradually",
    r"mend(?:s|ed|ing)?": "repairs, fixes",
    r"careless(?:ly)?": "invalid",
    r"wholly": "entirely",
    r"nought": "zero",
    r"stands? (?:before|in for)": "proxies, replaces",
    r"takes? for": "treats as",
    r"brings? (?:\w+ ){0,2}about": "causes, triggers",
    r"comes? to (?:nothing|an end)": "fails, ends",
    r"makes? (?:\w+ ){0,2}up for": "compensates",
    r"materialis\w+": "materialize, as in Dagster's documentation",
    r"artefacts?": "artifact, as in Dagster's and W&B's documentation",
}

# Names of columns and keys in files that buckets already hold. A string that is such a name is not prose.
STORED_NAMES = {
    "football_assets/forecasting/fixtures.py": "refusals",  # of the gate's decision
    "football_assets/registry/decisions.py": "refusals",  # the same
    "football_assets/raw/formats/footballcsv.py": "refused",  # of files that `football land` rebuilt
}

# A blank may be a line break, with the mark of a comment in Python, SQL, YAML, JavaScript or CSS.
_PATTERNS = {
    re.compile(rf"\b(?:{pattern})\b".replace(" ", r"[\s#/*-]+"), re.IGNORECASE): term
    for pattern, term in DIALECT.items()
}
_ANY = re.compile("|".join(pattern.pattern for pattern in _PATTERNS), re.IGNORECASE)
_QUOTED = re.compile(r"`[^`\n]+`")  # names, which are not prose
DOCUMENTS = (
    "*.md",
    "docs/**/*.md",
    ".github/**/*.md",
    ".github/**/*.yml",
    "*.yaml",
    "*.toml",
    ".*.yaml",
    ".env.example",
    ".ci/*",
    ".devcontainer/*",
    "Dockerfile",
    "Makefile",
    "benchmarks/**/*.md",
    "dbt_features/**/*.csv",
    "dbt_features/**/*.sql",
    "dbt_features/**/*.yml",
    "deploy/**/*.tf",
    "deploy/**/*.yaml",
    "deploy/**/*.yml",
    "football_assets/**/*.sql",
    "football_assets/**/*.yaml",
    "football_assets/**/*.yml",
    "serve/**/*.css",
    "serve/**/*.html",
    "serve/**/*.js",
    "serve/**/*.json",
    "serve/**/*.sh",
    "serve/**/*.yaml",
    "serve/**/*.yml",
)
# CHANGELOG.md is generated from commit subjects.
EXEMPT = ("football_assets_tests/house/", "CHANGELOG.md", "dbt_features/target/")


@dataclass(frozen=True)
class Finding:
    """A phrase of the dialect in a file."""

    path: str
    line: int
    phrase: str
    term: str

    @property
    def room(self) -> str:
        """Return the folder that is counted: `football_assets/raw`, `serve`, `docs`, `football_assets_tests`."""
        parts = self.path.split("/")
        return "/".join(parts[:2]) if parts[0] == "football_assets" and len(parts) > 2 else parts[0]

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.phrase!r}: write {self.term}"


def find_in_text(path: str, text: str, first_line: int = 1) -> Iterator[Finding]:
    """Yield the phrases of the dialect in prose whose first line has a number."""
    text = _QUOTED.sub(lambda match: " " * len(match.group()), text)
    if not _ANY.search(text):
        return
    for pattern, term in _PATTERNS.items():
        for match in pattern.finditer(text):
            phrase = re.sub(r"\s[\s#/*-]*", " ", match.group())
            yield Finding(path, first_line + text.count("\n", 0, match.start()), phrase, term)


def find_in_source(source: Source) -> Iterator[Finding]:
    """Yield the phrases of the dialect in a Python file's comments, docstrings and, outside of the tests, strings."""
    docstrings = {line for line, _ in source.docstrings()} if source.folder == TESTS else set()
    comments: list[tuple[int, str]] = []
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        line = token.start[0]
        if token.type == tokenize.COMMENT:
            comments.append((line, token.string))
        elif token.type == tokenize.STRING and (source.folder != TESTS or line in docstrings):
            text = token.string.replace(f'"{STORED_NAMES.get(source.path)}"', '""')
            yield from find_in_text(source.path, text, line)
    for first, block in _blocks(comments):
        yield from find_in_text(source.path, block, first)


def find_all(root: Path, sources: list[Source]) -> list[Finding]:
    """List the phrases of the dialect in the project, in order of file and line."""
    texts = [path for pattern in DOCUMENTS for path in root.glob(pattern)]
    found = [finding for source in sources for finding in find_in_source(source)]
    for path in texts:
        found.extend(find_in_text(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")))
    return sorted(
        (finding for finding in found if not finding.path.startswith(EXEMPT)),
        key=lambda finding: (finding.path, finding.line, finding.phrase),
    )


def count_by_room(findings: list[Finding]) -> Counter[str]:
    """Count the findings of each room."""
    return Counter(finding.room for finding in findings)


def _blocks(comments: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Join comments of lines that follow each other, so that a phrase is found across them."""
    start, lines = 0, list[str]()
    for line, text in comments:
        if lines and line != start + len(lines):
            yield start, "\n".join(lines)
            lines = []
        if not lines:
            start = line
        lines.append(text)
    if lines:
        yield start, "\n".join(lines)
