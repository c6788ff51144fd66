"""Hostile XML: entities, depth, markup of browsers, style sheets, and CDA documents that carry something."""

from base64 import b64encode

from tests.hostile.archive_files import archive, program
from tests.hostile.hostile_file import MISMATCH, UNSAFE, HostileFile
from tests.hostile.pdf_files import ALERT
from tests.hostile.pdf_writer import pdf

_DOCTYPE, _COMPLEX, _ENCODING = "xml-doctype-forbidden", "xml-too-complex", "xml-encoding-unsupported"
_XSL = b'xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"'


def cda(text: bytes = b"", *, head: bytes = b"", body: bytes = b"") -> bytes:
    """A CDA of one section, without a patient."""
    section = b"<structuredBody><component><section><text>%s</text></section></component></structuredBody>" % text
    return b'<?xml version="1.0" encoding="UTF-8"?>%s%s' % (head, clinical_document(body or section))


def clinical_document(body: bytes) -> bytes:
    """The document without a declaration."""
    return b'<ClinicalDocument xmlns="urn:hl7-org:v3"><component>%s</component></ClinicalDocument>' % body


def embedding(media_type: bytes, content: bytes) -> bytes:
    """A CDA of level 1 around a file."""
    text = b'<text mediaType="%s" representation="B64">%s</text>' % (media_type, b64encode(content))
    return cda(body=b"<nonXMLBody>%s</nonXMLBody>" % text)


def style_sheet(*parts: bytes) -> bytes:
    """A style sheet around something."""
    return b'<?xml version="1.0"?><xsl:stylesheet %s>%s</xsl:stylesheet>' % (_XSL, b"".join(parts))


def _laughs() -> bytes:
    entities = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
    return b'<!DOCTYPE a [<!ENTITY a0 "ha">%s]><a>&a9;</a>' % entities


_TEMPLATE = b'<xsl:template match="/"><html>%s</html></xsl:template>'
_FILES: tuple[tuple[str, bytes, str], ...] = (
    ("a document type", cda(head=b"<!DOCTYPE ClinicalDocument>"), _DOCTYPE),
    ("a billion laughs", _laughs(), _DOCTYPE),
    ("one entity many times", b'<!DOCTYPE a [<!ENTITY b "%s">]><a>%s</a>' % (b"b" * 99_999, b"&b;" * 9_999), _DOCTYPE),
    ("an entity from a file", b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', _DOCTYPE),
    ("a parameter entity", b'<!DOCTYPE a [<!ENTITY % b SYSTEM "http://example.org/a.dtd"> %b;]><a/>', _DOCTYPE),
    ("a document type from elsewhere", b'<!DOCTYPE a SYSTEM "http://198.51.100.1/a.dtd"><a/>', _DOCTYPE),
    ("an entity of no declaration", cda(b"&nbsp;"), "xml-malformed"),
    ("a depth without end", cda(b"<a>" * 100_000), _COMPLEX),
    ("elements without end", cda(b"<br/>" * 500_000), _COMPLEX),
    ("attributes without end", cda(b"<a %s/>" % b" ".join(b'a%d=""' % n for n in range(5_000))), _COMPLEX),
    ("an attribute without end", cda(b'<a b="%s"/>' % (b"c" * 200_000)), _COMPLEX),
    ("a document in UTF-16", cda().replace(b"UTF-8", b"UTF-16").decode().encode("utf-16"), MISMATCH),
    ("a document in UTF-7", cda().replace(b"UTF-8", b"UTF-7"), _ENCODING),
    ("two CDA documents", style_sheet(clinical_document(b""), clinical_document(b"")), "cda-ambiguous"),
    ("a page in XML", b'<a><html xmlns="http://www.w3.org/1999/xhtml"><body/></html></a>', UNSAFE),
    ("a script in XML", b'<a xmlns:b="http://www.w3.org/1999/xhtml"><b:script>alert(1)</b:script></a>', UNSAFE),
    ("a script in XML under a name in letters", b'<a><script xmlns="&#104;ttp://www.w3.org/1999/xhtml"/></a>', UNSAFE),
    ("a drawing in XML", b'<a><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/></a>', UNSAFE),
    ("a script in the narrative of a CDA", cda(b'<script xmlns="http://www.w3.org/1999/xhtml">a()</script>'), UNSAFE),
    ("a drawing in the narrative of a CDA", cda(b'<s:svg xmlns:s="http://www.w3.org/2000/svg" onload="a()"/>'), UNSAFE),
    ("a style sheet alone", style_sheet(_TEMPLATE % b"Bonjour"), UNSAFE),
    ("a script in the style sheet of a CDA", style_sheet(
        _TEMPLATE % b"<script>a()</script>", clinical_document(b"")), UNSAFE),
    ("a program in the style sheet of a CDA", style_sheet(
        b'<m:script xmlns:m="urn:schemas-microsoft-com:xslt" implements-prefix="m">a()</m:script>',
        clinical_document(b"")), UNSAFE),
    ("a style sheet that is a script", cda(head=b'<?xml-stylesheet href="javascript:alert(1)"?>'), UNSAFE),
    ("a style sheet in an address", cda(head=b"<?xml-stylesheet type='text/xsl' href='data:text/xml,a'?>"), UNSAFE),
    ("an instruction for a server", cda(head=b"<?php system($_GET['a']); ?>"), UNSAFE),
    ("a scriptlet", b'<scriptlet><registration/><script language="JScript">a()</script></scriptlet>', UNSAFE),
    ("a script file of Windows", b'<package><job><script language="JScript">a()</script></job></package>', UNSAFE),
    ("a job of Windows", b'<job id="a"><script language="VBScript">a()</script></job>', UNSAFE),
    ("a component of Windows", b'<?component error="true"?><a><public/></a>', UNSAFE),
    ("a project to build", b'<Project xmlns="http://schemas.microsoft.com/developer/msbuild/2003"/>', UNSAFE),
    ("a project to build without a namespace", b'<Project><UsingTask TaskName="a"/></Project>', UNSAFE),
    ("a task of Windows", b'<Task xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task"/>', UNSAFE),
    ("an office document in XML", b'<?mso-application progid="Word.Document"?><a/>', UNSAFE),
    ("a workbook in XML", b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>', UNSAFE),
    ("a letter of an office in XML", b'<w:a xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml"/>', UNSAFE),
    ("a window in XML", b'<window xmlns="http://www.mozilla.org/keymaster/gatekeeper/there.is.only.xul"/>', UNSAFE),
    ("a script of Windows under an odd head", b'<?XML version="1.0"?><scriptlet/>', "xml-malformed"),
    ("a PDF with a script in a CDA", embedding(b"application/pdf", pdf(root=b"/OpenAction " + ALERT)), UNSAFE),
    ("an archive in a CDA", embedding(b"application/pdf", archive()), MISMATCH),
    ("a program in a CDA", embedding(b"application/pdf", program()), MISMATCH),
    ("a page in a CDA", embedding(b"text/html", b"<script>alert(1)</script>"), "unsupported-content"),
)  # fmt: skip

XML_FILES = tuple(HostileFile(name, "application/xml", content, code) for name, content, code in _FILES)
