"""Files of the field that look odd and are fine: each must be taken."""

from tests.hostile.hostile_file import HarmlessFile
from tests.hostile.image_files import dicom, element, jpeg, png, tiff
from tests.hostile.pdf_writer import HEADER, modern, pdf, stream, written
from tests.hostile.text_files import field, rtf
from tests.hostile.xml_files import cda, clinical_document, embedding, style_sheet

_LINK = b"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (https://example.org/a?b=\\(c\\)) >> >>"
_FIELD = b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (nom) /Rect [0 0 9 9] >>"
_PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [%s] >>"
_XMP = (
    b'<?xpacket begin="\xef\xbb\xbf"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'
)
_FONT = (
    b"<< /Type /Font /Subtype /TrueType /BaseFont /ABCDEF+Arial#20Gras /Encoding << /Differences [65 /A /S /J] >> >>"
)
_PLAIN_OBJECTS = stream(b"7 0 << >>", b"/Type /ObjStm /N 1 /First 4")
_COMMENTED = stream(
    b"7 11 8 34\n% a (\n%% 7\n<< /A (b) >>\n%% 8: ) %\n<< /A#20 2 >>\n", b"/Type /ObjStm /N 2 /First 10"
)
_ODD_STRINGS = b"<< /Title (a \\( % trailer \\\\) /A#20 (1 0 ob (j)) /B <4 1> >>"
_REFERRING = b"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI 6 0 R >> >>"
_FORM = b"/AcroForm << /Fields [] /DA (/Helv 0 Tf) >>"
_TITLE = b"<< /Title (No /JavaScript, no \\(/Launch\\) (/JS)) >>"
_STYLED = b'<?xml-stylesheet type="text/xsl" href="../a/CDA-FO.xsl"?>'
_SIGNATURE = (
    b'<?xml version="1.0"?><ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo/></ds:Signature>'
)
_FILM = b"\x00\x00\x00\x18ftypmp42" + bytes(200)
_TEMPLATE = b'<xsl:template match="/"><html><body onload="">Bonjour</body></html></xsl:template>'
_LETTER = """Cher confrère,
T° < 38° C et TA > 14/9 ; <3 mois. Voir l'ordonnance (javascript désactivé sur la borne) — cordialement.
Prescription : 1 cp/j, à renouveler ; exécuter le bilan ; évaluer (IMC) ; résultat : Na+ADH = 140.
"""
_PDF, _TEXT, _XML = "application/pdf", "text/plain", "application/xml"

