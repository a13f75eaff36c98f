"""How workloads are chosen."""

import itertools

from eznas.benchmark.freezing import Validity, choose
from eznas.program import Program


def parsed(*texts):
    return [Program.parse(text) for text in texts]


def nothing_missing(programs, geometry):
    return set()


def test_valid_distinct_programs_are_taken_in_order(networks):
    texts = ["det(T2_D)", "matmul(T3, T1_D)", "reciprocal(sub(T3, T3))", "add(T3, T3G_D)"]
    texts += ["add(T3G_D, T3)", "numel(T3)", "mean(T1_D)", "mean(T1_N)"]
    chosen = choose(Validity(networks), parsed(*texts), 3, nothing_missing)
    assert chosen == parsed("det(T2_D)", "add(T3, T3G_D)", "mean(T1_D)")


def test_after_the_count_only_what_is_missing_is_taken(networks):
    def missing(programs, geometry):
        return {"softmax"} - {token for program in programs for token in program.tokens}

    source = itertools.chain(parsed("T1_D", "T1_N", "T1_P", "softmax(T3)", "T4_D"))
    assert choose(Validity(networks), source, 2, missing) == parsed("T1_D", "T1_N", "softmax(T3)")
