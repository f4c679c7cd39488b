"""Columns as the steps write them."""

from typing import Any

import sqlalchemy as sa


def _column(name: str, kind: sa.types.TypeEngine[Any], required: bool) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=not required)


def text(name: str, *, required: bool = False) -> sa.Column[Any]:
    return _column(name, sa.Text(), required)


def real(name: str, *, required: bool = False) -> sa.Column[Any]:
    return _column(name, sa.Double(), required)


def whole(name: str, *, required: bool = False) -> sa.Column[Any]:
    return _column(name, sa.BigInteger(), required)


def time(name: str, *, required: bool = False) -> sa.Column[Any]:
    """Microseconds since 1970 UTC."""
    return _column(name, sa.BigInteger(), required)


def flag(name: str) -> sa.Column[Any]:
    return _column(name, sa.Boolean(), required=False)


def body(name: str, *, required: bool = False) -> sa.Column[Any]:
    return _column(name, sa.LargeBinary(), required)
