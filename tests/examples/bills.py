"""Research upcoming bills and prepare comments on the environmental bill."""

from __future__ import annotations

from desktop.jobs.plan.samples.model import COMPOSES, PLANS, Rule
from desktop.jobs.plan.samples.writing import clarify, plan, question, step, taken, value
from tests.examples.example import Example

TASK = "Research upcoming bills and prepare comments on the environmental bill."
_READS = "You answer a person's question from pages of the web."
_UPCOMING = "Which bills come up in the Sampleland parliament, and what is the environmental one?"
_COMMENTS = """\
# Comments on the Clean Streams Bill (B-12) of Sampleland (made up)

From: a resident. To: the committee for the environment.

1. **Section 2, the limit of 10 mg of nitrate.** We welcome it; it is measured twice a year. We ask
   for four times, because most nitrate comes in spring.
2. **Section 4, buffer strips of 5 metres.** Small farms lose most. We propose 3 metres for farms
   below 20 hectares, with the difference paid.
3. **Section 7, from 1 July 2027.** That is one season. We propose two.
"""
_PLAN = plan(
    "Say which bills come up, and prepare comments on the environmental one.",
    step(
        "bills", "Research the upcoming bills", "web.research",
        value("queries", "Sampleland parliament upcoming bills, Clean Streams Bill sections"),
        gives={"findings": "text", "source_urls": "url_list"}, words=_UPCOMING,
    ),
    step(
        "comments", "Draft the comments", "llm.ask", taken("text", "bills", "findings"),
        gives={"text": "text"},
        words="Draft comments on the Clean Streams Bill from a resident's view.",
        criteria=(("nonempty", ""), ("llm_judge", "Does each comment name a section?")),
    ),
    step(
        "letter", "Write the comments down", "files.write",
        value("file", "comments on clean streams bill.md"), taken("text", "comments", "text"),
        gives={"file": "file"}, permission="write", criteria=(("file_exists", ""),),
    ),
    assumptions=("The environmental bill is the Clean Streams Bill.",),
)  # fmt: skip

BILLS = Example(
    name="bills",
    title="Upcoming bills and comments on one",
    about="Sampleland, its parliament and its bills are made up; the site is a server on this "
    "machine, and so is the search engine.",
    task=TASK,
    pages={
        "/bills": (
            "Upcoming bills of the Sampleland parliament",
            "Three bills come up this autumn. B-11, the Library Hours Bill, keeps libraries open "
            "on Sundays. B-12, the Clean Streams Bill, is the only one on the environment; its "
            "committee takes comments until 30 November. B-13, the Bicycle Bell Bill, asks for "
            "bells on all bicycles.",
        ),
        "/bills/clean-streams": (
            "B-12 Clean Streams Bill",
            "Section 2 limits nitrate in streams to 10 mg per litre, measured twice a year. "
            "Section 4 asks for buffer strips of 5 metres along every stream. Section 7 puts the "
            "bill into force on 1 July 2027. Anybody who lives in Sampleland may comment.",
        ),
    },
    rules=(
        Rule((PLANS, TASK, "The person says:"), _PLAN),
        Rule(
            (PLANS, TASK),
            clarify(
                "Comments differ by who makes them.",
                question("For whom do you comment?", "As a resident", "For a company"),
            ),
        ),
        Rule(
            (_READS, "Clean Streams"),
            "Three bills come up: the Library Hours Bill (B-11), the Clean Streams Bill (B-12) and "
            "the Bicycle Bell Bill (B-13) [1]. The Clean Streams Bill is the one on the "
            "environment, and comments are taken until 30 November [1]. It limits nitrate to "
            "10 mg per litre, asks for buffer strips of 5 metres and is to hold from 1 July 2027 "
            "[2].",
        ),
        Rule(("YES or NO", "name a section"), "YES, each of the three names its section."),
        Rule(
            (COMPOSES, TASK),
            "Three bills come up in Sampleland this autumn; B-12, the Clean Streams Bill, is the "
            "one on the environment, and its committee takes comments until 30 November [1][2]. "
            "It limits nitrate to 10 mg per litre, asks for buffer strips of 5 metres and is to "
            "hold from 1 July 2027 [3]. Comments on sections 2, 4 and 7, as a resident, are "
            "drafted and lie in the folder [4][5].",
        ),
        Rule(("Draft comments on the Clean Streams Bill",), _COMMENTS),
    ),
    answers=(("For whom do you comment?", "As a resident"), ("Plan (", "Go")),
)
