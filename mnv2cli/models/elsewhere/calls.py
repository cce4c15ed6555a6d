"""Which call of a layer a description means: files count calls from 0 or from 1."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mnv2cli.models.elsewhere.description import Graph, Ref


class Calls:
    """The calls of the layers in one graph.

    Keras 3 counts calls from 0 in arguments, but those of a graph in a graph from 1 in the outputs
    of a model (``keras/src/models/functional.py``, ``serialize_node`` and ``get_config``). Keras 2
    counts from 1 in both, for a graph and for a chain whose input it knew when it was called. Each
    call in a file leads to the output, so the largest number is that of the last call.

    Args:
        graph: The graph; not a chain.
    """

    def __init__(self, graph: Graph) -> None:
        self._counts = {placed.name: len(placed.calls) for placed in graph.layers}
        self._graphs = {placed.name for placed in graph.layers
                        if isinstance(placed.item, Graph) and not placed.item.is_chain}  # fmt: skip
        chains = {placed.name for placed in graph.layers
                  if isinstance(placed.item, Graph) and placed.item.is_chain}  # fmt: skip
        found = list(_refs(argument for placed in graph.layers for call in placed.calls
                           for argument in call))  # fmt: skip
        self._is_old = any(ref.origin == "list" for ref in found)
        if graph.output:
            found.append(graph.output)
        self._chains_from_1 = {
            ref.name for ref in found if ref.name in chains and ref.call == self._counts[ref.name]
        }

    def number(self, ref: Ref) -> int:
        """Return the number of the call, from 0; -1 or too large if there is no such call."""
        if self._counts.get(ref.name) == 1:
            return 0
        if self._is_old:
            from_1 = ref.name in self._graphs or ref.name in self._chains_from_1
        else:
            from_1 = ref.name in self._graphs and ref.origin == "end"
        return ref.call - from_1


def _refs(arguments: Iterable[Any]) -> Iterator[Ref]:
    for argument in arguments:
        if isinstance(argument, Ref):
            yield argument
        elif isinstance(argument, list):
            yield from (each for each in argument if isinstance(each, Ref))
