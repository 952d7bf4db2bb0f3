"""The code of a Python file: its text without comments and docstrings."""

import ast
import io
import tokenize
from collections.abc import Iterator

Span = tuple[
    int, int, int, int
]  # first line and column, last line and column; lines from 1, columns in bytes
DOCUMENTED_NODES = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def code_lines(text: str, tree: ast.Module) -> list[bytes]:
    """Return the lines of a Python file without comments, docstrings, blank lines and trailing space.

    Every version of Python gives the same lines. They are cut out of the file's own text, because `ast.dump`,
    `ast.unparse` and the tokens of f-strings differ from one version to the next.

    Args:
        text: the file's text, as `decode` returns it.
        tree: the tree of `text`, as `ast.parse` returns it.
    """
    lines = [line.encode() for line in text.split("\n")]
    docstrings = [_span(node) for node in _docstrings(tree)]
    verbatim = _lines_that_end_inside_a_string(tree, docstrings)
    if "#" in text:
        for row, comment in _comments(text):
            lines[row - 1] = lines[row - 1].rstrip().removesuffix(comment).rstrip()
    for first, start, last, end in docstrings:
        rest = lines[last - 1][end:]
        lines[first - 1 : last] = [
            lines[first - 1][:start].rstrip() + rest,
            *[b""] * (last - first),
        ]
    numbered = enumerate(lines, start=1)
    return [
        line if row in verbatim else line.rstrip()
        for row, line in numbered
        if row in verbatim or line.strip()
    ]


def decode(source: bytes) -> str:
    """Return the text of a Python file, decoded as it declares, with `\\n` at the end of each line.

    Raises:
        SyntaxError: the bytes are not in that encoding.
    """
    encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    try:
        text = source.decode(encoding)
    except UnicodeDecodeError as error:
        raise SyntaxError(str(error)) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _comments(text: str) -> Iterator[tuple[int, bytes]]:
    """Yield the line number and the text of each comment. A comment always ends its line."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.rstrip().encode()


def _docstrings(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED_NODES) and node.body:
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                yield first.value


def _lines_that_end_inside_a_string(tree: ast.Module, docstrings: list[Span]) -> set[int]:
    """Return the numbers of the lines whose trailing blanks belong to a string other than a docstring."""
    numbers: set[int] = set()
    nodes: list[ast.AST] = [tree]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
        ):
            # The parts of an f-string are skipped, because versions of Python place them differently.
            if (span := _span(node)) not in docstrings:
                numbers |= {*range(span[0], span[2])}
        else:
            nodes += ast.iter_child_nodes(node)
    return numbers


def _span(node: ast.expr) -> Span:
    assert node.end_lineno is not None and node.end_col_offset is not None, "ast.parse sets them"
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset
