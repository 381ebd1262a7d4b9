"""Do my latest homework assignment."""

from __future__ import annotations

from desktop.jobs.plan.samples.model import COMPOSES, PLANS, Rule
from desktop.jobs.plan.samples.writing import clarify, plan, question, step, taken, value
from tests.examples.example import Example

TASK = "Do my latest homework assignment."
_SHEET = """\
# Sample School (made up), mathematics, sheet 7

1. A train travels 150 km in 1.5 hours. How fast is it on average?
2. Solve 3x + 7 = 22.
3. A rectangle has a perimeter of 36 cm and is twice as long as wide. What is its area?
"""
_HISTORY = """\
# Sample School (made up), history, sheet 3

Write half a page about the printing press.
"""
_SOLUTION = """\
# Sheet 7

1. Speed is distance by time: 150 km / 1.5 h = 100 km/h.
2. 3x + 7 = 22, so 3x = 15 and x = 5.
3. With width w, 2 * (w + 2w) = 36, so w = 6 cm; the length is 12 cm and the area 72 cm².
"""
_PLAN = plan(
    "Solve sheet 7 of mathematics, with the way to each answer.",
    step(
        "sheet", "Read the sheet", "files.read", value("file", "mathematics sheet 7.md"),
        gives={"text": "text"},
    ),
    step(
        "solve", "Solve the problems", "llm.ask", taken("text", "sheet", "text"),
        gives={"text": "text"}, words="Solve these problems and show each step.",
        criteria=(("regex", "72"), ("human", "Is this how you would hand it in?")),
    ),
    step(
        "page", "Write the solution", "files.write",
        value("file", "mathematics sheet 7 solution.md"), taken("text", "solve", "text"),
        gives={"file": "file"}, permission="write", criteria=(("file_exists", ""),),
    ),
)  # fmt: skip

HOMEWORK = Example(
    name="homework",
    title="The latest homework",
    about="Sample School and its sheets are made up.",
    task=TASK,
    files={"mathematics sheet 7.md": _SHEET, "history sheet 3.md": _HISTORY},
    rules=(
        Rule((PLANS, TASK, "The person says:"), _PLAN),
        Rule(
            (PLANS, TASK),
            clarify(
                "There are two new sheets in the folder.",
                question("Which assignment?", "Mathematics, sheet 7", "History, sheet 3"),
                question("How much is to be shown?", "Each step", "The answers alone"),
            ),
        ),
        Rule(
            (COMPOSES, TASK),
            "Sheet 7 of mathematics has three problems [1]. The train travels at 100 km/h, x is "
            "5, and the rectangle's area is 72 cm² [2]. The solution, with each step, is in the "
            "folder [3].",
        ),
        Rule(("Solve these problems",), _SOLUTION),
    ),
    answers=(
        ("Which assignment?", "Mathematics, sheet 7"),
        ("How much is to be shown?", "Each step"),
        ("Plan (", "Go"),
        ("Is this how you would hand it in?", "Yes, go on"),
    ),
)
