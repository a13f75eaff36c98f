"""The report as tables of text, which the terminal and Markdown show alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from eznas.benchmark.agreement import Difference
from eznas.benchmark.operations import OperationTiming
from eznas.benchmark.populations import BackendTiming
from eznas.benchmark.report import BenchReport
from eznas.benchmark.trees import PeerTiming

_SHOWN_DIFFERENCES = 12
_SHOWN_CASES = 5


@dataclass(frozen=True, slots=True)
class Section:
    """A table with a title, and what one must know to read it."""

    title: str
    note: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def sections(report: BenchReport) -> list[Section]:
    """The tables of all parts that were measured."""
    made = (
        _workloads(report),
        _backends(report),
        _alone(report),
        _throughput(report),
        _peers(report),
        _peer_ratios(report),
        _operation_kinds(report),
        _operations(report),
        _weakest(report),
        _cold_starts(report),
        _memos(report),
        _growth(report),
        _rooflines(report),
        _differences(report, "wrong", "Wrong results"),
        _differences(report, "ill_conditioned", "Ill-conditioned results"),
    )
    return [section for section in made if section.rows]


def _workloads(report: BenchReport) -> Section:
    return Section(
        "Workloads",
        f"Eager torch evaluates one tree on one layer at a time, on {_threads(report)}; "
        f"{report.options.networks.count} networks with {report.layers} layers.",
        ("workload", "programs", "nodes: least, median, most", "eager torch"),
        tuple(
            (
                each.name,
                str(each.programs),
                f"{each.least_size}, {each.median_size:g}, {each.largest_size}",
                _time(each.baseline_seconds),
            )
            for each in report.workloads
        ),
    )


def _backends(report: BenchReport) -> Section:
    return Section(
        "Whole workloads: how many times faster than eager torch",
        f"Cells: programs x networks. Both on {_threads(report)}; memo off. First: a call of a new "
        "evaluator, planning counted, kernels loaded before. Later: planned before. Ratio: to eager torch, a "
        "tree and a layer at a time on the same cells.",
        ("workload", "backend", "cells", "eager", "first", "ratio", "later", "ratio", "planning"),
        tuple(
            (
                each.workload,
                each.backend,
                f"{len(each.rows)} x {each.networks}",
                _time(each.baseline_seconds),
                _time(each.first_seconds),
                _ratio(each.ratio),
                _time(each.later_seconds),
                _ratio(each.later_ratio),
                _time(each.planning_seconds),
            )
            for each in report.backends
        ),
    )  # fmt: skip


def _alone(report: BenchReport) -> Section:
    return Section(
        "Each program alone: how many times faster than eager torch",
        "Each program in a call of its own by a new evaluator, so that nothing is shared; planning counted. "
        "Wrong: results on a layer that disagree with eager torch; their programs are not timed. "
        "Ill: ill-conditioned results, which rounding decides; listed below. To eager: nodes that the "
        "backend left to eager torch, where it tells.",
        ("workload", "backend", "timed", "least", "median", "most", "results", "wrong", "ill", "to eager"),
        tuple(
            (
                each.workload,
                each.backend,
                str(len(each.alone_rows)),
                *_spread(each.alone_ratios),
                f"{each.agreement.compared:,}",
                str(len(each.agreement.wrong)),
                str(len(each.agreement.ill_conditioned)),
                "" if each.fallbacks is None else str(each.fallbacks),
            )
            for each in report.backends
        ),
    )  # fmt: skip


def _throughput(report: BenchReport) -> Section:
    bandwidth = next((each.bandwidth for each in report.rooflines), None)
    return Section(
        "Throughput of later calls",
        "Node evaluations: nodes of all trees times layers, shared or not. GB/s: the statistics that the "
        "workload reads, each counted once"
        + (f"; share: of the {bandwidth / 1e9:.1f} GB/s that memory gives." if bandwidth else "."),
        ("workload", "backend", "node evaluations/s", "GB/s", "share"),
        tuple(
            (
                each.workload,
                each.backend,
                f"{each.node_evaluations / each.later_seconds:,.0f}",
                f"{each.terminal_bytes / each.later_seconds / 1e9:.2f}",
                f"{each.terminal_bytes / each.later_seconds / bandwidth:.1%}" if bandwidth else "",
            )
            for each in report.backends
        ),
    )


def _peers(report: BenchReport) -> Section:
    skipped = "".join(f" {name} was skipped: {reason}." for name, reason in report.skipped_peers.items())
    parts = {each.peer: each.part for each in report.peers}
    can = "; ".join(f"{name}: {part}" for name, part in parts.items())
    return Section(
        "Peers: what was measured",
        f"What each can compute: {can}. Samples are spread over the workload and end with the time that a "
        f"peer gets. Compiling: a program, on all its geometries; torch.compile is measured on two "
        f"geometries.{skipped}",
        ("workload", "peer", "programs", "can do", "timed", "layers", "compiling", "wrong", "ill"),
        tuple(
            (
                each.workload,
                each.peer,
                str(each.of),
                str(each.supported),
                str(len(each.rows)),
                str(each.layers),
                _time(each.compile_seconds / len(each.rows)) if each.rows else "",
                str(len(each.agreement.wrong)),
                str(len(each.agreement.ill_conditioned)),
            )
            for each in report.peers
        ),
    )  # fmt: skip


def _peer_ratios(report: BenchReport) -> Section:
    return Section(
        "Peers: how many times faster than eager torch",
        f"One tree and one layer at a time, on {_threads(report)}. Ratio: of all timed programs, compiled "
        "before. Least, median, most: by program. Best backend: the median ratio of the same programs, alone "
        "and planning counted, by the backend that is fastest on them; * marks a peer that beats it.",
        ("workload", "peer", "ratio", "with compiling", "least", "median", "most", "best backend"),
        tuple(
            (
                each.workload,
                each.peer,
                _ratio(each.ratio),
                _ratio(each.ratio_with_compiling),
                *_spread(each.program_ratios),
                _best_backend(each, report.backends),
            )
            for each in report.peers
            if each.rows
        ),
    )


def _best_backend(peer: PeerTiming, backends: Sequence[BackendTiming]) -> str:
    medians = {}
    for timing in backends:
        alone = dict(zip(timing.alone_rows, timing.alone_ratios, strict=True))
        ratios = [alone[row] for row in peer.rows if row in alone]
        if timing.workload == peer.workload and ratios:
            medians[timing.backend] = float(np.median(ratios))
    if not medians:
        return ""
    best = max(medians, key=lambda name: medians[name])
    beaten = bool(peer.program_ratios) and float(np.median(peer.program_ratios)) > medians[best]
    return f"{_ratio(medians[best])} ({best}){' *' if beaten else ''}"


def _operation_kinds(report: BenchReport) -> Section:
    kinds = list(dict.fromkeys(each.kind for each in report.operations))
    rows = []
    for kind in kinds:
        cases = [each for each in report.operations if each.kind == kind]
        baseline = sum(each.baseline_seconds for each in cases)
        rows.append(
            (
                kind,
                str(len(cases)),
                _time(baseline / len(cases)),
                *(
                    f"{_time(sum(each.seconds[name] for each in cases) / len(cases))} "
                    f"({_ratio(baseline / sum(each.seconds[name] for each in cases))})"
                    for name in report.options.backends
                ),
            )
        )
    return Section(
        "Time by kind of operation",
        "Each operation alone, with the mean of its result, on every shape that the networks hold: the mean "
        "time a layer, and how many times faster than eager torch. One thread.",
        ("kind", "cases", "eager torch", *report.options.backends),
        tuple(rows),
    )


def _operations(report: BenchReport) -> Section:
    by_op: dict[str, list[OperationTiming]] = {}
    for timing in report.operations:
        by_op.setdefault(timing.op, []).append(timing)
    return Section(
        "Operations: how many times faster than eager torch, at the least",
        "The least ratio over all shapes; below 1 the backend is slower. One thread, planned before.",
        ("operation", "kind", "shapes", *report.options.backends),
        tuple(
            (op, cases[0].kind, str(len(cases)), *(_least(cases, name) for name in report.options.backends))
            for op, cases in by_op.items()
        ),
    )


def _least(cases: Sequence[OperationTiming], backend: str) -> str:
    wrong = " WRONG" if any(backend in case.wrong for case in cases) else ""
    return f"{_ratio(min(case.ratio(backend) for case in cases))}{wrong}"


def _weakest(report: BenchReport) -> Section:
    rows: list[tuple[str, ...]] = []
    for backend in report.options.backends:
        cases = sorted(report.operations, key=lambda case, name=backend: case.ratio(name))  # type: ignore[misc]
        rows += [
            (
                backend,
                case.op,
                "x".join(map(str, case.shape)),
                _time(case.baseline_seconds),
                _time(case.seconds[backend]),
                _ratio(case.ratio(backend)),
            )
            for case in cases[:_SHOWN_CASES]
        ]
    return Section(
        "Operations: where each backend gains least",
        f"The {_SHOWN_CASES} cases with the least ratio, a layer, with the mean of the result.",
        ("backend", "operation", "shape", "eager torch", "backend", "times faster"),
        tuple(rows),
    )


def _cold_starts(report: BenchReport) -> Section:
    return Section(
        "A new process",
        f"Workload {report.options.workloads[0]}; kernels come from the disk cache. Planning is what the "
        "first call takes beyond the second, loading on demand included.",
        ("backend", "cells", "imports", "load", "first", "later", "planning", "process"),
        tuple(
            (
                each.backend,
                f"{each.programs} x {each.networks}",
                _time(each.import_seconds),
                _time(each.load_seconds),
                _time(each.first_seconds),
                _time(each.later_seconds),
                _time(each.planning_seconds),
                _time(each.process_seconds),
            )
            for each in report.cold_starts
        ),
    )  # fmt: skip


def _memos(report: BenchReport) -> Section:
    return Section(
        "Memo",
        "Two calls on the same networks, the second with some programs replaced. Hits: of its lookups of "
        "programs, and of subtrees of the programs that missed.",
        ("backend", "programs", "replaced", "networks", "first", "second", "ratio", "hits", "subtrees",
         "kept"),
        tuple(
            (
                each.backend,
                str(each.programs),
                str(each.replaced),
                str(each.networks),
                _time(each.first_seconds),
                _time(each.second_seconds),
                _ratio(each.first_seconds / each.second_seconds),
                f"{each.hit_rate:.0%}",
                f"{each.subtree_hit_rate:.0%}",
                f"{each.memo_bytes / 2**20:.1f} MiB",
            )
            for each in report.memos
        ),
    )  # fmt: skip


def _growth(report: BenchReport) -> Section:
    return Section(
        "Growth",
        f"Workload {report.options.workloads[0]}, first calls of new evaluators, planning counted, memo off.",
        ("backend", "varied", "programs", "networks", "threads", "seconds"),
        tuple(
            (each.backend, each.varied, str(each.programs), str(each.networks), str(each.threads),
             _time(each.seconds))
            for each in report.growth
        ),
    )  # fmt: skip


def _rooflines(report: BenchReport) -> Section:
    return Section(
        "Roofline: mean(abs(T1_D)) against the bandwidth of the memory",
        "The caches are filled with something else before each call. Bandwidth: the fastest of plain sums "
        "over a large array. Layers alone: the backend without the evaluator around it, on one thread.",
        ("backend", "threads", "read", "bandwidth", "call", "share", "layers alone", "share"),
        tuple(
            (
                each.backend,
                str(each.threads),
                f"{each.bytes / 2**20:.0f} MiB",
                f"{each.bandwidth / 1e9:.1f} GB/s",
                _time(each.score_seconds),
                f"{each.share:.0%}",
                _time(each.layers_seconds),
                f"{each.layers_share:.0%}",
            )
            for each in report.rooflines
        ),
    )  # fmt: skip


def _differences(report: BenchReport, kind: str, title: str) -> Section:
    """Differences by evaluator and program, with the first of each program as an example."""
    found_by = [(each.workload, each.backend, each.agreement) for each in report.backends]
    found_by += [(each.workload, each.peer, each.agreement) for each in report.peers]
    rows: list[tuple[str, ...]] = []
    for workload, name, agreement in found_by:
        by_program: dict[str, list[Difference]] = {}
        for difference in getattr(agreement, kind):
            by_program.setdefault(difference.program, []).append(difference)
        for found in list(by_program.values())[:_SHOWN_DIFFERENCES]:
            rows.append((workload, name, str(len(found)), *_example(found[0])))
        if len(by_program) > _SHOWN_DIFFERENCES:
            rest = len(by_program) - _SHOWN_DIFFERENCES
            rows.append((workload, name, "", f"and {rest} programs more", "", "", ""))
    return Section(
        title,
        "Float64 torch decides where float32 results differ by more than 1e-4; the JSON holds every case.",
        ("workload", "evaluator", "layers", "program", "eager torch", "got", "float64"),
        tuple(rows),
    )


def _example(difference: Difference) -> Iterable[str]:
    values = (difference.eager, difference.got, difference.float64)
    return difference.program, *(f"{value:.7g}" for value in values)


def _threads(report: BenchReport) -> str:
    return "one thread" if report.options.threads == 1 else f"{report.options.threads} threads"


def _spread(ratios: Sequence[float]) -> tuple[str, str, str]:
    if not ratios:
        return "", "", ""
    return _ratio(min(ratios)), _ratio(float(np.median(ratios))), _ratio(max(ratios))


def _ratio(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def _time(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.1f} µs"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
