"""Protected documents: opened with their password by the programs people have, and by nothing else."""

import io
import json
import logging
import os
import re
import stat
import subprocess
import zipfile
import zlib
from functools import cache
from pathlib import Path
from typing import Literal

import olefile
import page as page_validation
import pikepdf
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msoffcrypto.format.ooxml import OOXMLFile
from weasyprint import HTML

from formsvc.errors import Refused
from formsvc.parsers.sandbox import run_limited
from formsvc.protection import judge_password, lock, locked_pdf, locked_word, unlock
from formsvc.service import Service
from formsvc.settings import samples_folder
from tests.commands import type_command
from tests.viewers import openers
from tests.viewers.openers import PDF_OPENERS

PASSWORD = "walnut-orbit-lantern-velvet"
REFUSED = {"none": None, "empty": "", "wrong": f"{PASSWORD}s", "other case": PASSWORD.upper(), "truncated": PASSWORD[:-1]}
SECRET = "Zanzibar Quillfeather"
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=127)


@cache
def note(pages: int = 5) -> bytes:
    """A tagged PDF/UA-1 note with a planted secret in text, title, author, subject and bookmarks."""
    body = "".join(f"<h1>{SECRET} {number}</h1><p>{SECRET} said: {'words and words, ' * 150}</p><p style='break-after: page'></p>" for number in range(pages))
    head = f"<title>{SECRET}</title><meta name=author content='{SECRET}'><meta name=description content='{SECRET}'>"
    written: bytes = HTML(string=f"<html lang=en>{head}<body>{body}").write_pdf(pdf_variant="pdf/ua-1")
    return written


@cache
def word_note(paragraphs: int = 40) -> bytes:
    """A small Word document with the planted secret in text and properties."""
    kind = "application/vnd.openxmlformats"
    rels = "http://schemas.openxmlformats.org"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{rels}/package/2006/content-types"><Default Extension="rels" ContentType="{kind}-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{kind}-officedocument.wordprocessingml.document.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{rels}/package/2006/relationships"><Relationship Id="r1" Type="{rels}/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'<w:document xmlns:w="{rels}/wordprocessingml/2006/main"><w:body>' + f"<w:p><w:r><w:t>{SECRET} wrote this.</w:t></w:r></w:p>" * paragraphs + "</w:body></w:document>",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as document:  # stored, so that the secret stands there in plain letters
        for name, text in parts.items():
            document.writestr(name, text)
    return out.getvalue()


def form() -> bytes:
    """A PDF with one field to fill in."""
    written: bytes = HTML(string="<html lang=en><title>Form</title><form><input name=site></form>").write_pdf(pdf_forms=True)
    return written


@cache
def locked_note() -> bytes:
    return lock(note(), PASSWORD)


@cache
def locked_word_note() -> bytes:
    return lock(word_note(), PASSWORD)


def refusal(document: bytes, password: str = PASSWORD) -> str:
    with pytest.raises(Refused) as refused:
        lock(document, password)
    return refused.value.code


def refusal_to_unlock(document: bytes, password: str = PASSWORD) -> str:
    with pytest.raises(Refused) as refused:
        unlock(document, password)
    return refused.value.code


def content_of(pdf: bytes) -> list[bytes]:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return [page.Contents.read_bytes() for page in document.pages]


# ---------------------------------------------------------------- the programs people have


@pytest.mark.parametrize("name", PDF_OPENERS)
def test_pdf_opens_with_its_password_only(name: str) -> None:
    """Every program shows the whole text with the password, and refuses none, an empty and a wrong one."""
    program = PDF_OPENERS[name]
    if missing := program.available():
        pytest.skip(missing)
    text = program.open(locked_note(), PASSWORD)
    assert text is not None
    assert text.count(SECRET) == 10
    assert {what: program.open(locked_note(), password) for what, password in REFUSED.items()} == dict.fromkeys(REFUSED)


@pytest.mark.parametrize("name", [name for name, program in PDF_OPENERS.items() if not program.most_characters])
def test_password_of_every_sign_opens_everywhere(name: str) -> None:
    """All 95 printable ASCII characters in one password mean the same to every program."""
    program = PDF_OPENERS[name]
    if missing := program.available():
        pytest.skip(missing)
    every = "".join(map(chr, range(33, 127))) + " !"
    assert SECRET in (program.open(lock(note(1), every), every) or "")


