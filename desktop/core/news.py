"""What may have changed, for whoever shows it: a bell carries no facts, who hears it reads anew."""

from __future__ import annotations

from enum import StrEnum


class News(StrEnum):
    STATUS = "status"
    """The line to the hub, a pause, what runs here."""
    JOBS = "jobs"
    """A job or task of this person, on any machine."""
    LOGS = "logs"
    """Lines of some job's log."""
    QUESTIONS = "questions"
    WORKERS = "workers"
    """Machines of this person."""
    PROGRESS = "progress"
    """Transient progress of a job that runs here."""
    SCHEDULES = "schedules"
    """What is done again and again, or what was asked about it here."""
    READ = "read"
    """How far this person has read the threads."""
    MODELS = "models"
    """The folder of models on this machine."""
    POLICY = "policy"
    PAIRING = "pairing"
    """Which hub this machine belongs to."""
    SETTINGS = "settings"
    """How this program behaves: language, updates, notifications."""
