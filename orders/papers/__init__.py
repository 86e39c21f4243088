"""Packing slips and pick lists, and papers of many orders in one file."""