def test_word_opens_with_its_password_only_in_libreoffice() -> None:
    """LibreOffice shows the whole text with the password, and refuses none, an empty and a wrong one."""
    if missing := openers.libreoffice_missing():
        pytest.skip(missing)
    opened, *others = openers.open_in_libreoffice(locked_word_note(), [PASSWORD, *REFUSED.values()])
    assert opened is not None
    assert opened.count(SECRET) == 40
    assert others == [None] * len(REFUSED)


def test_word_opens_with_its_password_only_in_msoffcrypto() -> None:
    """Msoffcrypto gives the document with the password, and refuses none, an empty and a wrong one."""
    opened, *others = openers.open_in_msoffcrypto(locked_word_note(), [PASSWORD, *REFUSED.values()])
    assert opened == word_note().decode("latin-1")
    assert others == [None] * len(REFUSED)


# ---------------------------------------------------------------- the algorithm


def test_pdf_is_aes256_revision_6() -> None:
    """V5, R6, AESV3 for streams, strings and attachments, 256 bits, metadata encrypted."""
    with pikepdf.open(io.BytesIO(locked_note()), password=PASSWORD) as pdf:
        lock_entry = pdf.trailer.Encrypt
        assert tuple(map(int, (lock_entry.V, lock_entry.R, lock_entry.Length))) == (5, 6, 256)
        assert str(lock_entry.StmF) == str(lock_entry.StrF) == "/StdCF"
        assert str(lock_entry.CF.StdCF.CFM) == "/AESV3"
        assert lock_entry.get("/EncryptMetadata", True)
        assert pikepdf.Name("/EFF") not in lock_entry


def test_pdf_may_be_printed_and_read_aloud_but_not_copied_or_changed() -> None:
    """Printing in full quality and screen readers are allowed; copying, notes, pages and changes are not."""
    with pikepdf.open(io.BytesIO(locked_note()), password=PASSWORD) as pdf:
        assert pikepdf.Permissions(
            accessibility=True, print_lowres=True, print_highres=True,
            extract=False, modify_annotation=False, modify_assembly=False, modify_form=False, modify_other=False,
        ) == pdf.allow  # fmt: skip
        assert int(pdf.trailer.Encrypt.P) & 1 << 9  # PDF/UA-1, 7.16


def test_form_may_be_filled_in() -> None:
    """A protected form can still be filled in."""
    with pikepdf.open(io.BytesIO(lock(form(), PASSWORD)), password=PASSWORD) as pdf:
        assert pdf.allow.modify_form
        assert not pdf.allow.modify_other


def test_owner_password_is_none_that_anybody_knows() -> None:
    """The owner's password is neither empty nor the user's, and another one each time."""
    one, two = (pikepdf.open(io.BytesIO(lock(note(1), PASSWORD)), password=PASSWORD) for _ in range(2))
    assert not one.owner_password_matched
    assert one.user_password_matched
    assert bytes(one.trailer.Encrypt.O) != bytes(two.trailer.Encrypt.O)
    assert one.encryption.encryption_key != two.encryption.encryption_key


def test_word_is_agile_aes256_with_sha512() -> None:
    """Version 4.4, AES in CBC, 256 bits, SHA-512, 100,000 rounds, for the document and for its key."""
    with olefile.OleFileIO(io.BytesIO(locked_word_note())) as compound:
        head = compound.openstream("EncryptionInfo").read()
    assert bytes.fromhex("0400040040000000") == head[:8]
    said = dict.fromkeys(("cipherAlgorithm", "cipherChaining", "keyBits", "hashAlgorithm", "spinCount"), "")
    found = {name: set(re.findall(rf'{name}="([^"]*)"', head.decode())) for name in said}
    assert {"cipherAlgorithm": {"AES"}, "cipherChaining": {"ChainingModeCBC"}, "keyBits": {"256"}, "hashAlgorithm": {"SHA512"}, "spinCount": {"100000"}} == found


