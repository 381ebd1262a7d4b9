"""Commands about schedules: what is done again and again, and when."""

from __future__ import annotations

from hub.frontends.commands.command import Argument, Command, Shape

_ID = Argument(name="id", summary="the four characters after #", required=True)

COMMANDS: tuple[Command, ...] = (
    Command(
        name="every",
        summary="Do something again and again",
        arguments=(
            Argument(
                name="text",
                summary="when (weekday 8:00, 2 hours, 1st 9:00, cron), then what",
                shape=Shape.REST,
                required=True,
            ),
        ),
        example="/every weekday 8:00 /predict churn new.csv",
    ),
    Command(name="schedules", summary="What is done again and again, and when next"),
    Command(
        name="pause",
        summary="Hold a schedule; buttons say this",
        arguments=(_ID,),
        example="/pause K7Q2",
        in_menu=False,
    ),
    Command(
        name="resume",
        summary="Let a schedule go on; buttons say this",
        arguments=(_ID,),
        example="/resume K7Q2",
        in_menu=False,
    ),
    Command(
        name="runnow",
        summary="Run a schedule once, now; buttons say this",
        arguments=(_ID,),
        example="/runnow K7Q2",
        in_menu=False,
    ),
    Command(
        name="unschedule",
        summary="Remove a schedule; buttons say this",
        arguments=(_ID,),
        example="/unschedule K7Q2",
        in_menu=False,
    ),
    Command(
        name="timezone",
        summary="Which time zone your schedules and clocks go by",
        arguments=(Argument(name="zone", summary="as in Europe/Vienna; auto: your computer's"),),
        example="/timezone Europe/Vienna",
    ),
)
