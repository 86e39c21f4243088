"""The admin ("desk"): pages for jobs and the schedule, its appearance, its content policy."""
