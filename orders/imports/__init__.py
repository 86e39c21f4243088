"""Products from a table and its pictures.

package → table → rows → pictures → catalogue → report; `run` leads through them, for the command
and for the desk's `job`.
"""
