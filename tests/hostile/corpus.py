"""All hostile files."""

from tests.hostile.archive_files import ARCHIVE_FILES
from tests.hostile.image_files import IMAGE_FILES
from tests.hostile.pdf_files import PDF_FILES
from tests.hostile.text_files import TEXT_FILES
from tests.hostile.xml_files import XML_FILES

HOSTILE_FILES = (*PDF_FILES, *IMAGE_FILES, *TEXT_FILES, *XML_FILES, *ARCHIVE_FILES)
