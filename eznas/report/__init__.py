"""Reports of finished runs: figures and tables; nothing here runs a search."""

from eznas.report.figures import write_comparison_figure, write_figures
from eznas.report.verdict import Verdict, verdicts

__all__ = ["Verdict", "verdicts", "write_comparison_figure", "write_figures"]
