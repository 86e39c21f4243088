"""The page of all jobs: `/admin/jobs/`.

Queues and their last hour or day (`live`), why jobs failed, the list of all models' jobs with its
filters (`listing`), decisions about all of them (`deciding`), and the schedule (`crons`).
"""
