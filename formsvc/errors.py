"""The words for everything that can be wrong: one table of kebab codes, and the one exception.

Wrong *answers* are data (`formsvc.model.record.Problem`). `Refused` is for documents, definitions,
values and passwords that cannot be used at all; the command line turns it into exit code 2.
"""

import traceback
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
    # Packets and tables
    "packet-empty": Wording("there are no papers to put together", "Choose at least one paper."),
    "answer-not-drawn": Wording("the field “{name}” has an answer that the page does not show, so it would be missing on paper", "Issue the document again from its record."),
    "table-too-large": Wording("{count} {what} are more than a sheet of Excel takes ({most})", "Export a shorter time or fewer sites, or take CSV."),
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
    "password-guessable": Wording("the password would be guessed. {reasons}", "Take another one, or let a passphrase be made (on the command line: --passphrase-out)."),
    "password-short": Wording("the password is too short to resist guessing", "Take at least {least} characters of all kinds, or at least {words} words; six random words are best."),
    "password-common": Wording("the password is made of words that everybody tries first", "Take words that nobody would guess; six random words are best."),
    "password-pattern": Wording("the password is a run of keys or a repetition", "Take words that nobody would guess; six random words are best."),
    "password-personal": Wording("the password contains {what} from the case", "Take words that have nothing to do with the people in it."),
    "already-protected": Wording("the document is protected already", "Unlock it first: formsvc unlock."),
    "not-protected": Wording("the document has no protection", "Nothing to do; it can be opened as it is."),
    "not-protectable": Wording("this is neither a PDF nor a Word document (.docx)", "Save it as one of these first."),
    "damaged-word": Wording("the Word document is damaged or cut off ({detail})", "Save or download it again."),
    "protection-failed": Wording("the protected copy failed its check ({detail}), so it was not kept", "Try again; if it fails again, send the message to your administrator."),
    "same-file": Wording("this file would be overwritten by its own result", "Give another name for the result."),
    "file-exists": Wording("the file is there already and may hold the passphrase of another document", "Give another name, or move it away."),
    "too-costly": Wording("reading took more {resource} than is allowed, so it was stopped", "Open it in a viewer, save it anew, and send that copy."),
    "wall-unusable": Wording("bubblewrap cannot be used here ({detail})", "Install it (apt install bubblewrap) and let its user make namespaces; --no-wall starts without it."),
    "reader-failed": Wording("the file could not be read ({detail})", "Send it to your administrator; nothing was stored."),
    "flattened-print": Wording("this is a print of document {document}, but its codes cannot be seen", "Send the file that was filled in, saved rather than printed, or the whole page."),
    "scan": Wording(
        "no code of one of our forms can be seen on this scan or photo",
        "Scan the whole page, with all four corners and the square code, flat and in good light, at 200 dpi or more; or type the answers into the form.",
    ),
    "picture-damaged": Wording("the picture cannot be opened", "Take or scan it again, and send it as PDF, JPEG, PNG or TIFF."),
    "picture-blank": Wording("every page is blank", "Scan the printed side."),
    "picture-small": Wording("the picture is too small to read a form from", "Scan at 200 dpi or more, or take the photo closer."),
    "picture-dark": Wording("page {page} is too dark to read", "Scan it lighter, or take the photo in more light."),
    "picture-blurred": Wording("page {page} is blurred", "Hold the camera still and let it focus, or use a scanner."),
    "picture-not-found": Wording("page {page} shows our code, but not the form around it", "Scan the whole page, flat, with all four corners."),
    "picture-weak": Wording("page {page} is faint: what is written on it was not taken without a person", "Scan it darker, or look at each answer."),
    "layout-unknown": Wording("the stamp does not tell how this paper was laid out, and it was not issued here", "Type the answers into the form."),
    "several-documents": Wording("the file holds several documents: {names}", "Take them in with formsvc receive, which tells them apart, or send one at a time."),
    "page-strange": Wording("page {page} is not a page of one of our forms, or its code cannot be seen", "Look at it; nothing was read from it."),
    "binder": Wording("the file held {count} documents or loose pages", "Each was taken in by itself."),
    "page-missing": Wording("page {pages} of {of} did not come back", "Scan it too; what stands on it was left as it is."),
    "repeated-page": Wording("page {page} came twice, and here they differ: the other one says “{other}”", "Check which one is right."),
    "continuation-missing": Wording("the answer goes on on page {page}, which did not come back", "Scan that page too, or write the whole answer."),
    "mark-unsure": Wording("it is not certain whether this is marked", "Look at the page and say."),
    "mark-void": Wording("a mark was crossed out or filled in, and no other one was made", "Look at the page and say what is meant."),
    "signature-doubtful": Wording("there is a little ink on the line to sign", "Look whether it is a signature."),
    "text-doubtful": Wording("this was read from ink, and may be “{suggestion}”", "Compare it with the page."),
    "text-unread": Wording("something is written here that could not be read", "Type what the page shows."),
    "field-covered": Wording("something covers this field or part of it, or it is cut off, and what stands there cannot be read", "Look at the paper itself, and say what it shows."),
    "text-cut-off": Wording("the text runs into the edge of its box; more may have been cut off", "Compare it with what was written; enlarge the print or write less."),
    "text-unchecked": Wording("the text could not be compared with the page", "Compare it with the page."),
    "foreign-form": Wording("this PDF has form fields, but it is not one of ours", "Send a form that was downloaded here."),
    "not-a-form": Wording("this PDF is not a form of ours and has no fields", "Send a form that was downloaded here."),
    "no-answers": Wording("the form has none of its fields left", "Save it anew from the downloaded form."),
    # People, sign-in, background work
    "not-your-unit": Wording("this paper belongs to a unit that is not yours", "Nothing to do: it is kept, and somebody of that unit or a supervisor looks at it."),
    "person-name": Wording("this cannot be a name to sign in with", "Take 2 to 80 letters, digits or signs, such as an e-mail address."),
    "person-taken": Wording("somebody signs in with this name already", "Take another one."),
    "person-roles": Wording("no role was chosen", "Choose at least one."),
    "no-coordinator": Wording("nobody of that name may work on cases", "Make them a case coordinator first: formsvc person NAME --role coordinator."),
    "person-unknown": Wording("there is nobody of that number", "Choose somebody from the list."),
    "last-administrator": Wording("nobody else looks after people", "Make somebody else an administrator first."),
    "passwords-differ": Wording("the two passwords are not the same", "Type the new password twice."),
    "link-gone": Wording("this link was used already, or is too old", "Ask an administrator for a new one."),
    "sign-in-wrong": Wording("the name or the password is wrong", "Check both; after a few attempts you have to wait."),
    "too-many-attempts": Wording("there were too many wrong attempts", "Wait {minutes} minutes, use the browser you usually work in, or ask an administrator for a link."),
    "code-wrong": Wording("this code is wrong, or was used already", "Take the code that the app shows now; check the clock of your telephone."),
    "secret-unreadable": Wording("a stored secret cannot be read", "It was made with another FORMSVC_KEY: put that one back, or let an administrator make a new link."),
    "job-unknown": Wording("there is no such work in the background", "Look at the list."),
    "job-ended": Wording("it has ended already", "Nothing to do."),
    "job-too-late": Wording("it is being read right now", "Wait a moment for its result; a paper that should not count can be left out under Review."),
    "job-not-failed": Wording("it neither failed nor was cancelled", "Nothing to do."),
    "job-file-gone": Wording("its file is not kept any more", "Upload it again."),
    "job-failed": Wording("something failed here ({detail})", "Try again; if it fails again, tell your administrator."),
    "job-given-up": Wording("it stopped its worker several times and was given up", "Try again; if it fails again, tell your administrator."),
    "page-incomplete": Wording("the form arrived cut off, so nothing was saved", "Send it again."),
    "page-too-old": Wording("this page was made before something that it needs changed", "Load it again; what you typed and was kept as a draft comes back."),
    "sample-not-empty": Wording("there are people or units here already, and a sample would mix with them", "Choose an empty data folder: FORMSVC_DATA=/tmp/sample formsvc serve --sample."),
    "page-unknown": Wording("there is no such page", "Choose another one."),
    "nothing-decided": Wording("nobody decided anything there", "Nothing to do."),
    "plan-day": Wording("this is no day", "Choose a day."),
    "plan-month": Wording("the day is not in {month}", "Choose a day of that month, or open the month of the day."),
    "plan-times": Wording("the end is not after the start", "Correct one of them."),
    "nothing-sent": Wording("no file was chosen", "Choose at least one file."),
    "upload-kind": Wording("this is neither a PDF nor a picture of a paper", "Send the PDF, or a JPEG, PNG or TIFF."),
    # Cases on the web
    "case-exists": Wording("there is a case with this number already", "Take the agency's own file number; ask an administrator if the case should be yours."),
    "case-number-tells": Wording("the number has a part of the client's name in it", "Take a number: it stands in addresses and logs."),
    "case-person": Wording("this person has no cases", "Choose a coordinator from the list."),
    "case-without-person": Wording("a case belongs to at least one coordinator", "Share it with somebody first."),
    "conference-not-next": Wording("the notes do not say when the next conference is", "Write its date in the notes and save them."),
    "notes-missing": Wording("there are no notes of this conference yet", "Write and save them first."),
    "no-recipient": Wording("there is nobody it may go to", "Choose at least one person, and record the consents that are missing."),
    "letters-too-many": Wording("{count} letters are too many for one archive; the most is {most}", "Download them one by one."),
    "summary-shown": Wording("it was shown already", "Make a new one."),
    "download-gone": Wording("this file was downloaded already, or waited too long", "Make it again; it gets a new passphrase."),
    # Overview, roster on the web, templates on the web, logs
    "monitoring-day": Wording("the day is yet to come", "Give the day on which it was done."),
    "monitoring-none": Wording("nothing was ticked", "Tick what was done, then mark it."),
    "monitoring-gone": Wording("this is not asked for any more, or is noted as done already", "Look at the list again."),
    "roster-namesakes": Wording("new children have the names of children who are here, and nobody confirmed that they are others", "Look at them, and tick the box if they are other children."),
    "roster-plan-changed": Wording("something changed since these changes were shown, so nothing was done", "Look at what would change now, then apply it."),
    "roster-day": Wording("this is no day", "Write it like 2026-11-05, or leave it empty."),
    "templates-unset": Wording("no folder of the agency's own templates is set", "Set FORMSVC_TEMPLATES to a folder that the service may write, and start it again."),
    "templates-unwritable": Wording("the folder of the agency's own templates cannot be written ({detail})", "Let the service's account write in it."),
    "template-unknown": Wording("there is no such template or version", "Look at the list."),
    "template-in-use": Wording("this version is in use already", "Nothing to do."),
    "template-not-text": Wording("this is not a text in UTF-8", "Save it as UTF-8."),
    "letter-outside": Wording("the template loads something from outside ({detail}), which would tell strangers who opens the letter", "In Word, take the linked picture or template out and put the picture itself in."),
    "letter-active": Wording("the template carries something that runs ({detail})", "Save it from Word as .docx, without macros, controls and embedded objects."),
    # Other programs: tokens, requests, webhooks
    "token-name": Wording("a program needs a name", "Give it one of at most 80 characters, so that you know it again."),
    "token-days": Wording("a token counts for 1 to {most} days", "Choose how long."),
    "token-scopes": Wording("nothing was chosen that the program may do", "Choose at least one."),
    "token-scope-not-yours": Wording("“{scope}” is nothing that your roles let you do", "Choose among what is offered."),
    "token-unknown": Wording("there is no such token", "Look at the list."),
    "token-missing": Wording("the request carries no token", "Send it in the header: Authorization: Bearer TOKEN."),
    "token-invalid": Wording("this token does not count, or not any more", "Make another one under My account."),
    "scope-missing": Wording("this token does not let the program do that; it needs “{scope}”", "Make one that does."),
    "role-missing": Wording("the person whom the program acts for has no role for that", "Ask an administrator."),
    "not-found": Wording("there is nothing here, or it is not yours to see", "Check the address and its numbers."),
    "method-unknown": Wording("this address takes other methods", "See the header Allow."),
    "too-many-requests": Wording("there were too many requests", "Wait as long as the header Retry-After says."),
    "body-too-large": Wording("the body of the request is too large", "Send less at once."),
    "body-kind": Wording("the body is of another kind than is taken here", "Send {known}."),
    "body-unreadable": Wording("the body cannot be read: {detail}", "Mend it."),
    "fields-invalid": Wording("some of what was sent does not fit", "See “errors” for each field."),
    "request-unusable": Wording("the request cannot be understood", "Check it against the reference."),
    "request-key": Wording("the Idempotency-Key is not usable", "Take 1 to 80 visible ASCII characters, such as a UUID."),
    "request-running": Wording("the same request is being answered now", "Ask again in a moment, with the same key."),
    "request-other": Wording("another request was made under this Idempotency-Key", "Take a new key for each request."),
    "failed-here": Wording("something failed here", "Try again; if it fails again, tell your administrator."),
    "hook-url": Wording("this address cannot be called", "Give one like https://example.org/hook, without name and password in it."),
    "hook-address": Wording("this address is not in the public internet", "Give a public one; or let an administrator set FORMSVC_HOOKS_ANYWHERE=yes."),
    "hook-events": Wording("this is no list of events", "Choose at least one of: {known}."),
    "hook-person": Wording("nobody of that name works here", "Give the name that somebody signs in with."),
    "hook-unknown": Wording("there is no such webhook", "Look at the list."),
    "delivery-unknown": Wording("there is no such delivery", "Look at the list."),
    "hook-status": Wording("the program answered, but not that it understood", "Let it answer with a status from 200 to 299."),
    "hook-unreachable": Wording("the program could not be reached", "Check its address, and that it runs."),
    "hook-slow": Wording("the program did not answer in time", "Let it answer at once and work afterwards."),
    # Stored files and their keys
    "file-lost": Wording("this stored file is not there", "Restore it from the backup."),
    "file-changed": Wording("this stored file was damaged or changed since it was written", "Restore it from the backup."),
    "file-misnamed": Wording("this stored file opens, but its name was made with another key of names", "Put the line “names” of the old key file back."),
    "key-missing": Wording("this stored file needs the key “{key}”, which is not here", "Put that line of the old key file back, last."),
    "vault-unreadable": Wording("stored files cannot be read ({detail})", "Check the place of stored files and its permissions."),
    "vault-unwritable": Wording("the file could not be stored ({detail})", "Check the place of stored files, its free space and its permissions."),
    "keys-of-another": Wording("the files here were stored with other keys", "Put the old key file back, or choose an empty place."),
    "keys-unusable": Wording("the keys of stored files cannot be used: {detail}", "Put the key file back from its backup; without its keys no stored file can be read."),
    "keys-exposed": Wording("others can read or change the keys of stored files (mode {mode})", "Type: chmod 600 and this path; then rotate the keys."),
    "keys-lost": Wording("these keys would be lost: {names}", "Keep every key; stored files may need it."),
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
    "shown-more": Wording("the page shows more here than its text says", "Compare it with the page."),
    "shown-differs": Wording("the page shows “{shown}” but the stored answer is another", "Check which one is right."),
    "ink-over-field": Wording("something was drawn or written over the page with a markup tool", "Look at the page; such marks are not answers yet."),
    "fields-gone": Wording("{count} fields of the form are not in this file, the first is {first}", "A page may be missing: look at the document, and send all of it."),
    "fields-printed": Wording("{count} fields of this form are fields no longer: a program printed them onto the page; they were read from there", "Nothing was lost; compare them with the page if something looks odd."),
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
    # Rosters
    "table-unreadable": Wording("this cannot be read as a table: {detail}", "Save it from the spreadsheet program as .xlsx or .csv, and send that file."),
    "table-protected": Wording("the table is protected by a password", "Save a copy without one, and delete the copy afterwards."),
    "roster-too-large": Wording("the table unpacks to {size}; the most is {most}", "Export fewer columns, or one site per file."),
    "table-quote": Wording("a quotation mark does not match in the record that begins on line {line}", "Mend that line, or export as .xlsx."),
    "roster-no-header": Wording("no line was found that names the columns", "Keep the line with names like Child ID, Child Name, Site and Classroom."),
    "roster-no-rows": Wording("there are names of columns, but no children", "Export it again, with children chosen."),
    "roster-columns-missing": Wording("no column was found for {missing}; the columns are: {columns}", "Say which it is: --map {field}=Header (or the column's letter)."),
    "roster-map-field": Wording("a roster has no field “{field}”", "Choose one of: {known}."),
    "roster-map-header": Wording("the column chosen for {field} is not there; the columns are: {columns}", "Give one of these headers or letters."),
    "roster-map-unclear": Wording("several columns have the header chosen for {field}", "Give its letter: {letters}."),
    "roster-map-twice": Wording("one column was chosen for two fields", "Give each --map a column of its own."),
    "row-incomplete": Wording("{missing} is missing", "Fill it in."),
    "row-too-long": Wording("the line has more cells than the {columns} columns, so its cells may stand in the wrong columns", "Put quotation marks around the cell with the extra comma, or export as .xlsx."),
    "row-date": Wording("this is not a date", "Write it like 11/05/2026 or 2026-11-05."),
    "row-date-day-first": Wording("this date has the day first, so other dates of the column may be misread", "Export dates in the order month, day, year."),
    "row-birth-date": Wording("a birth date before {least} or in the future cannot be right", "Correct the date."),
    "row-enrolled-before-born": Wording("the child is enrolled before it was born", "Correct one of the dates."),
    "row-left-before-enrolled": Wording("the child left before it was enrolled", "Correct one of the dates."),
    "row-left-without-day": Wording("the status says that the child left, but not when", "Give the last day."),
    "row-not-enrolled": Wording("the status says that the child is not enrolled yet", "Nothing to do; it is taken when it is enrolled."),
    "row-option": Wording("this is no program option", "Write center, home, early or fcch (or “Center Based”, “Home Based”, “EHS”, “Family Child Care”)."),
    "row-repeated": Wording("lines {first} and {second} list one child twice in the same unit", "Remove one, or give both their days so that they do not overlap; line {first} was taken."),
    "row-two-units": Wording("lines {first} and {second} have one child in two units at the same time", "Give the first its last day; until then line {first} was taken."),
    "row-two-children": Wording("lines {first} and {second} give one child id two birth dates", "Correct the id or the date; line {first} was taken."),
    # The store and the month
    "database-failed": Wording("the database did not do it ({detail}); nothing was changed", "Try again; if it fails again, look at the database."),
    "database-newer": Wording("the data were written by a newer formsvc", "Update formsvc; this version would not understand them."),
    "busy": Wording("somebody else is changing the same papers", "Try again in a moment."),
    "case-number": Wording("this cannot be a case's number", "Take letters, digits, - . _; at most 40, and no name."),
    "case-unknown": Wording("there is no case with this number", "formsvc case lists them; formsvc case keep adds one."),
    "month-invalid": Wording("“{given}” is not a month", "Write it like 2026-11."),
    "unit-unknown": Wording("there is no such site or unit", "formsvc status lists them; formsvc import adds them."),
    "archive-damaged": Wording("the archive cannot be read ({detail})", "Pack it again, or send the files themselves."),
    "archive-protected": Wording("the archive is protected with a password", "Unpack it first."),
    "archive-too-large": Wording("the archive holds more than is allowed ({detail})", "Send it in parts."),
    "keys-given": Wording("the keys come from the environment, so they cannot be changed here", "Put a new key first in FORMSVC_FILES_KEY, or keep the keys in a file."),
    "roster-empty": Wording("there are no units yet", "Import a roster: formsvc import FILE."),
    "keys-not-there": Wording("the file keys are not there, but encrypted files are", "Set FORMSVC_FILES_KEY_FILE to the file that holds their keys."),
    "roster-not-whole": Wording("{count} lines could not be read, so it is not certain who is missing", "Mend those lines first, or import without --missing-left."),
    "roster-columns-unsure": Wording("some columns were only guessed, and there is no terminal to ask on", "Look at them with --dry-run; then give --map FIELD=COLUMN, or --yes."),
    # What waits for a person
    "conflict": Wording("copies that came back say different things", "Choose one; meanwhile the fullest stands."),
    "unknown-document": Wording("it is not known to which paper this return belongs", "Place it: formsvc review place R7 --unit UNIT --month YYYY-MM."),
    "other-month": Wording("the conference was in {found} but the paper is of {printed}", "Let it count for its own month, or place it in the other one: formsvc review place."),
    "fields-missing": Wording("{count} answers that were printed are not in the file at all, the first is {first}", "A page may be missing: look at the paper, and send the whole one; what is missing was left as it is."),
    "unknown-child": Wording("nobody on the roster is certainly “{name}” ({child_id})", "Answer with the child's id (formsvc review answer NUMBER =C-101), or import the roster that has the child."),
    "child-not-certain": Wording("{count} children fit", "Give the child's id, as the roster has it."),
    "child-left": Wording("the child had left on {left_on}, before the conference on {held_on}", "Check whether it is about this child."),
    "left-alone": Wording("it is neither a PDF nor a picture", "Nothing to do."),
    "record-missing": Wording("nothing came back for this paper yet", "Correct what has come back; formsvc status shows it."),
    "field-unknown": Wording("the paper has no such field to write in", "Take a field as formsvc read shows it, like children-0-strengths."),
    "question-gone": Wording("this question does not wait any more", "List what waits: formsvc review."),
    "question-of-place": Wording("this return is not placed yet", "Place it first: formsvc review place, with the return's R number."),
    "choice-unknown": Wording("that is not a choice here", "Give one of: {known}, issued, ok, or =VALUE."),
    "choice-unreadable": Wording("the value does not fit the question", "Give it as it would be written on the paper."),
    "return-not-waiting": Wording("there is no such return, or it does not wait", "List what waits: formsvc review."),
    "return-unread": Wording("this return is a picture that cannot be read yet", "Type its answers into the form and receive that."),
    "place-needed": Wording("its stamp does not tell where it belongs", "Say so with --unit and --month."),
    "place-unclear": Wording("{count} papers fit, one is needed", "Say more with --site, --unit and --month; the paper must have been issued."),
    # Care of the data
    "database-damaged": Wording("the database says: {detail}", "Restore it from the backup."),
    "reference-broken": Wording("{count} rows name a row of {parent} that is not there", "Restore it from the backup."),
    "log-broken": Wording("the log does not hold together: {detail}", "Somebody changed it; compare it with the backup."),
    "row-missing": Wording("the audit log tells of this, but it is not there", "Restore it from the backup."),
    "row-unlogged": Wording("this is there, but the audit log does not tell of it", "Somebody added it, or cut the log; compare both with the backup."),
    "row-changed": Wording("this was changed since it was written", "Restore it from the backup."),
    "action-differs": Wording("the action does not stand as the papers tell", "Compare it with the papers; the next return of its sheet settles it anew."),
    "event-differs": Wording("the papers of the sheet tell something else about this action", "Compare it with the papers; the next return settles it anew."),
    "record-differs": Wording("the record is not what its returns and decisions make it", "Compare it with the returns; the next one settles it anew."),
    "revision-gap": Wording("revisions are missing from the history", "Restore it from the backup."),
    "revision-not-latest": Wording("the sheet does not stand at its latest revision", "The next return of the sheet settles it anew."),
    "sheet-unsettled": Wording("its returns cannot be settled any more ({detail})", "Restore it from the backup."),
    "file-orphan": Wording("no row knows this stored file", "Restore the database from the backup, or remove the file."),
    "file-unclaimed": Wording("this stored file belongs to no document and no return", "Restore the database from the backup."),
    "file-unsettled": Wording("a row counts on this file, which never arrived whole", "Receive it again."),
    "file-arriving": Wording("this file was announced at {at} and never settled: its process died on the way", "Nothing is lost: formsvc verify --sweep, and receive it again."),
    "file-not-erased": Wording("this file was erased, but is still stored", "Run the erasing again."),
    "erased-again": Wording("an old copy of a paper brought data of this erased child back", "Erase this pseudonym again."),
    "document-swapped": Wording("the stored file of this document is that of {found}", "Restore it from the backup."),
    "child-unknown": Wording("no child with this id is here", "Check the id; an erased child has none any more."),
    "child-held": Wording("the child's data are under a legal hold", "Release the hold first."),
    "child-not-held": Wording("the child's data are under no hold", "Nothing to do."),
    "child-enrolled": Wording("the child is still enrolled", "Enter its last day; or erase on the family's request."),
    "retention-runs": Wording("the child's data are kept until {until}", "Erase them after that day; or on the family's request."),
    "retention-too-short": Wording("{years} years are too short; records are kept for {least} at least", "Choose more years."),
    "reason-missing": Wording("the reason is missing", "Say why; it stands in the log."),
    "reason-names-child": Wording("the reason names the child, and would stand in the log for ever", "Say it without name and id."),
    "backup-exists": Wording("there is a file already", "Give another name, or move it away."),
    "backup-damaged": Wording("the backup is damaged or cut off ({detail})", "Take another one."),
    "backup-of-another": Wording("the backup was made with another FORMSVC_KEY, or was changed", "Set FORMSVC_KEY as it was when the backup was made."),
    "backup-version": Wording("the backup was made by another version ({found}, here {here})", "Restore it with that version of formsvc, then update."),
    "store-not-empty": Wording("there are data here already", "Restore into an empty data folder and an empty database."),
    # Rules of the month (domain rules R1-R20)
    "conference-outside-month": Wording("R1: the conference was not held in {month}", "Correct the date, or place the return in the other month."),
    "conference-too-early": Wording("R2: the first conference comes after {days} days of class, not before {earliest}", "Check the date and the first day of class."),
    "action-without-status": Wording("R10: this action was carried here and has no status", "Give its status and, if it goes on, an updated strategy."),
    "action-long-carried": Wording("R11: this action is {count} months old", "Raise it with the supervisor."),
    "child-without-need": Wording("R12: this form lists only children who need support", "Tick the need, or remove the child."),
    "parent-not-told": Wording("R15: parents take part in next steps", "Tick whether a parent takes part."),
    "parent-date-missing": Wording("R15: the day on which the parent took part is missing", "Write the date."),
    "report-not-pulled": Wording("R16: this report was not pulled before the meeting", "Pull it, and write the date."),
    "report-after-conference": Wording("R16: this report is dated after the conference", "Check the date."),
    "not-filed": Wording("R19: it is not written down that the paper was filed", "Write the binder and the date when it is filed."),
    # Status, monitoring, exports
    "conference-missing": Wording("R1: no conference of {month} is on record, and none was planned", "Send its worksheet in, or note why there was none."),
    "conference-unplanned": Wording("R1: no conference is planned for {month}", "Set it up: formsvc plan SITE UNIT DAY."),
    "conference-not-recorded": Wording("R1: the conference planned for {planned} is not on record", "Send its worksheet in, or plan another day."),
    "unit-without-children": Wording("no children are enrolled in this month", "Nothing to do; import the roster if children are missing."),
    "unit-not-due": Wording("R2: its first conference is not before {earliest}", "Nothing to do yet."),
    "papers-not-issued": Wording("papers of {month} were not made", "Type: formsvc month {month}."),
    "papers-not-returned": Wording("papers did not come back after the conference", "Take them in: formsvc receive FILE."),
    "questions-waiting": Wording("questions wait for a person", "Answer them: formsvc review."),
    "action-not-on-form": Wording("R8: actions of this month's worksheet stand on no follow-up form of the month", "Make it again: formsvc month {month}."),
    "actions-overdue": Wording("R10: open actions are past their target date", "Write their status, or a new date."),
    "actions-long-carried": Wording("R11: open actions are {months} months old or older", "Raise them with the supervisor."),
    "management-never": Wording("R17: no meeting with management is on record in program year {year}", "Hold it at the start of the program year: formsvc plan SITE UNIT DAY --management --held."),
    "management-missing": Wording("R17: no meeting with management is on record in {month}", "Hold it, or note its day: formsvc plan SITE UNIT DAY --management --held."),
    "not-exported": Wording("R18: the notes of {month} were not exported for COPA", "Export the case notes of the month."),
    "export-outdated": Wording("R18: papers of {month} changed since their notes were exported for COPA", "Export the case notes again."),
    "monitoring-overdue": Wording("R20: overdue: {title}", "Do it and note the day."),
    "monitoring-due": Wording("R20: due this month: {title}", "Do it and note the day."),
    "monitoring-undated": Wording("R20: children have no day of enrolment, so that nothing can be counted from it", "Import a roster that has the days."),
    "monitoring-unknown": Wording("this kind of monitoring is not in the agency's procedure", "Choose one of: {known}."),
    "monitoring-subject": Wording("there is nobody and nothing of that number to monitor this way", "Give it as the list of what is due does."),
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


def where_it_failed(failure: BaseException) -> str:
    """The kind of a failure of ours and the lines it came through, for logs: what it says may hold names, so it is left out."""
    kinds: list[str] = []
    step: BaseException | None = failure
    while step is not None:
        kinds.append(type(step).__name__)
        step = step.__cause__ or step.__context__
    return f"{' from '.join(kinds)}\n{''.join(traceback.format_tb(failure.__traceback__))}"


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
