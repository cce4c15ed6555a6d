"""Options under headings of the help, and groups of them that reach a command as one object."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, TypeVar

import click

from mnv2cli.cli.terminal.help import SectionOption

F = TypeVar("F", bound=Callable[..., Any])


def together(*options: Callable[[Any], Any]) -> Callable[[F], F]:
    """Return a decorator that declares some options, in this order."""

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def grouped(
    name: str, make: Callable[..., Any], *options: Callable[[Any], Any]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that declares some options and hands out their values as one object.

    Args:
        name: The parameter of the command function that receives the object.
        make: Makes the object; called with the values by the names of the options' parameters.
        options: Click's decorators.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        own: list[str] = []

        @wraps(function)
        def command(**values: Any) -> Any:
            made = make(**{each: values.pop(each) for each in own})
            return function(**values, **{name: made})

        before = len(getattr(command, "__click_params__", ()))
        together(*options)(command)
        declared: list[click.Parameter] = command.__click_params__  # type: ignore[attr-defined]
        own += [str(param.name) for param in declared[before:]]
        return command

    return decorate


def section(name: str) -> Callable[..., Callable[[Any], Any]]:
    """Return what makes options that stand under a heading of the help."""
    return partial(click.option, cls=SectionOption, section=name, show_default=True)
