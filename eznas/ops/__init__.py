"""The 34 tensor operations that programs are made of: one table, from which everything else is derived."""

from eznas.ops.table import OP_SET_HASH, OPS, Op, OpKind

__all__ = ["OPS", "OP_SET_HASH", "Op", "OpKind"]
