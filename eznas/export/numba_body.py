"""The statements of the generated layer function, and the loops that it calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from eznas.compile import Graph
from eznas.export.gathering import Name
from eznas.export.layer_source import variable_names
from eznas.export.numba_regions import SUMS, Held, infer, loops, nodes_read, softmax_sizes
from eznas.export.templates import numba_runtime
from eznas.ops import OPS, OpKind
from eznas.plan import HEAVY
from eznas_kernels import determinants, eigenvalues, elementwise, matrix_products, reductions, rescaling

RUNTIME: Final = numba_runtime.__name__
ADDRESSES: Final = "addresses"
"""The parameter of the layer function that holds those of kernels."""

_ROUTINES: Final[dict[str, Callable[..., Any]]] = {
    **determinants.DETERMINANTS,
    **eigenvalues.EIGENVALUE_RATIOS,
    **matrix_products.MATRIX_PRODUCTS,
    **reductions.ROW_FOLDS,
    **rescaling.SHAPED,
}
"""Kernels that are called by their addresses."""

_SCALARS: Final[dict[str, Callable[..., Any]]] = {
    **elementwise.UNARY,
    **elementwise.PARTS,
    **elementwise.BINARY,
}
_MOMENTS: Final = ("mean_of", "deviation_of")
_CONSTANTS: Final = {"ones_like": "np.float32(1.0)", "zeros_like": "np.float32(0.0)"}


def name_of(function: Callable[..., Any]) -> Name:
    """Where a function of the kernels or of the runtime stands."""
    return Name(function.__module__, function.__name__)


@dataclass(slots=True)
class Body:
    """A layer function in the making.

    Attributes:
        lines: Its statements.
        loops: The functions of the loops that it calls.
        needed: What these texts call, by the placeholder that stands for it: a name in braces.
        routines: The kernels whose addresses the function is given, in their order.
    """

    lines: list[str] = field(default_factory=list)
    loops: list[str] = field(default_factory=list)
    needed: dict[str, Name] = field(default_factory=dict)
    routines: list[Name] = field(default_factory=list)

    def call(self, name: str) -> str:
        """What stands in the text for a function of the runtime."""
        return self._placeholder(name, Name(RUNTIME, name))

    def scalar(self, op: str) -> str:
        """What stands in the text for the function of an operation on single numbers."""
        return self._placeholder(f"scalar_{op}", name_of(_SCALARS[op]))

    def quick(self, op: str) -> str:
        """The same for the quick form of an operation."""
        return self._placeholder(f"quick_{op}", name_of(elementwise.QUICK[op].function))

    def routine(self, op: str) -> str:
        """The address of the kernel of an operation."""
        name = name_of(_ROUTINES[op])
        if name not in self.routines:
            self.routines.append(name)
        return f"{ADDRESSES}[{self.routines.index(name)}]"

    def _placeholder(self, key: str, name: Name) -> str:
        self.needed[key] = name
        return f"{{{key}}}"


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def layer_body(graph: Graph) -> Body:
    """The body for a program, down to its number; see `layer_graph`.

    Raises:
        ExportError: The program has a shape on no layer.
    """
    types = infer(graph)
    writer = _Writer(graph, types.held)
    for line in types.lines:
        function = line.partition(" = ")[2].partition("(")[0] if " = " in line else line.partition("(")[0]
        is_call = "(" in line
        writer.body.lines.append(
            line.replace(f"{function}(", f"{writer.body.call(function)}(") if is_call else line
        )
    for index in sorted(nodes_read(graph)):
        writer.write(index)
    writer.body.lines.append(f"return {writer.names[graph.roots[0]]}")
    return writer.body


class _Writer:
    def __init__(self, graph: Graph, held: list[Held]) -> None:
        self.graph = graph
        self.held = held
        self.names = variable_names(graph)
        self.home = loops(graph, held, nodes_read(graph))
        self.body = Body()
        self._made: dict[str, str] = {}

    def write(self, index: int) -> None:
        """Write what computes a node, unless a loop does."""
        node, held = self.graph.nodes[index], self.held[index]
        if node.name == "normalize" and not held.is_uniform:
            array = self._array(node.arguments[0])
            pair = f"mean_of_{self.names[index]}, deviation_of_{self.names[index]}"
            self._line(pair, f"{self.body.call('mean_and_deviation')}({array})")
        if index in self.home:
            return
        name = self.names[index]
        if node.is_terminal:
            self.names[index] = f"flat_{name}"
            self._line(f"flat_{name}", f"{name}.reshape({name}.size)")
        elif node.name in _CONSTANTS:
            self._line(name, _CONSTANTS[node.name])
        elif node.name == "numel":
            shape = self.held[node.arguments[0]].shape
            self._line(name, f"np.float32({self.body.call('size_of')}({self._shape(shape)}))")
        elif node.name in SUMS:
            self._sum(index)
        elif OPS[node.name].kind is OpKind.MAP or node.name == "normalize":
            if held.is_uniform:
                self._line(name, self._term(index, {}))
            else:
                self._map(index)
        else:
            self._routine(index)

    def _line(self, name: str, expression: str) -> None:
        self.body.lines.append(f"{name} = {expression}")

    def _shape(self, shape: str) -> str:
        return self.body.call("ONES") if shape == "ONES" else shape

    def _array(self, index: int, wanted: str | None = None) -> str:
        """A variable that holds all elements of a node, in the places of a shape that it broadcasts to."""
        held = self.held[index]
        shape = held.shape if wanted is None else wanted
        if held.is_uniform:
            expression = f"{self.body.call('filled')}({self.names[index]}, {self._shape(shape)})"
        elif held.shape != shape:
            own = self._shape(held.shape)
            expression = f"{self.body.call('stretched')}({self.names[index]}, {own}, {self._shape(shape)})"
        else:
            return self.names[index]
        if expression not in self._made:
            self._made[expression] = f"whole_{len(self._made) + 1}"
            self._line(self._made[expression], expression)
        return self._made[expression]

    def _term(self, index: int, known: dict[int | str, str]) -> str:
        """The expression of one element of an elementwise node, from those of its arguments."""
        node = self.graph.nodes[index]
        arguments = [known.get(argument, self.names[argument]) for argument in node.arguments]
        if node.name == "normalize":
            if self.held[index].is_uniform:
                return _CONSTANTS["zeros_like"]
            moments = [known[f"{what}_{self.names[index]}"] for what in _MOMENTS]
            return f"{self.body.call('normalized')}({', '.join([*arguments, *moments])})"
        return f"{self.body.scalar(node.name)}({', '.join(arguments)})"

    def _inside(self, index: int) -> list[int]:
        """The nodes that are computed within the loop of another."""
        return [each for each in sorted(self.home) if self.home[each] == index]

    def _loop(
        self, index: int, shape: str, roots: tuple[int, ...]
    ) -> tuple[list[str], list[str], list[str], dict[int | str, str]]:
        """The parameters, arguments and statements of a loop, and the expression of each element in it."""
        inside = self._inside(index)
        if index in roots:
            inside.append(index)
        parameters: list[str] = []
        arguments: list[str] = []
        known: dict[int | str, str] = {}

        def operand(argument: int) -> None:
            if argument in known or argument in inside:
                return
            if self.held[argument].is_uniform:
                self._operand(
                    parameters, arguments, known, argument, f"number_{len(parameters)}", self.names[argument]
                )
            else:
                self._operand(
                    parameters,
                    arguments,
                    known,
                    argument,
                    f"array_{len(parameters)}",
                    self._array(argument, shape),
                )

        statements = []
        for step, each in enumerate(inside):
            node = self.graph.nodes[each]
            for argument in node.arguments:
                operand(argument)
            if node.name == "normalize":
                for what in _MOMENTS:
                    moment = f"{what}_{self.names[each]}"
                    self._operand(parameters, arguments, known, moment, f"number_{len(parameters)}", moment)
            known_term = self._term(each, known)
            known[each] = f"step_{step}"
            statements.append(f"step_{step} = {known_term}")
        for root in roots:
            operand(root)
        return parameters, arguments, statements, known

    @staticmethod
    def _operand(
        parameters: list[str],
        arguments: list[str],
        known: dict[int | str, str],
        key: int | str,
        parameter: str,
        argument: str,
    ) -> None:
        parameters.append(parameter)
        arguments.append(argument)
        known[key] = parameter if parameter.startswith("number") else f"{parameter}[i]"

    def _function(self, kind: str, name: str, parameters: list[str], returns: str, body: list[str]) -> None:
        types = ", ".join(
            "types.float32"
            if each.startswith("number")
            else self.body.call("DESTINATION" if each == "destination" else "SOURCE")
            for each in parameters
        )
        self.body.loops.append(
            "\n".join(
                [
                    f"@{self.body.call(kind)}({types}{returns})",
                    f"def {name}({', '.join(parameters)}):",
                    *(f"    {line}" for line in body),
                ]
            )
        )

    def _map(self, index: int) -> None:
        shape, name = self.held[index].shape, self.names[index]
        parameters, arguments, statements, _ = self._loop(index, shape, (index,))
        statements[-1] = "destination[i]" + statements[-1][statements[-1].index(" =") :]
        body = ["for i in range(destination.size):", *_indented(statements)]
        used = sorted(HEAVY & {self.graph.nodes[each].name for each in (*self._inside(index), index)})
        if used:
            quick = [line for statement in statements for line in self._quick(statement, used)]
            limit = min(int(elementwise.QUICK[op].largest_strain) for op in used)
            body = [
                "worst = np.uint32(0)",
                "for i in range(destination.size):",
                *_indented(quick),
                f"if worst > np.uint32({limit}):",
                *_indented(body),
            ]
        self._function("kernel", f"fill_{name}", [*parameters, "destination"], "", body)
        self._line(name, f"np.empty({self.body.call('size_of')}({self._shape(shape)}), np.float32)")
        self.body.lines.append(f"fill_{name}({', '.join([*arguments, name])})")

    def _quick(self, statement: str, heavy: Iterable[str]) -> list[str]:
        """The statement by the quick form of its operation, which tells how far its argument strains it."""
        for op in heavy:
            if (careful := self.body.scalar(op)) in statement:
                result, _, call = statement.partition(" = ")
                return [
                    f"{result}, strain = {call.replace(careful, self.body.quick(op))}",
                    "worst = strain if strain > worst else worst",
                ]
        return [statement]

    def _sum(self, index: int) -> None:
        node, name = self.graph.nodes[index], self.names[index]
        of = [self.held[argument] for argument in node.arguments]
        shapes = {held.shape for held in of} - {"ONES"}
        shape = next(iter(shapes), "ONES")
        if len(shapes) == 2:
            # The broadcast shape was worked out when the types were.
            wanted = f"broadcast({of[0].shape}, {of[1].shape})"
            shape = next(
                line.partition(" = ")[0]
                for line in self.body.lines
                if line.endswith(wanted.replace("broadcast", self.body.call("broadcast")))
            )
        size = f"{self.body.call('size_of')}({self._shape(shape)})"
        if all(held.is_uniform for held in of):
            term = self._summand(index, [self.names[argument] for argument in node.arguments])
            total = f"np.float64({term}) * {size}"
            if node.name == "mean":
                self._line(name, self.names[node.arguments[0]])
                return
        else:
            parameters, arguments, statements, known = self._loop(index, shape, node.arguments)
            statements.append(
                f"total += {self._summand(index, [known[argument] for argument in node.arguments])}"
            )
            counts = node.name == "hamming_distance"
            array = next(each for each in parameters if each.startswith("array"))
            body = ["total = 0" if counts else "total = 0.0", f"for i in range({array}.size):"]
            body += [*(f"    {line}" for line in statements), "return total"]
            returns = ", returns=types.int64" if counts else ""
            self._function("reduction", f"sum_for_{name}", parameters, returns, body)
            total = f"sum_for_{name}({', '.join(arguments)})"
        if node.name in ("mean", "l1_norm"):
            self._line(name, f"np.float32({total} / {size})")
        elif node.name == "frobenius_norm":
            self._line(name, f"np.float32(np.sqrt({total}))")
        elif node.name == "hamming_distance":
            self._line(name, f"np.float32({total})")
        else:
            first = of[0]
            rows = f"{self._shape(first.shape)}[{4 - first.rank}]" if first.rank else "1"
            self._line(name, f"np.float32({total}) / np.float32({rows})")

    def _summand(self, index: int, arguments: list[str]) -> str:
        name = self.graph.nodes[index].name
        if name == "mean":
            return arguments[0]
        if name == "hamming_distance":
            zero = self.body.call("ZERO")
            return f"({arguments[0]} > {zero}) != ({arguments[1]} > {zero})"
        if name == "kl_divergence":
            information = f"{self.body.scalar('information')}({arguments[1]})"
            product = f"{self.body.scalar('mul')}({arguments[1]}, {arguments[0]})"
            return f"{self.body.scalar('sub')}({information}, {product})"
        return f"{self.body.scalar('abs' if name == 'l1_norm' else 'square')}({arguments[0]})"

    def _routine(self, index: int) -> None:
        node, held, name = self.graph.nodes[index], self.held[index], self.names[index]
        of = [self.held[argument] for argument in node.arguments]
        arrays = [self._array(argument) for argument in node.arguments]
        shapes = [self._shape(each.shape) for each in of]
        rows = [f"{shape}[{4 - each.rank}]" for shape, each in zip(shapes, of, strict=True)]
        address = self.body.routine(node.name)
        if node.name == "softmax":
            sizes = ("1", "1", "1") if of[0].shape == "ONES" else softmax_sizes(of[0])
            expression = self._call("softmax_over", address, arrays[0], *sizes)
        elif node.name == "cosine_similarity":
            expression = self._call("of_rows_of_two", address, arrays[0], rows[0], arrays[1], rows[1])
        elif node.name in ("det", "logdet"):
            expression = self._call("for_each_matrix", address, arrays[0], shapes[0])
        elif node.name in ("eig_ratio", "sym_eig_ratio"):
            expression = self._call("of_rows", address, arrays[0], rows[0])
        else:
            if of[1].rank == 1:
                shapes[1] = self._call("as_column", shapes[1])
            shape = self._call("shape_of_products", *shapes)
            expression = self._call("products_of", address, arrays[0], shapes[0], arrays[1], shapes[1], shape)
        is_number = held.is_uniform and node.name in ("softmax", "det", "logdet", "matmul")
        self._line(name, f"{expression}[0]" if is_number else expression)

    def _call(self, function: str, *arguments: str) -> str:
        return f"{self.body.call(function)}({', '.join(arguments)})"
