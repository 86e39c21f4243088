"""Papers: invoices, credit notes, packing slips and pick lists, set as PDF from frozen contexts."""