def test_word_key_is_random_in_all_its_bytes() -> None:
    """All 32 bytes of the key are random; msoffcrypto 6.1.0 alone fills half of them with 0x36."""
    keys = []
    for _ in range(3):
        file = OOXMLFile(io.BytesIO(lock(word_note(), PASSWORD)))
        file.load_key(password=PASSWORD)
        keys.append(bytes(file.secret_key))
    assert {32} == set(map(len, keys))
    assert len({key[16:] for key in keys}) == 3


@pytest.mark.parametrize("document", ["pdf", "word"])
def test_two_copies_have_nothing_in_common(document: str) -> None:
    """Locked twice with one password, no 32 bytes of the secret part are the same."""
    one, two = (lock(note(1) if document == "pdf" else word_note(), PASSWORD) for _ in range(2))
    if document == "word":
        one, two = (olefile.OleFileIO(io.BytesIO(locked)).openstream("EncryptedPackage").read() for locked in (one, two))
    else:
        one, two = (b"".join(re.findall(rb"stream\r?\n(.*?)endstream", locked, re.DOTALL)[:-1]) for locked in (one, two))
    blocks = {one[start : start + 32] for start in range(len(one) - 32)}
    assert not any(two[start : start + 32] in blocks for start in range(len(two) - 32))


# ---------------------------------------------------------------- nothing of it in the clear


def every_reading(content: bytes) -> list[bytes]:
    """The bytes, and whatever in them can be decompressed, from any place that looks like a start."""
    found = [content]
    for match in re.finditer(rb"\x78[\x01\x5e\x9c\xda]|stream\r?\n|PK\x03\x04", content):
        for start, bits in ((match.start(), zlib.MAX_WBITS), (match.end(), zlib.MAX_WBITS), (match.end() + 26, -zlib.MAX_WBITS)):
            try:
                found.append(zlib.decompressobj(bits).decompress(content[start:]))
            except zlib.error:
                continue
    return found


def spellings(secret: str) -> list[bytes]:
    return [spelling for text in (secret, *secret.split()) for spelling in (text.encode(), text.encode("utf-16-be"), text.encode("utf-16-le"), text.encode().hex().encode())]


@pytest.mark.parametrize("document", ["pdf", "word"])
def test_no_secret_in_the_clear(document: str) -> None:
    """The planted name stands in no bytes of the protected file, compressed or not; before, it does."""
    plain, locked = (note(), locked_note()) if document == "pdf" else (word_note(), locked_word_note())
    assert any(spelling in reading for reading in every_reading(plain) for spelling in spellings(SECRET))
    assert not any(spelling in reading for reading in every_reading(locked) for spelling in spellings(SECRET))


@pytest.mark.parametrize("document", ["pdf", "word"])
def test_password_is_not_in_the_file(document: str) -> None:
    """Neither the password nor a word of it stands in the protected file."""
    locked = locked_note() if document == "pdf" else locked_word_note()
    assert not any(spelling in reading for reading in every_reading(locked) for spelling in spellings(PASSWORD.replace("-", " ")))


def test_identifier_is_no_digest_of_the_content() -> None:
    """The file identifier, which stands in the clear, is another one than before and each time: nothing can be guessed from it."""
    plain = pikepdf.open(io.BytesIO(note(1))).trailer.get("/ID")
    ids = [bytes(pikepdf.open(io.BytesIO(lock(note(1), PASSWORD)), password=PASSWORD).trailer.ID[0]) for _ in range(2)]
    assert len(set(ids)) == 2
    assert plain is None or bytes(plain[0]) not in ids


def test_earlier_states_of_the_document_are_gone() -> None:
    """What an incremental update replaced is not carried into the protected copy."""
    with pikepdf.open(io.BytesIO(note(1))) as first:
        first.docinfo["/Keywords"] = "Heliotrope"
        out = io.BytesIO()
        first.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    assert b"Heliotrope" in _replaced(out.getvalue())
    updated = lock(_replaced(out.getvalue()), PASSWORD)
    with pikepdf.open(io.BytesIO(updated), password=PASSWORD) as pdf:
        out = io.BytesIO()
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.generalized)
    assert b"Heliotrope" not in out.getvalue()


