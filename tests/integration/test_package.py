"""The package as it is deployed, made by `make build`: small, whole, and decided by the sources alone."""

import base64
import dis
import hashlib
import marshal
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from types import CodeType
from zipfile import ZipFile

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from infra.package import contents, requirements
from infra.package.byte_code import TASK_FOLDER
from tests.packaged_stack import PackagedProcess, runtime_libraries
from tests.packages import DEPLOYED, ROOT, package
from tests.texts import pdf

LARGEST = 8_000_000
PROCESSORS = {"x86_64": 62, "arm64": 183}
"""As ELF numbers them."""
SOURCES = {path.relative_to(ROOT / "functions") for path in (ROOT / "functions").rglob("*.py")}


@pytest.fixture
def camille(stack: PackagedProcess) -> Iterator[httpx.Client]:
    with _calling(stack, "patient") as client:
        yield client


@pytest.fixture
def stranger(stack: PackagedProcess) -> Iterator[httpx.Client]:
    with _calling(stack, "nurse") as client:
        yield client


@pytest.fixture(scope="module")
def stack(own: Path) -> Iterator[PackagedProcess]:
    with PackagedProcess(own / "functions") as process:
        yield process


def test_two_builds_in_other_surroundings_give_the_same_bytes(
    deployed: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    again = package(
        tmp_path_factory, "elsewhere/again", DEPLOYED, PYTHONHASHSEED="7", LC_ALL="C", TZ="Asia/Tokyo", umask=0o077
    )

    digests = {hashlib.sha256((build / "functions.zip").read_bytes()).hexdigest() for build in (deployed, again)}

    assert len(digests) == 1
    assert (deployed / "deploy.yaml").read_bytes() == (again / "deploy.yaml").read_bytes()


def test_the_package_is_small(deployed: Path) -> None:
    assert (deployed / "functions.zip").stat().st_size <= LARGEST


def test_the_zip_file_holds_the_folder_readable_by_everybody(deployed: Path) -> None:
    folder = deployed / "functions"
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    with ZipFile(deployed / "functions.zip") as archive:
        packed = {entry.filename: archive.read(entry) for entry in archive.infolist()}
        modes = {entry.external_attr >> 16 for entry in archive.infolist()}

    assert packed == files
    assert modes == {0o100644}


def test_everything_pinned_is_in_the_package_but_what_it_does_without(deployed: Path) -> None:
    pins, held = requirements.pinned(), requirements.held(deployed / "functions")

    assert {name: version for name, version in pins.items() if name not in contents.ELSEWHERE} == held
    assert held


def test_shared_objects_are_for_the_processor_and_end_with_what_is_loaded(deployed: Path) -> None:
    objects = [path.read_bytes() for path in (deployed / "functions").rglob("*.so")]

    assert len(objects) == 3
    assert {int.from_bytes(content[18:20], "little") for content in objects} == {PROCESSORS[DEPLOYED]}
    assert not [content for content in objects if b".symtab" in content]


def test_every_module_of_ours_is_there_as_byte_code_that_is_never_checked(deployed: Path) -> None:
    folder = deployed / "functions"
    modules = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.pyc")}

    assert {path.with_suffix(".pyc") for path in SOURCES} <= set(modules)
    assert {(content[:4], content[4:8]) for content in modules.values()} == {(MAGIC_NUMBER, b"\1\0\0\0")}
    assert not list(folder.rglob("*.py"))


def test_byte_code_names_the_file_and_the_line_and_no_place_of_the_build(deployed: Path) -> None:
    content = (deployed / "functions/dmp/api.pyc").read_bytes()
    code = marshal.loads(content[16:])  # noqa: S302 - made by the build
    [place] = [each for each in code.co_consts if isinstance(each, CodeType) and each.co_name == "Api"]
    source = (ROOT / "functions/dmp/api.py").read_text(encoding="utf-8").splitlines()

    lines = {line for _, line in dis.findlinestarts(place) if line}

    assert place.co_filename == f"{TASK_FOLDER}/dmp/api.py"
    assert any(source[line - 1].lstrip().startswith("def ") for line in lines)
    assert str(ROOT).encode() not in content


def test_whoever_wants_their_licence_shipped_has_it_shipped(deployed: Path) -> None:
    folder = deployed / "functions"

    without = [each.name for each in folder.glob("*.dist-info") if not list(each.rglob("*LICEN*"))]

    assert not without
    assert "Adobe" in (folder / contents.NOTICES).read_text(encoding="utf-8")


def test_no_time_zone_is_left_out_that_the_functions_name() -> None:
    named = {
        zone
        for path in SOURCES
        for zone in re.findall(r"ZoneInfo\(\"([^\"]+)", (ROOT / "functions" / path).read_text(encoding="utf-8"))
    }

    assert named == contents.ZONES


def test_every_module_of_ours_starts_with_the_package_alone(own: Path, tmp_path: Path) -> None:
    libraries = runtime_libraries(tmp_path)
    modules = sorted(".".join(path.with_suffix("").parts) for path in SOURCES if path.parts[0] == "dmp")
    names = ", ".join(name.removesuffix(".__init__") for name in modules)
    script = (
        f"import sys\nsys.path[:0] = {[str(own / 'functions')]}\nsys.path.append({str(libraries)!r})\nimport {names}\n"
    )
    script += "assert 'pydantic' in sys.modules and 'pypdf' in sys.modules\n"

    run = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stderr[-500:]


def test_the_main_job_runs_on_the_package_alone(
    stack: PackagedProcess, camille: httpx.Client, stranger: httpx.Client
) -> None:
    identifier = "urn:oid:1.2.250.1.213.1.4.10|284067505608841"
    [found] = camille.get("Patient", params={"identifier": identifier}).raise_for_status().json()["entry"]
    record = found["resource"]["id"]

    documents = camille.get("DocumentReference", params={"patient": record, "status": "current"}).json()["entry"]
    urls = [one["resource"]["content"][0]["attachment"]["url"] for one in documents]
    contents = [camille.get(url, headers={"accept": "*/*"}) for url in urls]
    summary = camille.get(f"Patient/{record}/$summary").raise_for_status().json()
    page = camille.get("AuditEvent", params={"patient": record, "_count": 2}).raise_for_status().json()
    [following] = [link["url"] for link in page["link"] if link["relation"] == "next"]
    [consent] = camille.get("Consent", params={"patient": record, "category": "authorisation"}).json()["entry"]
    revoked = camille.patch(
        f"Consent/{consent['resource']['id']}",
        json=[{"op": "replace", "path": "/status", "value": "inactive"}],
        headers={"content-type": "application/json-patch+json"},
    )

    assert {answer.status_code for answer in contents} == {200}
    assert any(answer.content.startswith(b"%PDF") for answer in contents)
    assert summary["type"] == "document"
    assert camille.get(following).raise_for_status().json()["entry"]
    assert revoked.status_code == 200, revoked.text
    assert stranger.get("DocumentReference", params={"patient": record, "status": "current"}).status_code == 403
    assert httpx.get(f"{stack.url}/fhir/Patient/{record}").status_code == 401


def test_signatures_are_verified_on_the_package_alone(own: Path, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    signed = [base64.b64encode(part).decode() for part in (key.sign(b"a seal", ec.ECDSA(SHA256())), public)]
    script = (
        f"import sys\nsys.path[:0] = {[str(own / 'functions')]}\nfrom dmp.adapters.seal_signature import is_signed\n"
    )
    script += f"print(is_signed('a seal', *{signed}), is_signed('another', *{signed}))"

    run = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=False)

    assert run.stdout == "True False\n", run.stderr


def test_a_pdf_is_read_on_the_package_alone(own: Path) -> None:
    words = "échographie cardiaque"

    run = subprocess.run(
        [sys.executable, "-P", "-S", "-m", "dmp.adapters.pdf_pages"],
        input=pdf(words),
        env={"PYTHONPATH": str(own / "functions"), "PATH": os.environ["PATH"]},
        capture_output=True,
        check=False,
    )

    assert words in run.stdout.decode(), run.stderr.decode()


@contextmanager
def _calling(stack: PackagedProcess, persona: str) -> Iterator[httpx.Client]:
    people = {one["id"]: one["access_token"] for one in httpx.get(f"{stack.url}/local/personas").json()}
    headers = {"authorization": f"Bearer {people[persona]}"}
    with httpx.Client(base_url=f"{stack.url}/fhir/", headers=headers, timeout=60) as client:
        yield client
