"""Decorators for options: in sections of the help, and passed to a command as one object."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any, TypeVar

import click

from mnv2cli.cli.terminal.help import SectionOption

F = TypeVar("F", bound=Callable[..., Any])


def together(*options: Callable[[Any], Any]) -> Callable[[F], F]:
    """Return a decorator that declares options, in the given order."""

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def grouped(
    name: str, make: Callable[..., Any], *options: Callable[[Any], Any]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that declares options and passes their values as one object.

    Args:
        name: The parameter of the command function that receives the object.
        make: Creates the object; called with the values as keyword arguments.
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
    """Return a decorator factory for options in a section of the help."""
    return partial(click.option, cls=SectionOption, section=name, show_default=True)