def _replaced(pdf: bytes) -> bytes:
    """An incremental update that takes the keywords away."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        number, size, root = document.trailer.Info.objgen[0], int(document.trailer.Size), document.Root.objgen[0]
    previous = int(pdf.rsplit(b"startxref", 1)[1].split()[0])
    start = len(pdf) + 1
    entry = b"%d 0 obj\n<< /Title (x) >>\nendobj\n" % number
    table = b"xref\n%d 1\n%010d 00000 n \ntrailer\n<< /Size %d /Root %d 0 R /Info %d 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (number, start, size, root, number, previous, start + len(entry))
    return pdf + b"\n" + entry + table


# ---------------------------------------------------------------- the same document


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PRINTABLE)
@example(" ")
@example("(\\)<>")
@example("x" * 127)
def test_unlock_undoes_lock_for_any_password(password: str) -> None:
    """A PDF locked and unlocked with any 1 to 127 printable ASCII characters has the same page content."""
    assert content_of(note(1)) == content_of(unlock(lock(note(1), password), password))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PRINTABLE, st.integers(min_value=1, max_value=400))
def test_unlock_undoes_lock_for_word(password: str, paragraphs: int) -> None:
    """A Word document of any size locked and unlocked is the same, byte for byte."""
    assert word_note(paragraphs) == unlock(lock(word_note(paragraphs), password), password)


def test_accessible_pdf_stays_accessible() -> None:
    """A tagged PDF keeps its structure, language and title, and passes PDF/UA-1 when unlocked."""
    unlocked = unlock(locked_note(), PASSWORD)
    assert page_validation.is_pdf_compliant_bytes(note(), profile="ua1")
    assert page_validation.is_pdf_compliant_bytes(unlocked, profile="ua1")
    with pikepdf.open(io.BytesIO(note())) as before, pikepdf.open(io.BytesIO(locked_note()), password=PASSWORD) as after:
        assert before.Root.StructTreeRoot.K.unparse(resolved=True) != b"null"
        assert _structure(before.Root.StructTreeRoot) == _structure(after.Root.StructTreeRoot)
        assert before.Root.Lang == after.Root.Lang
        assert after.Root.MarkInfo.Marked
        assert before.open_metadata()["dc:title"] == after.open_metadata()["dc:title"] == SECRET


def _structure(node: pikepdf.Object) -> object:
    """The tree of structure types."""
    if isinstance(node, pikepdf.Array):
        return [_structure(child) for child in node]
    if isinstance(node, pikepdf.Dictionary):
        return (str(node.get("/S", "")), _structure(node.get("/K", pikepdf.Array())))
    return str(node)


def test_form_that_was_filled_keeps_its_value() -> None:
    """Field values survive protection."""
    with pikepdf.open(io.BytesIO(form())) as pdf:
        pdf.Root.AcroForm.Fields[0].V = pikepdf.String("North")
        out = io.BytesIO()
        pdf.save(out)
    with pikepdf.open(io.BytesIO(unlock(lock(out.getvalue(), PASSWORD), PASSWORD))) as pdf:
        assert str(pdf.Root.AcroForm.Fields[0].V) == "North"


@pytest.mark.parametrize("sample", [("worksheet", "worksheet-8-children"), ("worksheet", "worksheet-long-notes"), ("fcch", "fcch-three-homes"), ("case-management", "case-management-35-actions")])
def test_our_filled_forms_are_protected_and_read_back_equal(service: Service, sample: tuple[str, str]) -> None:
    """Forms as we issue them, with uncompressed appearances and added pages, lose nothing under a password."""
    name, file = sample
    issued = service.issue(name, json.loads((samples_folder() / "values" / f"{file}.json").read_text(encoding="utf-8")))
    locked = lock(issued.content, PASSWORD)
    assert service.read(locked, password=PASSWORD).record.values == service.read(unlock(locked, PASSWORD)).record.values == issued.values


# ---------------------------------------------------------------- refused


def test_lock_refuses_what_it_cannot_protect() -> None:
    """Each kind of unsuitable document has its own code."""
    old_office = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    plain_zip = io.BytesIO()
    zipfile.ZipFile(plain_zip, "w").close()
    assert {
        "locked pdf": refusal(locked_note()), "locked word": refusal(locked_word_note()), "text": refusal(b"hello"), "old office": refusal(old_office),
        "zip": refusal(plain_zip.getvalue()), "empty": refusal(b""), "cut pdf": refusal(b"%PDF-1.7\n%%EOF"), "cut word": refusal(word_note()[:300]),
    } == {
        "locked pdf": "already-protected", "locked word": "already-protected", "text": "not-protectable", "old office": "not-protectable", "zip": "not-protectable",
        "empty": "file-empty", "cut pdf": "damaged", "cut word": "damaged-word",
    }  # fmt: skip


def test_pdf_with_only_an_owner_password_counts_as_protected() -> None:
    """A PDF that opens without a password but has restrictions is protected already."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(note(1))) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="somebody", user="", R=6))
    assert refusal(out.getvalue()) == "already-protected"


