"""The daily report: a day's figures, their chart and their table, mailed to the staff."""
