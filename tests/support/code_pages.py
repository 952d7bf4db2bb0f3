"""The reference pages of the commands and of the Python API, made from the code."""

import inspect
import os
from types import ModuleType
from unittest import mock

import breakeven
from breakeven.cli import main

COLUMNS = "100"  # of the help texts


def commands_page() -> str:
    """Return the page of all commands: what each prints for `--help`, grouped as in `breakeven --help`."""
    modules = {name: main.module_of(name) for name in main.names()}
    lines = [
        "# Commands",
        "",
        "What `breakeven COMMAND --help` prints. Sweeps have a command of their own, `breakeven-sweep`: see "
        "[sweeps](../sweeps.md).",
    ]
    for group in main.GROUPS:
        members = [name for name, module in modules.items() if group == module.GROUP]
        lines += ["", f"## {group[0].upper()}{group[1:]}"] if members else []
        for name in members:
            lines += ["", f"### breakeven {name}", "", "```text", _help(name, modules[name]), "```"]
    return "\n".join([*lines, ""])


def _help(name: str, module: ModuleType) -> str:
    parser = main.command_parser(name, module)
    with mock.patch.dict(os.environ, {"COLUMNS": COLUMNS, "NO_COLOR": "1"}):
        return parser.format_help().rstrip()


def api_page() -> str:
    """Return the page of the Python API: each public name with its signature and its docstring."""
    lines = ["# Python API", "", "What `import breakeven` offers. [Time anything](../time.md) has examples."]
    for name in breakeven.__all__:
        member = getattr(breakeven, name)
        if not callable(member):
            continue
        lines += ["", f"## breakeven.{name}", "", "```python", f"{name}{_signature(member)}", "```", ""]
        lines += ["```text", inspect.getdoc(member) or "", "```"]
        for method, value in vars(member).items() if inspect.isclass(member) else ():
            if not method.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
                function = value.fget if isinstance(value, property) else value
                shown = method if isinstance(value, property) else f"{method}{_signature(function)}"
                summary = (inspect.getdoc(function) or "").partition("\n\n")[0].replace("\n", " ")
                lines += ["", f"`{name}.{shown}`", "", summary]
    return "\n".join([*lines, ""])


def _signature(function: object) -> str:
    """Return the signature, an argument a line if it is long."""
    signature = inspect.signature(function)  # type: ignore[arg-type]
    text = str(signature).replace("pathlib._local.", "pathlib.")  # Python 3.13
    if len(text) <= 90:
        return text
    arguments = "".join(
        f"    {each},\n".replace("pathlib._local.", "pathlib.") for each in signature.parameters.values()
    )
    result = signature.return_annotation
    shown = "" if result is inspect.Signature.empty else f" -> {getattr(result, '__name__', result)}"
    return f"(\n{arguments}){shown}"