def test_unlock_refuses_with_a_code() -> None:
    """A wrong or empty password, a document without protection and a damaged one each have their own code."""
    assert {
        "wrong pdf": refusal_to_unlock(locked_note(), "other"), "wrong word": refusal_to_unlock(locked_word_note(), "other"), "empty": refusal_to_unlock(locked_note(), ""),
        "plain pdf": refusal_to_unlock(note()), "plain word": refusal_to_unlock(word_note()), "text": refusal_to_unlock(b"hello"), "cut word": refusal_to_unlock(locked_word_note()[:600]),
    } == {
        "wrong pdf": "password-wrong", "wrong word": "password-wrong", "empty": "password-empty", "plain pdf": "not-protected", "plain word": "not-protected",
        "text": "not-protectable", "cut word": "not-protected",
    }  # fmt: skip


@pytest.mark.parametrize(("password", "code"), [("", "password-empty"), ("señal-de-la-casa", "password-characters"), ("x" * 128, "password-too-long")])
def test_lock_refuses_passwords_that_might_not_open(password: str, code: str) -> None:
    """A password that some program could not use is refused, with its own code."""
    assert code == refusal(note(1), password)
    assert code == refusal(word_note(), password)


@pytest.mark.parametrize("revision", [6, 4, 3])
def test_unlock_takes_other_programs_passwords(revision: Literal[3, 4, 6]) -> None:
    """A stranger's PDF opens with an accented password, however its revision spells it."""
    out, aes = io.BytesIO(), revision > 3
    with pikepdf.open(io.BytesIO(note(1))) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="owner", user="señal€", R=revision, aes=aes, metadata=aes))
    assert content_of(note(1)) == content_of(unlock(out.getvalue(), "señal€"))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_files_are_refused_and_nothing_else(data: st.DataObject) -> None:
    """A protected file with any byte changed or cut off gives its content, or a refusal; never another failure."""
    locked = bytearray(data.draw(st.sampled_from([locked_note(), locked_word_note()])))
    place = data.draw(st.integers(min_value=0, max_value=len(locked) - 1))
    locked[place] ^= data.draw(st.integers(min_value=1, max_value=255))
    cut = data.draw(st.integers(min_value=1, max_value=len(locked)))
    try:
        unlock(bytes(locked[:cut]), PASSWORD)
    except Refused:
        return


def test_a_word_document_that_was_tampered_with_is_refused() -> None:
    """A changed byte of the encrypted document is noticed: its integrity value no longer fits."""
    package = olefile.OleFileIO(io.BytesIO(locked_word_note())).openstream("EncryptedPackage").read()
    at = locked_word_note().index(package[8:40]) + 1000
    changed = bytearray(locked_word_note())
    changed[at] ^= 1
    assert refusal_to_unlock(bytes(changed)) in {"password-wrong", "damaged-word"}


def test_a_strangers_file_is_unlocked_in_the_sandbox() -> None:
    """`unlock` and its refusals pass through the sandbox."""
    assert content_of(note()) == content_of(run_limited(unlock, locked_note(), PASSWORD))
    with pytest.raises(Refused) as refused:
        run_limited(unlock, locked_note(), "other")
    assert refused.value.code == "password-wrong"


# ---------------------------------------------------------------- the check after writing


