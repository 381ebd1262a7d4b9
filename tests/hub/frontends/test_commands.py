"""What people type becomes a command with its arguments, or a sentence that says what is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.frontends.commands import BY_NAME, COMMANDS, Shape
from hub.frontends.parsing import parse
from hub.frontends.replies import help_view
from shared.errors import AppError
from shared.kinds.catalogue import BUILT_IN
from shared.kinds.plan import PLAN

READ = [
    ("/start", "start", {}, ""),
    ("/HELP train", "help", {"command": "train"}, ""),
    ("/train", "train", {}, ""),
    ("/train sales.csv", "train", {"file": "sales.csv"}, ""),
    ("  /train  sales.csv   Revenue  ", "train", {"file": "sales.csv", "target": "Revenue"}, ""),
    ('/train "sales 2025.csv" "Monthly Charges"', "train",
     {"file": "sales 2025.csv", "target": "Monthly Charges"}, ""),
    ("/train “sales 2025.csv” Churn", "train", {"file": "sales 2025.csv", "target": "Churn"}, ""),
    ("/train 'a b.csv'", "train", {"file": "a b.csv"}, ""),
    (r"/train C:\data\sales.csv Churn", "train",
     {"file": r"C:\data\sales.csv", "target": "Churn"}, ""),
    ("/train sales.csv budget=10m", "train", {"file": "sales.csv", "budget": "600"}, ""),
    ("/train budget=1.5h sales.csv", "train", {"budget": "5400", "file": "sales.csv"}, ""),
    ('/train sales.csv name="my model"', "train", {"file": "sales.csv", "name": "my model"}, ""),
    ("/train target=Churn file=sales.csv", "train", {"target": "Churn", "file": "sales.csv"}, ""),
    ("/train a=b.csv", "train", {"file": "a=b.csv"}, ""),
    ("/train O'Brien.csv Churn", "train", {"file": "O'Brien.csv", "target": "Churn"}, ""),
    ('/train 5" Churn', "train", {"file": '5"', "target": "Churn"}, ""),
    ("/train @anna-pc sales.csv", "train", {"file": "sales.csv"}, "anna-pc"),
    ("/models @studio", "models", {}, "studio"),
    ("/train@deskhand_bot sales.csv", "train", {"file": "sales.csv"}, ""),
    ("/predict churn new.csv", "predict", {"model": "churn", "file": "new.csv"}, ""),
    ("/predict new.csv", "predict", {"file": "new.csv"}, ""),
    ("/worker anna-pc PAUSE", "worker", {"name": "anna-pc", "action": "pause"}, ""),
    ("/answer 018f Yes, all of them", "answer", {"id": "018f", "value": "Yes, all of them"}, ""),
    ('/task say "hello" to @anna', "task", {"text": 'say "hello" to @anna'}, ""),
    ("/task “quoted” stays", "task", {"text": "“quoted” stays"}, ""),
    ("/cancel #K7Q2", "cancel", {"id": "#K7Q2"}, ""),
    ("/probe dilemmas.yaml openai:gpt-5-mini,local:tiny repeats=5", "probe",
     {"file": "dilemmas.yaml", "models": "openai:gpt-5-mini,local:tiny", "repeats": "5"}, ""),
    ("/probe local:tiny dilemmas.yaml @anna-pc", "probe",
     {"models": "local:tiny", "file": "dilemmas.yaml"}, "anna-pc"),
    ("/probe again=K7Q2", "probe", {"again": "K7Q2"}, ""),
    ("/transcript 1 17", "transcript", {"run": "1", "index": "17"}, ""),
    ("/ask Why is the sky blue? a=b", "ask", {"text": "Why is the sky blue? a=b"}, ""),
    ("/ask SUMMARIZE minutes.txt", "ask", {"task": "summarize", "file": "minutes.txt"}, ""),
    ('/ask extract "my bill.txt" sum, date', "ask",
     {"task": "extract", "file": "my bill.txt", "text": "sum, date"}, ""),
    ("/ask minutes.txt What was decided?", "ask",
     {"file": "minutes.txt", "text": "What was decided?"}, ""),
    ("/ask model=local:tiny summarize minutes.txt", "ask",
     {"model": "local:tiny", "task": "summarize", "file": "minutes.txt"}, ""),
    ("/fix ~/shop The total is wrong, a=b", "fix",
     {"repo": "~/shop", "text": "The total is wrong, a=b"}, ""),
    ("/fix The total is wrong", "fix", {"text": "The total is wrong"}, ""),
    ("/fix", "fix", {}, ""),
    ("/fix https://github.com/anna/shop.git Leap days", "fix",
     {"repo": "https://github.com/anna/shop.git", "text": "Leap days"}, ""),
    ("/fix git@github.com:anna/shop Leap days", "fix",
     {"repo": "git@github.com:anna/shop", "text": "Leap days"}, ""),
    (r'/fix "C:\my work\shop" Leap days', "fix",
     {"repo": r"C:\my work\shop", "text": "Leap days"}, ""),
    ("/fix level=autonomous work/shop test=\"make test\" Leap days", "fix",
     {"level": "autonomous", "repo": "work/shop", "test": "make test", "text": "Leap days"}, ""),
    ("/fix repo=shop Leap days @noon", "fix", {"repo": "shop", "text": "Leap days @noon"}, ""),
    ("/review @anna-pc ~/shop", "review", {"repo": "~/shop"}, "anna-pc"),
    ("/diff #K7Q2 src/app.py", "diff", {"id": "#K7Q2", "file": "src/app.py"}, ""),
]  # fmt: skip

REFUSED = [
    ("/trian sales.csv", "command_unknown", "Did you mean /train?"),
    ("/xyzzy", "command_unknown", "/help lists what there is."),
    ("/", "command_unknown", "/help lists what there is."),
    ("/job", "argument_missing", "For example: /job K7Q2"),
    ("/answer 018f", "argument_missing", "For example: /answer ID VALUE"),
    ("/task", "argument_missing", "For example: /task summarize the report in Documents/acme"),
    ("/train a b c", "arguments_too_many",
     "It goes like this: /train [FILE] [TARGET] [budget=…] [name=…]."
     " Names with spaces need quotes."),
    ("/train sales.csv buget=60", "argument_unknown", "Did you mean budget=?"),
    ("/train budget=soon", "argument_invalid",
     "Write 60 for seconds, 10m for minutes or 1h for an hour."),
    ("/train budget=-5", "argument_invalid",
     "Write 60 for seconds, 10m for minutes or 1h for an hour."),
    ("/fix level=yolo it is broken", "argument_invalid",
     "It can: autonomous, supervised, human_required."),
    ("/worker anna-pc revok", "argument_invalid", "Did you mean revoke?"),
    ("/worker anna-pc dance", "argument_invalid", "It can: pause, resume, revoke, autostart."),
    ("/help " + "x" * 4000, "text_too_long", "Put long material into a file and name the file."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "name", "values", "worker"), READ)
def test_a_command_is_read(text: str, name: str, values: dict[str, str], worker: str) -> None:
    spoken = parse(text)
    assert spoken is not None
    assert (spoken.command.name, dict(spoken.values), spoken.worker) == (name, values, worker)


@pytest.mark.parametrize(("text", "code", "hint"), REFUSED)
def test_a_wrong_command_is_told_what_to_do_instead(text: str, code: str, hint: str) -> None:
    with pytest.raises(AppError) as caught:
        parse(text)
    assert (caught.value.code, caught.value.hint) == (code, hint)
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize(
    "text", ["hello", "", "  Churn ", "2", "/home/anna/sales.csv", "/data/x y.csv", "#K7Q2 yes"]
)
def test_plain_text_and_paths_are_no_commands(text: str) -> None:
    assert parse(text) is None


@given(st.text(max_size=300))
def test_whatever_is_typed_is_read_or_refused_with_a_sentence(text: str) -> None:
    for typed in (text, "/train " + text, "/worker " + text):
        refusal = None
        try:
            parse(typed)
        except AppError as error:
            refusal = error
        assert refusal is None or (refusal.message and refusal.hint)


def test_arguments_of_job_commands_are_inputs_of_their_kind() -> None:
    for command in COMMANDS:
        if command.kind:
            inputs = BUILT_IN[command.kind].inputs.model_fields
            for argument in command.arguments:
                assert (argument.input or argument.name) in inputs, (command.name, argument.name)


def test_every_built_in_kind_has_a_command() -> None:
    # What a machine does to itself is asked for with /worker.
    offered = {name for name, kind in BUILT_IN.items() if kind.is_offered}
    others = {name for name in offered if name.startswith("machine.")}
    # Plain words need no command; /task is one that frontends answer by themselves.
    named = {command.kind for command in COMMANDS} - {""} | {PLAN}
    # Buttons say what menus do not offer.
    assert offered - others <= named <= set(BUILT_IN)


def test_the_table_fits_chat_menus() -> None:
    # Telegram's setMyCommands: at most 100 commands, names to 32, descriptions to 256 characters.
    assert len(BY_NAME) == len(COMMANDS) <= 100
    for command in COMMANDS:
        assert len(command.name) <= 32
        assert len(command.summary) <= 60
        assert not command.summary.endswith(".")
        places = [a for a in command.arguments if not a.named_only]
        assert all(a.shape is not Shape.REST for a in places[:-1])


def test_every_example_is_read_as_the_command_it_is_for() -> None:
    for command in COMMANDS:
        if command.example:
            spoken = parse(command.example)
            assert spoken is not None
            assert spoken.command is command


def test_a_budget_of_nothing_is_told_as_such() -> None:
    with pytest.raises(AppError) as failure:
        parse("/train sales.csv Revenue budget=0")
    assert failure.value.message == "budget must be longer than 0."


def test_the_menu_names_what_people_do_most() -> None:
    assert "/task" in help_view().text
    assert "/train" in help_view().text


def test_a_task_may_be_kept_from_models_elsewhere() -> None:
    spoken = parse("/task local sum up the report")
    assert spoken is not None
    assert spoken.values == {"local": "local", "text": "sum up the report"}
    spoken = parse("/task sum up the local news")
    assert spoken is not None
    assert spoken.values == {"text": "sum up the local news"}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("/model 3 plot", {"model": "3", "plot": "plot"}),
        ("/model plot", {"plot": "plot"}),
        ("/model Plots 3", {"plot": "plot", "model": "3"}),
        ("/model churn", {"model": "churn"}),
        ("/model", {}),
    ],
)
def test_plot_is_a_word_of_its_own_wherever_it_stands(text: str, values: dict[str, str]) -> None:
    spoken = parse(text)
    assert spoken is not None
    assert spoken.values == values


def test_the_file_of_a_job_is_no_computer() -> None:
    spoken = parse("/send #K7Q2 @attic")
    assert spoken is not None
    assert (spoken.values, spoken.worker) == ({"file": "#K7Q2"}, "attic")
