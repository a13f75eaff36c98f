"""The population graph: all programs of a call as one graph in which equal subtrees are one node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from eznas.ops import OPS
from eznas.program import AnyProgram, Program
from eznas.program.steps import Steps
from eznas.program.tree import COMMUTATIVE


class Node(NamedTuple):
    """An operation on earlier nodes, or a terminal."""

    name: str
    arguments: tuple[int, ...] = ()

    @property
    def is_terminal(self) -> bool:
        """Whether this node reads a statistic."""
        return self.name not in OPS


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in an order in which every node comes after its arguments."""

    nodes: tuple[Node, ...]
    """Each subtree that occurs in any program, once."""
    roots: tuple[int, ...]
    """For each program the index of its node."""

    @property
    def last_used_by(self) -> tuple[tuple[int, ...], ...]:
        """For each node the nodes whose last reader it is; a node that nothing reads is its own."""
        last_reader = list(range(len(self.nodes)))
        for reader, node in enumerate(self.nodes):
            for argument in node.arguments:
                last_reader[argument] = reader
        last_used_by: list[list[int]] = [[] for _ in self.nodes]
        for index, reader in enumerate(last_reader):
            last_used_by[reader].append(index)
        return tuple(map(tuple, last_used_by))

    @property
    def terminals(self) -> set[str]:
        """The names of the statistics that the programs read."""
        return {node.name for node in self.nodes if node.is_terminal}

    def select(self, programs: Sequence[int]) -> Graph:
        """The graph of some of the programs, in the given order, with only the nodes that they read."""
        return graph_below(self.nodes, [self.roots[program] for program in programs])


def build_graph(programs: Sequence[AnyProgram]) -> Graph:
    """Merge programs into one graph by hash-consing.

    What a sequential program shares stays shared, so that the time does not depend on the size of its tree.

    `add(a, b)` and `add(b, a)` are one node, as for every commutative operation; its arguments stay in the
    order in which they were met first. Canonical programs therefore give each operation its arguments in
    one order, whichever programs stand beside them.
    """
    index_of: dict[tuple[str, tuple[int, ...]], int] = {}
    nodes: list[Node] = []
    roots = []
    for program in programs:
        if not isinstance(program, Program):
            roots.append(_add_steps(program.steps(), nodes, index_of))
            continue
        # Token by token rather than by steps, which would take a populous call three times as long.
        waiting: list[int] = []
        # From the last token to the first, the arguments of a token are the latest values on the stack.
        for name in reversed(program.tokens):
            arguments: tuple[int, ...] = ()
            key = name, arguments
            if name in OPS:
                op = OPS[name]
                arguments = tuple(waiting.pop() for _ in range(op.arity))
                key = name, tuple(sorted(arguments)) if op.commutative else arguments
            if key not in index_of:
                index_of[key] = len(nodes)
                nodes.append(Node(name, arguments))
            waiting.append(index_of[key])
        roots.append(waiting.pop())
    return Graph(tuple(nodes), tuple(roots))


def _add_steps(steps: Steps, nodes: list[Node], index_of: dict[tuple[str, tuple[int, ...]], int]) -> int:
    """Add steps to nodes among which no two are equal; the node of the last step."""
    moved: list[int] = []
    for name, arguments_of_step in steps:
        arguments = tuple(moved[argument] for argument in arguments_of_step)
        key = name, tuple(sorted(arguments)) if name in COMMUTATIVE else arguments
        if key not in index_of:
            index_of[key] = len(nodes)
            nodes.append(Node(name, arguments))
        moved.append(index_of[key])
    return moved[-1]


def fold_roots(graph: Graph, op: str) -> Graph:
    """The graph in which an operation of one argument, such as `mean`, is applied to each program."""
    nodes = list(graph.nodes)
    index_of = {node: index for index, node in enumerate(nodes)}
    roots = []
    for root in graph.roots:
        folded = Node(op, (root,))
        index = index_of.setdefault(folded, len(nodes))
        if index == len(nodes):
            nodes.append(folded)
        roots.append(index)
    return Graph(tuple(nodes), tuple(roots))


def graph_below(nodes: Sequence[Node], roots: Sequence[int]) -> Graph:
    """The graph of programs that end in some nodes, with only the nodes that they read."""
    read = bytearray(len(nodes))
    for root in roots:
        read[root] = True
    for index in range(len(nodes) - 1, -1, -1):
        if read[index]:
            for argument in nodes[index].arguments:
                read[argument] = True
    if all(read):
        return Graph(tuple(nodes), tuple(roots))
    kept = [index for index, is_read in enumerate(read) if is_read]
    moved = {old: new for new, old in enumerate(kept)}
    below = [
        Node(name, tuple([moved[argument] for argument in arguments]))
        for name, arguments in (nodes[old] for old in kept)
    ]
    return Graph(tuple(below), tuple([moved[root] for root in roots]))
