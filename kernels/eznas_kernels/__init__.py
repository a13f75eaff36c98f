"""Hand-written compiled kernels over raw arrays and scalars; they know no program, op table or layer."""