@pytest.mark.parametrize(("how", "failed"), [
    ({"user": "other", "owner": "owner", "R": 6}, "does not open with its password"),
    ({"user": PASSWORD, "owner": PASSWORD, "R": 4}, "not AES-256"),
    ({"user": PASSWORD, "owner": "owner", "R": 6, "metadata": False}, "metadata"),
    ({"user": PASSWORD, "owner": "owner", "R": 6, "allow": pikepdf.Permissions(extract=True)}, "permissions"),
    ({"user": PASSWORD, "owner": "", "R": 6}, "empty password"),
])  # fmt: skip
def test_badly_locked_pdf_fails_the_check(how: dict[str, object], failed: str) -> None:
    """A PDF that is not locked as meant is never given back."""
    with pikepdf.open(io.BytesIO(note(1))) as pdf:
        allowed, plain = locked_pdf._allowed(pdf), locked_pdf._plain(pdf)
        out = io.BytesIO()
        pdf.save(out, static_id=True, encryption=pikepdf.Encryption(**{"allow": allowed, **how}))  # type: ignore[arg-type]
    with pytest.raises(Refused, match=failed) as refused:
        locked_pdf._check(out.getvalue(), plain, PASSWORD, allowed)
    assert refused.value.code == "protection-failed"


def test_pdf_with_other_content_fails_the_check() -> None:
    """A PDF whose content changed on the way is never given back."""
    with pikepdf.open(io.BytesIO(note(1))) as one:
        other, allowed = locked_pdf._plain(one), locked_pdf._allowed(one)
    with pytest.raises(Refused, match="content changed"):
        locked_pdf._check(locked_note(), other, PASSWORD, allowed)


def test_word_locked_by_the_library_alone_fails_the_check() -> None:
    """Msoffcrypto's own encryption, with half a key, is never given back; nor is another document or password."""
    out = io.BytesIO()
    OOXMLFile(io.BytesIO(word_note(80))).encrypt(PASSWORD, out)
    with pytest.raises(Refused, match="fewer than 256 random bits"):
        locked_word._check(out.getvalue(), word_note(80), PASSWORD)
    with pytest.raises(Refused, match="content changed"):
        locked_word._check(locked_word_note(), word_note(1), PASSWORD)
    with pytest.raises(Refused, match="does not open"):
        locked_word._check(locked_word_note(), word_note(), "other")


# ---------------------------------------------------------------- the command line


