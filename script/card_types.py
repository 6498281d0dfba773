#!/usr/bin/env python3
"""Writes the TypeScript types of the card from the TypedDicts of the integration.

`--check` writes nothing, and fails if the file is not what it would be.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
import sys
import textwrap

ROOT = Path(__file__).parents[1]
SOURCES = {"hub/face.py": "face.ts", "flows/arrange.py": "arrange.ts"}
"""The modules of the integration, and what is written of them."""
WRITTEN = ROOT / "card" / "src"

HEAD = """\
// Written by script/card_types.py from custom_components/snom_buttons/{source}.
"""
WIDTH = 80
NAMES = {
    "str": "string",
    "int": "number",
    "float": "number",
    "bool": "boolean",
    "Any": "unknown",
}


def main(arguments: list[str]) -> int:
    """Write the types, or compare them."""
    stale = False
    for source, name in SOURCES.items():
        module = ROOT / "custom_components" / "snom_buttons" / source
        parts = declared(module.read_text("utf-8"))
        types = HEAD.format(source=source) + "".join(f"\n{each}" for each in parts)
        written = WRITTEN / name
        if "--check" not in arguments:
            WRITTEN.mkdir(parents=True, exist_ok=True)
            written.write_text(types, "utf-8")
        elif not written.exists() or written.read_text("utf-8") != types:
            print(f"{name} is stale: run script/card_types.py")
            stale = True
    return int(stale)


def declared(source: str) -> Iterator[str]:
    """Yield the TypedDicts and type aliases of a module in TypeScript."""
    body = ast.parse(source).body
    for number, node in enumerate(body):
        if isinstance(node, ast.TypeAlias):
            alias = aliased(node.name.id, node.value)
            yield documented(doc_after(body, number)) + alias
        elif isinstance(node, ast.ClassDef) and is_public_typed_dict(node):
            lines = "".join(members(node))
            doc = documented(ast.get_docstring(node))
            yield f"{doc}export interface {node.name} {{\n{lines}}}\n"


def is_public_typed_dict(node: ast.ClassDef) -> bool:
    """Return whether a class is a TypedDict whose name has no underscore before it."""
    if node.name.startswith("_"):
        return False
    return any(
        isinstance(base, ast.Name) and base.id == "TypedDict" for base in node.bases
    )


def members(node: ast.ClassDef) -> Iterator[str]:
    """Yield the members of a TypedDict, each with its documentation."""
    for number, field in enumerate(node.body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            mark, hint = "", field.annotation
            if (
                isinstance(hint, ast.Subscript)
                and ast.unparse(hint.value) == "NotRequired"
            ):
                mark, hint = "?", hint.slice
            text = f"{field.target.id}{mark}: {typed(hint)};\n"
            yield textwrap.indent(documented(doc_after(node.body, number)) + text, "  ")


def typed(hint: ast.expr) -> str:
    """Return the type of an annotation. Raises ValueError for one that it lacks."""
    match hint:
        case ast.Name(id=name):
            return NAMES.get(name, name)
        case ast.Constant(value=None):
            return "null"
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return f"{typed(left)} | {typed(right)}"
        case ast.Subscript(value=ast.Name(id="Literal"), slice=words):
            listed = words.elts if isinstance(words, ast.Tuple) else [words]
            return " | ".join(f'"{ast.literal_eval(word)}"' for word in listed)
        case ast.Subscript(value=ast.Name(id="list"), slice=item):
            inner = typed(item)
            return f"({inner})[]" if "|" in inner else f"{inner}[]"
        case ast.Subscript(
            value=ast.Name(id="dict"), slice=ast.Tuple(elts=[key, item])
        ):
            return f"Record<{typed(key)}, {typed(item)}>"
    raise ValueError(f"no TypeScript for {ast.unparse(hint)}")


def aliased(name: str, hint: ast.expr) -> str:
    """Return an alias as prettier formats it."""
    text = typed(hint)
    line = f"export type {name} = {text};\n"
    if len(line) <= WIDTH + 1:
        return line
    parts = "".join(f"\n  | {part}" for part in text.split(" | "))
    return f"export type {name} ={parts};\n"


def doc_after(body: list[ast.stmt], number: int) -> str | None:
    """Return the text below a field or an alias."""
    match body[number + 1 : number + 2]:
        case [ast.Expr(value=ast.Constant(value=str(text)))]:
            return text
    return None


def documented(text: str | None) -> str:
    """Return a text as a comment, "" for none."""
    if not text:
        return ""
    lines = textwrap.dedent(text).strip().splitlines()
    if len(lines) == 1:
        return f"/** {lines[0]} */\n"
    return (
        "/**\n"
        + "".join(f" * {line.strip()}".rstrip() + "\n" for line in lines)
        + " */\n"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
