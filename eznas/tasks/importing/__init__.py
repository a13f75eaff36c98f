"""Readers of published accuracy tables: every format gives the same records."""

from eznas.tasks.importing.costs import CostCheck, check_costs
from eznas.tasks.importing.formats import Format, read_records
from eznas.tasks.importing.records import Records
from eznas.tasks.importing.request import Request

__all__ = ["CostCheck", "Format", "Records", "Request", "check_costs", "read_records"]
