"""The tables of the report, one a file.  TABLES has those that are rows of text under heads."""

from synaptree.report.tables import errors, failures, growth, health, needs, variance
from synaptree.report.tables.base import Row, Table

__all__ = ["TABLES", "Row", "Table"]

TABLES: tuple[Table, ...] = (
    errors.TABLE,
    needs.TABLE,
    growth.TABLE,
    failures.TABLE,
    health.TABLE,
    variance.TABLE,
)