HARMLESS_FILES = (
    HarmlessFile("a PDF", _PDF, pdf()),
    HarmlessFile("a modern PDF", _PDF, modern((7, b"(not a script)"))),
    HarmlessFile("a PDF with a link", _PDF, pdf({3: _PAGE % _LINK})),
    HarmlessFile("a PDF with a form", _PDF, pdf({3: _PAGE % _FIELD}, root=_FORM)),
    HarmlessFile("a PDF that opens at a page", _PDF, pdf(root=b"/OpenAction [3 0 R /Fit] /PageMode /UseOutlines")),
    HarmlessFile("a PDF that goes to a page", _PDF, pdf(root=b"/OpenAction << /S /GoTo /D [3 0 R /XYZ 0 0 0] >>")),
    HarmlessFile("a PDF that prints", _PDF, pdf(root=b"/OpenAction << /S /Named /N /Print >>")),
    HarmlessFile("a PDF with an update", _PDF, written(pdf(), {3: _PAGE % _LINK})),
    HarmlessFile("a PDF with metadata", _PDF, pdf({6: stream(_XMP, b"/Type /Metadata")}, root=b"/Metadata 6 0 R")),
    HarmlessFile("a PDF with fonts", _PDF, pdf({5: _FONT})),
    HarmlessFile("a PDF whose title tells of scripts", _PDF, pdf({6: _TITLE})),
    HarmlessFile("a PDF whose comment tells of scripts", _PDF, pdf({6: b"<< % /JavaScript\n/A 1 >>"})),
    HarmlessFile("a PDF whose text tells of scripts", _PDF, pdf({4: stream(b"BT (/JS /Launch /JavaScript) Tj ET")})),
    HarmlessFile("a PDF with names that begin alike", _PDF, pdf(root=b"/JSON 1 /EncryptMetadata true /BM /Screen")),
    HarmlessFile("a PDF with a plain object stream", _PDF, pdf({6: _PLAIN_OBJECTS})),
    HarmlessFile("a PDF with comments before its objects", _PDF, pdf({6: _COMMENTED})),
    HarmlessFile("a PDF whose strings are odd", _PDF, pdf({6: _ODD_STRINGS})),
    HarmlessFile("a PDF with a link elsewhere", _PDF, pdf({3: _PAGE % _REFERRING, 6: b"(https://example.org/JS)"})),
    HarmlessFile("a PDF cut short", _PDF, HEADER + b"1 0 obj\n<< /Type /Catalog"),
    HarmlessFile("a PDF with a line behind its end", _PDF, pdf() + b"\r\n% printed by a scanner\r\n\x00\x00"),
    HarmlessFile("the word of an example", _PDF, b"Hello World"),
    HarmlessFile("a JPEG", "image/jpeg", jpeg((0xFE, b"Radio du poumon"), (0xE1, b"Exif\x00\x00II*\x00"))),
    HarmlessFile("a JPEG with a smaller one behind it", "image/jpeg", jpeg() + bytes(20) + jpeg()),
    HarmlessFile("a JPEG with padding", "image/jpeg", jpeg() + bytes(3_000)),
    HarmlessFile("a JPEG with the film of a telephone", "image/jpeg", jpeg() + _FILM),
    HarmlessFile("a PNG", "image/png", png((b"tEXt", b"Title\x00Plaie < 3 cm"))),
    HarmlessFile("a TIFF", "image/tiff", tiff()),
    HarmlessFile("a DICOM file", "application/dicom", dicom(b"", element(0x0042, 0x0011, b"OB", pdf()))),
    HarmlessFile("a DICOM file that is a TIFF", "application/dicom", dicom(b"II*\x00\x08\x00\x00\x00")),
    HarmlessFile("an RTF with a link", "text/rtf", field(rb'HYPERLINK "https://example.org/a?rd=1&link=2" \\o "DDE"')),
    HarmlessFile("an RTF with a link in a field", "text/rtf", field(
        rb'IF 1=1 "a" {\field{\*\fldinst HYPERLINK "https://example.org"}{\fldrslt a}} "DDE"')),
    HarmlessFile("an RTF with an accent in its template", "text/rtf", rtf(rb"{\*\template C:\\Mod\u232?les\\a.dot}")),
    HarmlessFile("a text about PDF", _TEXT, b"The file begins with %PDF-1.7 (JavaScript is off).\n"),
    HarmlessFile("XML of a package", _XML, b'<package xmlns="http://www.idpf.org/2007/opf"/>'),
    HarmlessFile("an RTF with a page number", "text/rtf", field(rb" PAGE  \\* MERGEFORMAT ")),
    HarmlessFile("an RTF with a template of its own", "text/rtf", rtf(rb"{\*\template C:\\Modeles\\Courrier.dot}")),
    HarmlessFile("an RTF with a picture", "text/rtf", rtf(rb"{\pict\pngblip 89504e470d0a1a0a}")),
    HarmlessFile("a letter", _TEXT, _LETTER.encode()),
    HarmlessFile("a letter of old software", _TEXT, _LETTER.encode("cp1252")),
    HarmlessFile("a CDA", _XML, cda(b"<paragraph>Bonjour</paragraph>")),
    HarmlessFile("a CDA with a style sheet of its own", _XML, cda(head=_STYLED)),
    HarmlessFile("a CDA in a style sheet", _XML, style_sheet(_TEMPLATE, clinical_document(b""))),
    HarmlessFile("a CDA around a PDF", _XML, embedding(b"application/pdf", pdf())),
    HarmlessFile("a signature", _XML, _SIGNATURE),
)  # fmt: skip
