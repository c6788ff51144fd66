"""Which narratives are kept: XHTML of the tags and attributes that FHIR allows, with nothing that acts or fetches."""

import re
import xml.etree.ElementTree as ET  # nosec B405 # no markup declaration gets here

_XHTML = "{http://www.w3.org/1999/xhtml}"
_TAGS = re.compile(
    "a|abbr|acronym|b|big|blockquote|br|caption|cite|code|col|colgroup|dd|dfn|div|dl|dt|em|h[1-6]|hr|i|kbd|li|ol|p|pre|q"
    "|samp|small|span|strong|sub|sup|table|tbody|td|tfoot|th|thead|tr|tt|ul|var"
)
_ATTRIBUTES = re.compile(
    "title|name|class|id|dir|lang|align|valign|colspan|rowspan|headers|scope|abbr|axis|width|border|cellpadding"
    "|cellspacing|frame|rules|summary|span|{http://www.w3.org/XML/1998/namespace}lang"
)
_MAX_CHARACTERS = 65_536


def is_safe(div: object) -> bool:
    """Whether a `text.div` may be shown to anybody as it is."""
    if not isinstance(div, str) or len(div) > _MAX_CHARACTERS or "<!" in div or "<?" in div:
        return False
    try:
        root = ET.fromstring(div)  # nosec B314 # noqa: S314 - no markup declaration gets here
    except ET.ParseError:
        return False
    has_content = bool("".join(root.itertext()).strip())
    return root.tag == f"{_XHTML}div" and has_content and all(_is_allowed(element) for element in root.iter())


def _is_allowed(element: ET.Element) -> bool:
    tag = element.tag.removeprefix(_XHTML)
    if not _TAGS.fullmatch(tag) or not element.tag.startswith(_XHTML):
        return False
    return all(_is_harmless(tag, name, value) for name, value in element.attrib.items())


def _is_harmless(tag: str, name: str, value: str) -> bool:
    if tag == "a" and name == "href":
        return value.startswith(("#", "https://"))
    return bool(_ATTRIBUTES.fullmatch(name))
