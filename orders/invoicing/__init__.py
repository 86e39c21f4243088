"""Invoices and credit notes: their numbers, their content, and their issue.

The steps of `lifecycle` call it within their transactions.
"""
