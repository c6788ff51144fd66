"""What the hostile files cost: a process of its own tells what each met and how long it took, and all the memory."""

import base64
import json
import re
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from dmp.cda.body import check_embedded
from dmp.cda.header import read_header
from dmp.domain.content import XML, detect
from dmp.domain.errors import DmpError
from dmp.fhir.document_reference import Intake
from dmp.fhir.parsing import parse_resource
from dmp.fhir.publication import read_simplified_publish
from tests import bodies
from tests.hostile.corpus import HOSTILE_FILES
from tests.hostile.hostile_file import HostileFile

_RECORD = "0123456789abcdefghjkmnpqrs"


def measured(file: HostileFile) -> tuple[str, float]:
    """The code of the refusal and the seconds it took: reading JSON, base64, content, CDA."""
    attachment = {"contentType": file.content_type, "data": base64.b64encode(file.content).decode()}
    body = json.dumps(bodies.document(_RECORD, attachment=attachment)).encode()
    began = time.perf_counter()
    try:
        intake = Intake(now=datetime.now(UTC), read_header=read_header)
        read_simplified_publish(parse_resource(body, "DocumentReference"), intake)
        if detect(file.content) == XML:
            check_embedded(file.content)
    except DmpError as error:
        return error.code, time.perf_counter() - began
    return "", time.perf_counter() - began


def peak_memory() -> int:
    """The most memory this process ever had, in bytes; Linux counts what began it, too, unless asked elsewhere."""
    told = Path("/proc/self/status")
    if told.exists():
        return int(re.findall(r"VmHWM:\s+(\d+) kB", told.read_text())[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    found = {file.name: measured(file) for file in HOSTILE_FILES}
    json.dump({"files": found, "peak": peak_memory()}, sys.stdout)
