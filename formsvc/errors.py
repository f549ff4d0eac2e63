"""The words for everything that can be wrong: one table of kebab codes, and the one exception.

Wrong *answers* are data (`formsvc.model.record.Problem`). `Refused` is for documents, definitions,
values and passwords that cannot be used at all; the command line turns it into exit code 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Wording:
    """What is wrong and what to do about it; both may hold `{facts}`."""

    problem: str
    remedy: str


WORDING: Final[Mapping[str, Wording]] = {
    # Definitions and templates
    "unknown-form": Wording("there is no form called “{name}”", "Choose one of: {known}."),
    "unknown-version": Wording("form “{name}” has no version {version}", "Versions here: {known}."),
    "definition-missing": Wording("the file is not there", "Add it, or remove the form's folder."),
    "definition-syntax": Wording("the TOML cannot be read: {detail}", "Mend that line."),
    "definition-invalid": Wording("{detail}", "Mend that entry; README, “add a form”, lists what is allowed."),
    "template-syntax": Wording("the template cannot be read: {detail}", "Mend that line."),
    "template-failed": Wording("the template stopped: {detail}", "Use only the macros and names of README, “add a form”."),
    "template-missing-field": Wording("the page has no place for: {names}", "Place each with ask(...), once."),
    "template-unknown-field": Wording("the page has fields that the definition does not: {names}", "Define them in form.toml or remove them."),
    "template-repeated-field": Wording("the page has these fields more than once: {names}", "Place each once."),
    "template-cramped-field": Wording("these boxes are too small to hold a line of text: {names}", "Make them at least {least} points high."),
    "font-missing": Wording("the font file cannot be used: {detail}", "Install formsvc again; its fonts travel with it."),
    "system-library-missing": Wording("a library that lays out pages is missing: {detail}", "Type: sudo apt-get install libpango-1.0-0 libpangoft2-1.0-0 (macOS: brew install pango)."),
    # Settings
    "setting-invalid": Wording("{detail}", "Correct or unset it."),
    # Values that are to be written
    "values-unreadable": Wording("the file cannot be read as JSON: {detail}", "Mend that place of the file."),
    "values-not-an-object": Wording("the file does not hold a JSON object", 'Start it with {{"site": …}}.'),
    "values-invalid": Wording("{detail}", "Correct it and issue again."),
    "too-many-rows": Wording("{count} rows are too many; the form takes {most}", "Split the list over two documents."),
    "rows-option-invalid": Wording("“{detail}” does not say how many rows", "Write it like --rows children=12."),
    # Cases and letters
    "letter-unreadable": Wording("this is not a Word file that can be used ({detail})", "Save it from Word as .docx."),
    "letter-fault": Wording("a placeholder cannot be filled: {detail}", "Correct it in Word; formsvc check LETTER.docx names every such place."),
    "letter-too-costly": Wording(
        "making this letter took more time or memory than is allowed, so it was stopped",
        "In the template, take out loops inside loops and large pictures; in the case, shorten what is many pages long.",
    ),
    "unknown-section": Wording("the agenda has no section “{name}”", "Remove it, or choose one of: {known}."),
    "agenda-too-long": Wording("R25: the agenda takes {total} minutes, but {booked} are booked", "Shorten it, or book more time."),
    "agenda-not-the-day-before": Wording("R26: an agenda goes out the day before the conference or on the day", "Send it then."),
    "family-not-invited": Wording("R24: neither a guardian nor the youth is on the team", "Add the family to the team."),
    "next-conference-missing": Wording("R32: the next conference is not set", "Set it at this conference."),
    "next-conference-distance": Wording("R32: the next conference is {days} days away, not {least} to {most}", "Move it, or note the reason."),
    "step-due-late": Wording("R30: this step has no due date before the next conference", "Give it one."),
    "step-without-member": Wording("R30: this step names nobody of the team", "Name a team member."),
    "input-not-reported": Wording("R28: this member sent input, and none of theirs is noted", "Write it among the input that was read out."),
    "confidentiality-not-read": Wording("the confidentiality statement is not marked as read", "Tick it in the notes if it was read."),
    "family-absent-without-reason": Wording("R29: the family did not take part, and no reason is noted", "Note the reason."),
    "no-consent": Wording("this may not leave: {detail}", "Record the consent in the case, or send to fewer people."),
    "protection-needed": Wording("R31: conference notes leave only protected by a password", "Give --password-file, or --passphrase-out for a new one."),
    "no-such-face": Wording("this letter does not come as {face}", "Choose docx, pdf or eml."),
    "no-such-member": Wording("nobody on the team is “{name}”", "The team: {known}."),
    "some-failed": Wording("{count} could not be written; the others are complete", "Correct the case and run it again: it goes on where it stopped."),
    "letter-faults": Wording("{count} placeholders are wrong", "Correct them in Word and check again."),
    "no-initials": Wording("the client has no initials: the name has no letters", "Give “initials”, such as N.F."),
    "initials-tell-name": Wording("the initials have a part of the client's name in them", "Give the first letters only, such as N.F."),
    "time-skipped": Wording("there is no {time} on that day: the clock in {zone} is put forward over it", "Give a time before or after that hour."),
    "unknown-zone": Wording("“{name}” is no time zone", "Use a name like America/Denver."),
    "address-not-ascii": Wording("the address has letters that mail headers do not carry everywhere", "Use the spelling in the letters A to Z, digits and signs."),
    "no-consent-to-share": Wording("R21: there is no valid written consent to share information with {who}", "Add the consent, or leave this person out."),
    "no-consent-to-distribute": Wording("R22: there is no recorded consent to distribute notes to {who}", "Add the consent (written, or verbal with who took it), or leave this person out."),
    # Documents that come back
    "file-missing": Wording("there is no such file", "Check the path."),
    "file-unreadable": Wording("the file cannot be opened: {detail}", "Check its permissions."),
    "file-unwritable": Wording("the file cannot be written: {detail}", "Check the folder and its permissions."),
    "file-empty": Wording("the file is empty", "Download or scan it again."),
    "file-too-large": Wording("the file has {size} MB; the most is {most} MB", "Send one document per file."),
    "not-a-pdf": Wording("this is not a PDF ({detail})", "Send the PDF form itself."),
    "damaged": Wording("the PDF is damaged or cut off ({detail})", "Save or download it again and send the new file."),
    "no-pages": Wording("the PDF has no pages", "Save or download it again and send the new file."),
    "password-needed": Wording("the PDF is protected by a password", "Give its password with --password-file."),
    "password-wrong": Wording("the password does not open this document", "Check the password file, one line."),
    # Protection
    "password-missing": Wording("no password was given", "Give it with --password-file, in FORMSVC_PASSWORD, or let one be made with --passphrase-out."),
    "password-empty": Wording("the password is empty", "Give one, or let one be made with --passphrase-out."),
    "password-characters": Wording("the password has characters that programs spell differently, so it might not open again", "Use the letters A to Z, digits and signs of an English keyboard."),
    "password-too-long": Wording("the password has {count} characters; the most is {most}", "Shorten it; six random words are enough."),
    "password-weak": Wording("the password would be guessed. {reasons}", "To use it all the same, add --weak-password."),
    "password-guessable": Wording("the password would be guessed. {reasons}", "Take another, or let a passphrase be made with --passphrase-out."),
    "password-short": Wording("the password is too short to resist guessing", "Take at least {least} characters of all kinds, or at least {words} words; six random words are best."),
    "password-common": Wording("the password is made of words that everybody tries first", "Take words that nobody would guess, or let a passphrase be made with --passphrase-out."),
    "password-pattern": Wording("the password is a run of keys or a repetition", "Take words that nobody would guess, or let a passphrase be made with --passphrase-out."),
    "password-personal": Wording("the password contains {what} from the case", "Take words that have nothing to do with the people in it."),
    "already-protected": Wording("the document is protected already", "Unlock it first: formsvc unlock."),
    "not-protected": Wording("the document has no protection", "Nothing to do; it can be opened as it is."),
    "not-protectable": Wording("this is neither a PDF nor a Word document (.docx)", "Save it as one of these first."),
    "damaged-word": Wording("the Word document is damaged or cut off ({detail})", "Save or download it again."),
    "protection-failed": Wording("the protected copy failed its check ({detail}), so it was not kept", "Try again; if it fails again, send the message to your administrator."),
    "same-file": Wording("this file would be overwritten by its own result", "Give another name for the result."),
    "file-exists": Wording("the file is there already and may hold the passphrase of another document", "Give another name, or move it away."),
    "too-costly": Wording("reading took more {resource} than is allowed, so it was stopped", "Open it in a viewer, save it anew, and send that copy."),
    "reader-failed": Wording("the file could not be read ({detail})", "Send it to your administrator; nothing was stored."),
    "flattened-print": Wording("this is a print of a {form} form ({document}): its fields are gone, only ink is left", "Send the file that was filled in, saved rather than printed."),
    "scan": Wording("this is a scan or photo: it has pictures of pages but no fields", "Send the file that was filled in on screen, or type the answers into the form."),
    "foreign-form": Wording("this PDF has form fields, but it is not one of ours", "Send a form that was downloaded here."),
    "not-a-form": Wording("this PDF is not a form of ours and has no fields", "Send a form that was downloaded here."),
    "no-answers": Wording("the form has none of its fields left", "Save it anew from the downloaded form."),
    # Seen while reading: data, each with its field
    "unknown-field": Wording("the document has a field “{name}” that the form does not ask for", "Its text was kept with the answers."),
    "unreadable-value": Wording("“{raw}” cannot be read as {kind}", "Write it like {example}."),
    "not-an-option": Wording("“{raw}” is none of the choices", "Choose one of: {known}."),
    "too-long": Wording("the text has {count} characters; the most is {most}", "Nothing was cut off; shorten it if you can."),
    "out-of-range": Wording("{raw} is not between {least} and {most}", "Correct the number."),
    "line-break": Wording("the text has line breaks but the field is one line", "Remove the line breaks."),
    "control-character": Wording("the text has characters that cannot be printed ({detail})", "Remove them."),
    "not-a-tick": Wording("“{raw}” is neither ticked nor empty", "Tick the box or leave it empty."),
    "not-text": Wording("{kind} is expected here", "Give it in that form."),
    "unknown-name": Wording("the form does not ask for “{name}”", "Remove it, or choose one of: {known}."),
    "two-marks": Wording("more than one box is marked: {marked}", "Mark one."),
    "missing-answer": Wording("this must be answered before the form is complete", "Fill it in."),
    "repeated-field": Wording("the field stands {count} times in the document, with different answers", "Check which one is right."),
    "locked-value-changed": Wording("a value that was printed by us was changed", "Check it against the record."),
    "shown-differs": Wording("the page shows “{shown}” but the stored answer is another", "Check which one is right."),
    "ink-over-field": Wording("something was drawn or written over the page with a markup tool", "Look at the page; such marks are not answers yet."),
    "rebuilt-by-viewer": Wording("a viewer rebuilt this form; {count} fields were found on its pages only", "Nothing was lost; check the document if it looks odd."),
    "active-content": Wording("the document carries {detail}, which forms of ours never do", "It was not run and is not carried on."),
    "stamp-missing": Wording("the document's stamp is gone, so it is not certain which one was returned", "Choose the document it belongs to."),
    "stamp-unverified": Wording("the document's stamp was not made with this installation's key", "Check where it comes from."),
    "stamps-differ": Wording("the pages carry different documents: {names}", "Send one document per file."),
    "other-document": Wording("this is document {found}, but {wanted} was expected", "Send the right document."),
    "other-version": Wording("the document was made with version {found}, which is not known here", "It was read with version {used}; check the answers."),
    # Seen while filling: data, each with its field
    "glyph-missing": Wording("no font on this machine can draw {detail}; a box stands in its place", "Install a font for it (formsvc check lists scripts)."),
    "continued": Wording("the text is longer than its box and continues on page {page}", "Nothing to do."),
    # Rules of the procedures (domain rules R3-R32); their code carries the meaning, their id the source
    "first-conference-row-empty": Wording("R3: at the first conference every child is discussed, and this row has no content", "Write at least one discussion point, or a strength."),
    "new-child-not-discussed": Wording("R4: a child new since the last conference must be discussed", "Untick “No discussion points” and write the discussion."),
    "no-disposition": Wording("R5: every child has one outcome, and this row has none", "Tick “No discussion points”, a need, or write what was discussed."),
    "two-dispositions": Wording("R5: every child has exactly one outcome, and this row has several", "Leave one of them."),
    "need-without-action": Wording("R6: a need has a follow-up action with a responsible person and a target date; missing: {missing}", "Fill in what is missing."),
    "no-discussion-with-content": Wording("R7: “No discussion points” is ticked, but the row also has: {content}", "Untick it or remove the rest."),
    "action-without-responsible": Wording("R9: every action names a responsible team member", "Name one."),
    "mandated-role-missing": Wording("R13: nobody is marked present as {role}", "Mark who was there, or note the reason."),
    "present-without-signature": Wording("R14: everyone marked present signs, and this line is not signed", "Sign it (on paper is fine)."),
    "signature-without-presence": Wording("R14: this line is signed by somebody who is not marked present", "Mark the person present."),
}


def word(code: str, /, **facts: object) -> str:
    """The sentence of a code: what is wrong, then what to do."""
    wording = WORDING[code]
    text = f"{wording.problem}. {wording.remedy}".format_map(facts)
    return text[:1].upper() + text[1:]


class Refused(Exception):  # noqa: N818  (it is an answer, not a failure of ours)
    """A document, definition, value or password that cannot be used.

    `place` says where (a file, a field, a line); `code` is a key of `WORDING`.
    """

    def __init__(self, code: str, place: str = "", /, **facts: object) -> None:
        """Word the refusal now, so that it survives being sent between processes."""
        self.code = code
        self.place = place
        self.message = f"{place}: {word(code, **facts)}" if place else word(code, **facts)
        super().__init__(self.message)

    def at(self, place: str) -> "Refused":
        """The same refusal at a place, if it has none yet."""
        return self if self.place else _restore(self.code, place, f"{place}: {self.message}")

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by content: the reading process hands refusals to its parent."""
        return (_restore, (self.code, self.place, self.message))


def _restore(code: str, place: str, message: str) -> Refused:
    refused = Refused.__new__(Refused)
    Exception.__init__(refused, message)
    refused.code, refused.place, refused.message = code, place, message
    return refused
