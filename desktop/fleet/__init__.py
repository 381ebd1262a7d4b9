"""A node of the fleet: a worker without a person's files, fed by Celery and its hub."""
