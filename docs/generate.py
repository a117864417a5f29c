"""Write the reference pages `commands.md`, `settings.md` and `api.md` from the code: `python docs/generate.py`."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import msgspec

import stance
from stance.command_line import cli
from train.model.tfidf_logistic import Model
from train.records import Example
from train.settings import Settings, meaning

DOCS = Path(__file__).parent
NOTE = "<!-- Written by `make docs` from the code. Edit the code, not this page. -->"


def commands() -> str:
    """The page on every command, with its arguments and options."""
    lines = [
        "# Commands",
        "",
        NOTE,
        "",
        "Every command works on the project in the current folder; `stance -C DIR COMMAND` names another one. "
        "A command exits with 0 when it is done, with 1 after an error that it explains in one message, and with 2 "
        "when it was typed wrongly. `stance COMMAND --help` prints what stands here on a command.",
        "",
        "Your shell can complete commands and options when you press Tab. For Bash, put this line into `~/.bashrc`. "
        "For Zsh, write `zsh_source` and use `~/.zshrc`:",
        "",
        "```",
        'eval "$(_STANCE_COMPLETE=bash_source stance)"',
        "```",
        "",
    ]
    for name, command in cli.commands.items():
        context = click.Context(command, info_name=f"stance {name}")
        usage = " ".join([f"stance {name}", *command.collect_usage_pieces(context)])
        lines += [f"## stance {name}", "", "```", usage, "```", "", *_paragraphs(command.help or ""), ""]
        rows = [_option(option, context) for option in command.params if isinstance(option, click.Option)]
        if rows:
            lines += ["| option | default | meaning |", "|---|---|---|", *rows, ""]
    return "\n".join(lines)


def settings() -> str:
    """The page on every key of stance.toml."""
    lines = [
        "# Settings: stance.toml",
        "",
        NOTE,
        "",
        "`stance init` writes a `stance.toml` with the few keys that a project begins with. Every key is on this page. "
        "A key that you leave out has its default; a key that stance does not know is an error.",
        "",
    ]
    for section in Settings.__struct_fields__:
        record = type(getattr(Settings(), section))
        about = (record.__doc__ or "").splitlines()[0].split("stance.toml: ", 1)[1]
        lines += [f"## [{section}]", "", about[:1].upper() + about[1:], "", "| key | value | default | meaning |"]
        lines += ["|---|---|---|---|"]
        for field in msgspec.inspect.type_info(record).fields:  # type: ignore[attr-defined]
            default = msgspec.to_builtins(getattr(record(), field.name))
            cells = [f"`{field.name}`", _kind(field.type), f"`{json.dumps(default)}`", meaning(record, field.name)]
            lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
        lines.append("")
    return "\n".join(lines)


def api() -> str:
    """The page on the names that `import stance` gives, from their docstrings."""
    lines = [
        "# Python API",
        "",
        NOTE,
        "",
        "`import stance` is instant: each of these names is loaded when it is first used. Where a file of yours, such "
        "as a `train.py` beside your notebook, hides one of the packages of stance, the import says which file does.",
        "",
    ]
    for name in stance.__all__:
        function = getattr(stance, name)
        lines += [f"## stance.{name}", "", "```python", f"{name}{_signature(function)}", "```", ""]
        lines += _docstring(inspect.getdoc(function) or "")
    lines += ["## The examples that split and train take", "", "```python"]
    lines += [
        "from train.records import Example",
        *_fields(Example),
        "```",
        "",
        *_docstring(inspect.getdoc(Example) or ""),
    ]
    lines += ["## The model that load_model gives", ""]
    for method in (Model.predict, Model.probabilities):
        lines += [f"### model.{method.__name__}", "", "```python", f"{method.__name__}{_signature(method)}", "```", ""]
        lines += _docstring(inspect.getdoc(method) or "")
    return "\n".join(lines)


def _signature(function: Callable[..., object]) -> str:
    """The signature as the source has it, without the names of modules."""
    given = inspect.signature(function)
    parameters = [one for one in given.parameters.values() if one.name != "self"]
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(given.replace(parameters=parameters)))


def _fields(record: type[msgspec.Struct]) -> Iterator[str]:
    """A record as one calls it, with its defaults."""
    yield f"{record.__name__}("
    for field in msgspec.structs.fields(record):
        default = "" if field.required else f" = {field.default if field.default != msgspec.NODEFAULT else {}!r}"
        yield f"    {field.name}: {record.__annotations__[field.name]}{default},"
    yield ")"


def _docstring(text: str) -> list[str]:
    """A Google-style docstring as Markdown: sections become headings, arguments a list, examples code."""
    lines: list[str] = []
    section = code = False
    for line in text.splitlines():
        title = line.removesuffix(":")
        if code and not line.strip():
            lines.append("```")
            code = False
        if title in ("Args", "Attributes", "Returns", "Raises", "References") and line.endswith(":"):
            lines += [f"**{title}**", ""]
            section = True
        elif line.strip().startswith(">>>") and not code:
            lines += ["```python", line]
            section, code = False, True
        elif section and line.startswith("    ") and not line.startswith("     "):
            item = line.strip()
            name, colon, rest = item.partition(": ")
            named = bool(colon) and name.replace("_", "").replace("*", "").isalnum()
            lines.append(f"- `{name}`: {rest}" if named else item)
        elif section and line.strip():
            lines[-1] += f" {line.strip()}"  # the line before goes on
        else:
            lines.append(line)
    return [*lines, *(["```"] if code else []), ""]


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        if number:
            yield ""
        yield " ".join(paragraph.split())


def _option(option: click.Option, context: click.Context) -> str:
    names = ", ".join(option.opts)
    value = "" if option.is_flag else f" {option.metavar or _value(option.type)}"
    default = option.get_default(context)
    shown = f"`{default}`" if isinstance(default, str | Path | int) and default is not False and default != "" else ""
    cells = [f"`{names}{value}`", "required" if option.required else shown, option.help or ""]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _value(kind: click.ParamType[object]) -> str:
    """What stands for an option's value: its choices, N for a number, else the name of its type."""
    if isinstance(kind, click.Choice):
        return "|".join(kind.choices)
    return "N" if isinstance(kind, click.IntRange) else kind.name.upper()


def _kind(kind: msgspec.inspect.Type) -> str:
    match kind:
        case msgspec.inspect.LiteralType():
            return "one of " + ", ".join(f"`{json.dumps(value)}`" for value in kind.values)
        case msgspec.inspect.ListType():
            return "list of lists of texts" if isinstance(kind.item_type, msgspec.inspect.ListType) else "list of texts"
        case msgspec.inspect.DictType():
            return "table"
        case msgspec.inspect.BoolType():
            return "`true` or `false`"
        case msgspec.inspect.IntType():
            return "whole number"
        case msgspec.inspect.FloatType():
            return "number"
        case msgspec.inspect.UnionType():
            return " or ".join(map(_kind, kind.types))
        case _:
            return "text"


PAGES = {"commands.md": commands, "settings.md": settings, "api.md": api}
"""The pages that are generated, and the function that makes each."""

if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), "utf-8")
