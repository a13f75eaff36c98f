"""Programs as files that others can use without eznas, each checked before it is written."""

from eznas.errors import ExportError
from eznas.export.description import OPERATIONS_HASH, Description, operations_hash
from eznas.export.exporting import Exported, Format, export, parse_format, suffix_of
from eznas.export.json_format import load_json

__all__ = [
    "OPERATIONS_HASH",
    "Description",
    "ExportError",
    "Exported",
    "Format",
    "export",
    "load_json",
    "operations_hash",
    "parse_format",
    "suffix_of",
]
