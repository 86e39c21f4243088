"""Import of products from a table and its pictures.

package → table → rows → pictures → products → report. `run` calls them in this order, for the
command and for the desk's `job`.
"""
