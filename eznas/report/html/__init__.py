"""The report of a run as one HTML file: figures, formulas, trees and tables, without script or network."""

from eznas.report.html.page import render_page
from eznas.report.html.record import report_record
from eznas.report.html.story import RunStory, read_story

__all__ = ["RunStory", "read_story", "render_page", "report_record"]
