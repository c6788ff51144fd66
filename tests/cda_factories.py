"""CDA R2 documents made of a header and a body given as XML, for tests of their reading and rendering."""

import base64

NAMESPACE = 'xmlns="urn:hl7-org:v3"'
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'


def cda(inner: str = "", title: str = "Lettre") -> bytes:
    """A ClinicalDocument; `inner` follows its title."""
    return f"{DECLARATION}<ClinicalDocument {NAMESPACE}><title>{title}</title>{inner}</ClinicalDocument>".encode()


def section(inner: str) -> str:
    """A section within a component."""
    return f"<component><section>{inner}</section></component>"


def structured(*sections: str, title: str = "Lettre") -> bytes:
    """A document of level 3 with these sections."""
    return cda(f"<component><structuredBody>{''.join(sections)}</structuredBody></component>", title)


def narrated(narrative: str) -> bytes:
    """A document with one section, of this narrative."""
    return structured(section(f"<title>Texte</title><text>{narrative}</text>"))


def embedding(content: bytes, media_type: str = "application/pdf", **attributes: str) -> bytes:
    """A document of level 1 around a file."""
    given = {"mediaType": media_type, "representation": "B64", **attributes}
    written = " ".join(f'{name}="{value}"' for name, value in given.items())
    text = f"<text {written}>{base64.b64encode(content).decode()}</text>"
    return cda(f"<component><nonXMLBody>{text}</nonXMLBody></component>")


def carrying(content: bytes, media_type: str = "image/png") -> bytes:
    """A document of level 3 with a file in an entry."""
    value = f'<value mediaType="{media_type}" representation="B64">{base64.b64encode(content).decode()}</value>'
    entry = f"<entry><observationMedia>{value}</observationMedia></entry>"
    return structured(section(f"<text>Image <renderMultiMedia referencedObject='m'/></text>{entry}"))
