"""Pictures and videos: assets, recipes, and the jobs that make renditions of them."""
