"""Fixtures for tests of the shop's pages."""

from tests.orders.accounts.conftest import ada as ada
