"""Pictures and films: assets, recipes, and the jobs that make renditions of them."""
