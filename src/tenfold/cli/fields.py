"""A recipe's fields as flags."""

from __future__ import annotations

from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from collections.abc import Mapping, Sequence
from copy import copy
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from ..recipe import Recipe

PREFIX = "field:"
METAVARS = {int: "N", float: "X", str: "TEXT"}


def add_fields(parser: ArgumentParser, cls: type[Recipe], title: str, preset: str | None = None) -> None:
    """A flag for each field, with its docstring, type, limits and default."""
    group = parser.add_argument_group(title, cls.__doc__)
    values = cls.presets.get(preset, {}) if preset else {}
    for name, info in described(cls).items():
        default = values.get(name, info.default)
        group.add_argument(
            "--" + name.replace("_", "-"),
            dest=PREFIX + name,
            help=describe(info, default).replace("%", "%%"),
            **reading(info.annotation),
        )


def given(args: Namespace) -> dict[str, Any]:
    """The fields a person gave a value for."""
    named = {n.removeprefix(PREFIX): value for n, value in vars(args).items() if n.startswith(PREFIX)}
    return {name: tuple(v) if isinstance(v, list) else v for name, v in named.items() if v is not None}


def fields_of_some(recipes: Mapping[str, type[Recipe]], known: type[Recipe]) -> dict[str, str]:
    """The flags of fields that only some recipes have, each with a sentence on which."""
    owners: dict[str, list[str]] = {}
    for recipe, cls in sorted(recipes.items()):
        for name, info in described(cls).items():
            forms = ("--", "--no-") if bool in (info.annotation, *get_args(info.annotation)) else ("--",)
            for flag in (form + name.replace("_", "-") for form in forms):
                owners.setdefault(flag, []).extend([] if name in described(known) else [recipe])
    return {
        flag: f"{flag} is a field of {', '.join(names)}. Name one with --recipe."
        for flag, names in owners.items()
        if names
    }


def reading(kind: Any) -> dict[str, Any]:  # noqa: ANN401
    """What argparse needs to read a value of a type.

    Example:
        >>> reading(tuple[int, ...])
        {'type': <class 'int'>, 'metavar': 'N', 'nargs': '+'}
        >>> reading(Literal[2, 4])
        {'choices': (2, 4), 'type': <class 'int'>}
    """
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return reading(parts[0])
    if origin is Literal:
        kind = type(parts[0])  # argparse compares what it has read
        return {"choices": parts} if kind is str else {"choices": parts, "type": kind}
    if origin in (Union, UnionType):
        words = [word for part in parts if get_origin(part) is Literal for word in get_args(part)]
        numbers = (part for part in parts if part is not type(None) and get_origin(part) is not Literal)
        return or_word(reading(next(numbers)), words)
    if origin is tuple:
        return {**reading(parts[0]), "nargs": "+"}
    if kind is bool:
        return {"action": BooleanOptionalAction}
    return {"type": kind, "metavar": METAVARS[kind]}


def or_word(inner: dict[str, Any], words: Sequence[str]) -> dict[str, Any]:
    """What argparse needs to read a value, or one of some words as it is."""
    kind = inner.get("type")
    if kind is None or not words:
        return inner

    def read(text: str) -> Any:  # noqa: ANN401
        return text if text in words else kind(text)

    read.__name__ = kind.__name__
    return {**inner, "type": read, "metavar": "|".join([inner["metavar"], *words])}


def described(cls: type[Recipe]) -> dict[str, FieldInfo]:
    """A recipe's fields that it uses; one without a docstring has that of the class it is inherited from."""
    found: dict[str, FieldInfo] = {}
    for parent in reversed(cls.__mro__):
        for name, info in vars(parent).get("__pydantic_fields__", {}).items():
            inherited = found[name].description if name in found else None
            found[name] = copy(info)
            found[name].description = info.description or inherited
    return {name: info for name, info in found.items() if name not in cls.unused}


def describe(info: FieldInfo, default: Any) -> str:  # noqa: ANN401
    """A field's docstring, limits and default."""
    shown = f"default {spelled(default)}"
    return f"{info.description or ''} ({', '.join([*limits(info), shown])})"


def limits(info: FieldInfo) -> list[str]:
    """A field's limits in words."""
    signs = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
    found = [(sign, getattr(limit, key, None)) for limit in info.metadata for key, sign in signs.items()]
    return [f"{sign} {value}" for sign, value in found if value is not None]


def spelled(value: Any) -> str:  # noqa: ANN401
    """A value as it is written on the command line."""
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
