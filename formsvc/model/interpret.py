"""How a submission becomes a record: one rule book for every way an answer can come back.

Field by field here; rules across fields (R3-R14) belong to casework. Nothing that was written is
dropped: what cannot be understood stays in the answers and becomes a problem at its field.
"""

from collections.abc import Iterator, Mapping

from formsvc.errors import word
from formsvc.model.form import Ask, Form, Group, Place, ask_places, is_row, key_of
from formsvc.model.kinds import Choice, Choices, LongText, Number, Text, is_box
from formsvc.model.record import Answer, Problem, Record, Row, Submission, Value, problem
from formsvc.model.schema import misread_words
from formsvc.model.values import ON, Misread, forbidden_characters, normal_lines, read_value

Answers = Mapping[str, Answer]


def interpret(form: Form, submission: Submission) -> Record:
    """The record a submission gives, with every doubt as a problem at its field."""
    answers = submission.answers
    problems: list[Problem] = list(submission.problems)
    values: dict[str, Value | list[Row]] = dict(_row_values(form.asks, answers, problems))
    for group in form.groups:
        if rows := _rows(group, answers, problems):
            values[group.name] = rows
    problems += _unknown(form, answers)
    problems += _missing(form, values)
    return Record(form=form.id, document=submission.document, values=values, problems=tuple(problems))


def _rows(group: Group, answers: Answers, problems: list[Problem]) -> list[Row]:
    """The rows of a group up to the last one with an answer; rows between keep their place."""
    rows = [_row_values(group.asks, answers, problems, group, row) for row in range(_row_count(group, answers))]
    while rows and not rows[-1]:
        rows.pop()
    return rows


def _row_count(group: Group, answers: Answers) -> int:
    start = f"{group.name}-"
    numbers = {int(row) for name in answers if name.startswith(start) and is_row(row := name.split("-")[1])}
    return min(max(numbers, default=-1) + 1, group.maximum)


def _row_values(asks: tuple[Ask, ...], answers: Answers, problems: list[Problem], group: Group | None = None, row: int = 0) -> Row:
    values: Row = {}
    for ask in asks:
        value = _value(ask, answers, problems, group, row)
        if value is not None:
            values[ask.name] = value
    return values


def _value(ask: Ask, answers: Answers, problems: list[Problem], group: Group | None, row: int) -> Value | None:
    if isinstance(ask.kind, Choice | Choices) and is_box(ask.kind):
        return _marked(ask, answers, problems, group, row)
    key = key_of(ask, group, row)
    answer = answers.get(key)
    if answer is None or not answer.raw:
        return None
    value = read_value(ask.kind, answer.raw)
    if isinstance(value, Misread):
        problems.append(Problem(code=value.code, field=key, severity="error", message=misread_words(ask.kind, answer.raw, value)))
        return None
    problems.extend(_doubts(ask, key, answer.raw, value))
    return value


def _marked(ask: Ask, answers: Answers, problems: list[Problem], group: Group | None, row: int) -> Value | None:
    """The codes of the marked boxes: all of them, or the one of an exclusive choice."""
    marked = []
    for place in ask_places(ask, group, row):
        answer = answers.get(place.key)
        if answer is None or not answer.raw:
            continue
        if answer.raw != ON:
            problems.append(problem("not-a-tick", place.key, "error", raw=answer.raw))
        elif place.option:
            marked.append(place.option.code)
    if isinstance(ask.kind, Choices):
        return marked or None
    if len(marked) > 1:
        problems.append(problem("two-marks", key_of(ask, group, row), "error", marked=", ".join(marked)))
        return None
    return marked[0] if marked else None


def _doubts(ask: Ask, key: str, raw: str, value: Value | None) -> Iterator[Problem]:
    """What is worth a look although the value was understood."""
    kind = ask.kind
    if isinstance(kind, Text | LongText) and isinstance(value, str):
        if len(value) > kind.limit:
            yield problem("too-long", key, "warning", count=len(value), most=kind.limit)
        if bad := forbidden_characters(value):
            yield problem("control-character", key, "warning", detail=bad)
        if isinstance(kind, Text) and "\n" in normal_lines(raw):
            yield problem("line-break", key, "warning")
    elif isinstance(kind, Number) and isinstance(value, int | float) and not kind.least <= value <= kind.most:
        yield problem("out-of-range", key, "error", raw=value, least=kind.least, most=kind.most)


def _unknown(form: Form, answers: Answers) -> Iterator[Problem]:
    for key, answer in answers.items():
        if not _has_place(form, key) and answer.raw:
            yield problem("unknown-field", key, "warning", name=key)


def _has_place(form: Form, key: str) -> bool:
    place = form.find(key)
    return place is not None and (place.group is None or place.row < place.group.maximum)


def _missing(form: Form, values: Mapping[str, object]) -> Iterator[Problem]:
    for ask in form.asks:
        if ask.required and ask.name not in values:
            yield Problem(code="missing-answer", field=ask.name, severity="error", message=word("missing-answer"))


def answer_texts(form: Form, values: Mapping[str, object]) -> Iterator[tuple[Place, Value]]:
    """Every place of a form that the values answer, with the value that stands there."""
    for ask in form.asks:
        if ask.name in values:
            yield from _placed(ask, values[ask.name])
    for group in form.groups:
        rows = values.get(group.name) or ()
        for row, entries in enumerate(rows if isinstance(rows, list) else ()):
            for ask in group.asks:
                if ask.name in entries:
                    yield from _placed(ask, entries[ask.name], group, row)


def _placed(ask: Ask, value: object, group: Group | None = None, row: int = 0) -> Iterator[tuple[Place, Value]]:
    if not isinstance(value, str | int | float | bool | list):
        return
    places = ask_places(ask, group, row)
    if not is_box(ask.kind) or value is True:
        yield next(places), value
        return
    chosen = value if isinstance(value, list) else [value]
    for place in places:
        if place.option and place.option.code in chosen:
            yield place, True
