"""Reports of finished runs: figures and tables; nothing here runs a search."""

from eznas.report.correlation_table import CorrelationTable, comparison_table
from eznas.report.figures import write_comparison_figure, write_figures
from eznas.report.measures import Measure, measures
from eznas.report.sweep_figures import write_sweep_figures
from eznas.report.tables import TableFormat, render, write_tables
from eznas.report.text_table import text_tables
from eznas.report.verdict import Verdict, verdicts

__all__ = [
    "CorrelationTable",
    "Measure",
    "TableFormat",
    "Verdict",
    "comparison_table",
    "measures",
    "render",
    "text_tables",
    "verdicts",
    "write_comparison_figure",
    "write_figures",
    "write_sweep_figures",
    "write_tables",
]