def formsvc(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line, without a terminal."""
    clean = {name: value for name, value in os.environ.items() if name != "FORMSVC_PASSWORD"}
    return type_command(*arguments, folder=folder, environment={**clean, **environment})


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with a note in both formats and a password file."""
    (tmp_path / "note.pdf").write_bytes(note(1))
    (tmp_path / "note.docx").write_bytes(word_note())
    (tmp_path / "pw").write_bytes(b"\xef\xbb\xbf" + PASSWORD.encode() + b"\r\nsecond line\r\n")
    return tmp_path


@pytest.mark.parametrize("name", ["note.pdf", "note.docx"])
def test_command_locks_and_unlocks(desk: Path, name: str) -> None:
    """`lock` and `unlock` undo each other; the password is the first line of its file, as Notepad writes it."""
    locked = formsvc(desk, "lock", name, "out/locked", "--password-file", "pw")
    assert (locked.returncode, locked.stderr) == (0, "")
    unlocked = formsvc(desk, "unlock", "out/locked", "plain", "--password-file", "pw", "--json")
    assert (unlocked.returncode, json.loads(unlocked.stdout)) == (0, {"file": "plain"})
    plain = (desk / "plain").read_bytes()
    assert word_note() == plain if name.endswith("docx") else content_of(note(1)) == content_of(plain)


def test_command_makes_a_passphrase(desk: Path) -> None:
    """`--passphrase-out` writes six words to a file for its owner's eyes only, and shows them nowhere else."""
    done = formsvc(desk, "lock", "note.pdf", "locked.pdf", "--passphrase-out", "phrase")
    assert done.returncode == 0
    phrase = (desk / "phrase").read_text().strip()
    assert phrase.count("-") == 5
    assert judge_password(phrase) == ()
    assert stat.S_IMODE((desk / "phrase").stat().st_mode) == 0o600
    assert phrase not in done.stdout + done.stderr
    assert unlock((desk / "locked.pdf").read_bytes(), phrase)


def test_command_takes_the_password_from_the_environment(desk: Path) -> None:
    """FORMSVC_PASSWORD is used where no file is given."""
    assert formsvc(desk, "lock", "note.pdf", "locked.pdf", FORMSVC_PASSWORD=PASSWORD).returncode == 0
    assert unlock((desk / "locked.pdf").read_bytes(), PASSWORD)


@pytest.mark.parametrize(("arguments", "code"), [
    (["lock", "note.pdf", "out"], "password-missing"),
    (["lock", "none.pdf", "out", "--password-file", "pw"], "file-missing"),
    (["lock", "note.pdf", "out", "--password-file", "none"], "file-missing"),
    (["lock", "note.pdf", "out", "--password-file", "empty"], "password-empty"),
    (["lock", "note.pdf", "out", "--password-file", "weak"], "password-weak"),
    (["lock", "note.pdf", "out", "--password-file", "accented"], "password-characters"),
    (["lock", "note.pdf", "note.pdf", "--password-file", "pw"], "same-file"),
    (["lock", "note.pdf", "./x/../note.pdf", "--password-file", "pw"], "same-file"),
    (["lock", "note.pdf", "hard.pdf", "--password-file", "pw"], "same-file"),
    (["lock", "note.pdf", "pw", "--password-file", "pw"], "same-file"),
    (["lock", "note.pdf", "out", "--passphrase-out", "out"], "same-file"),
    (["lock", "note.pdf", "out", "--passphrase-out", "pw"], "file-exists"),
    (["lock", "pw", "out", "--passphrase-out", "phrase"], "not-protectable"),
    (["lock", "note.pdf", "pw/out", "--passphrase-out", "phrase"], "file-unwritable"),
    (["unlock", "note.pdf", "out", "--password-file", "pw"], "not-protected"),
    (["unlock", "locked.pdf", "out", "--password-file", "weak"], "password-wrong"),
    (["unlock", "locked.pdf", "locked.pdf", "--password-file", "pw"], "same-file"),
])  # fmt: skip
def test_command_refuses_and_leaves_nothing(desk: Path, arguments: list[str], code: str) -> None:
    """Each refusal exits with 2 and one JSON object; no file is made or changed, and no password is repeated."""
    (desk / "empty").write_text("\n")
    (desk / "weak").write_text("hunter2\n")
    (desk / "accented").write_text("contraseña larga de la casa\n", encoding="utf-8")
    (desk / "locked.pdf").write_bytes(lock(note(1), PASSWORD))
    os.link(desk / "note.pdf", desk / "hard.pdf")
    before = {file.name: file.read_bytes() for file in desk.iterdir()}
    done = formsvc(desk, *arguments, "--json")
    assert (2, code) == (done.returncode, json.loads(done.stderr)["code"])
    assert before == {file.name: file.read_bytes() for file in desk.iterdir()}
    assert not any(secret in done.stdout + done.stderr for secret in (PASSWORD, "hunter2", "contraseña larga"))


def test_weak_password_on_purpose(desk: Path) -> None:
    """`--weak-password` takes a password that would be guessed; the refusal before says why."""
    (desk / "weak").write_text("password12345\n")
    assert "everybody tries first" in formsvc(desk, "lock", "note.pdf", "out.pdf", "--password-file", "weak").stderr
    assert formsvc(desk, "lock", "note.pdf", "out.pdf", "--password-file", "weak", "--weak-password").returncode == 0


def test_wrong_usage_exits_with_1(desk: Path) -> None:
    """Two sources of a password, or a password as an argument, are wrong usage."""
    assert formsvc(desk, "lock", "note.pdf", "out", "--password-file", "pw", "--passphrase-out", "phrase").returncode == 1
    assert formsvc(desk, "lock", "note.pdf", "out", "--password", PASSWORD).returncode == 1
    assert not (desk / "out").exists()


def test_password_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing that is logged, by us or by a library, at any level holds the password or the text."""
    caplog.set_level(logging.DEBUG)
    for document in (note(1), word_note()):
        unlock(lock(document, PASSWORD), PASSWORD)
        refusal_to_unlock(lock(document, PASSWORD), "another-password-altogether")
    assert not any(secret in caplog.text for secret in (PASSWORD, SECRET, "another-password-altogether"))
