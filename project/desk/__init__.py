"""The operator's desk: pages for jobs and the schedule, how the admin looks, what it may load."""
