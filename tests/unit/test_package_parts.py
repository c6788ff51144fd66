"""What the build of the package refuses, and what makes a deployment another one."""

import struct
from pathlib import Path

import pytest

from infra.package import contents, requirements, shared_objects, templates

TEMPLATE = """
Parameters: { Architecture: { Type: String, Default: arm64, AllowedValues: [arm64, x86_64] } }
Globals: { Function: { CodeUri: functions/ } }
Resources:
  Asked: { Type: AWS::Serverless::Function, Properties: { AutoPublishAlias: live } }
  Background: { Type: AWS::Serverless::Function, Properties: {} }
  Other: { Type: AWS::SNS::Topic, Properties: {} }
"""


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("samconfig.toml").write_text("version = 0.1", encoding="utf-8")
    Path("template.yaml").write_text(TEMPLATE, encoding="utf-8")
    Path("functions.zip").write_bytes(b"a package")
    return tmp_path


def test_a_package_without_the_pinned_distributions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(requirements.Incomplete, match="pydantic"):
        requirements.check(tmp_path)


def test_a_list_that_names_what_a_library_has_no_more_is_refused(tmp_path: Path) -> None:
    with pytest.raises(contents.Missing, match="cffi"):
        contents.prune(tmp_path)


def test_a_shared_object_ends_behind_its_last_loaded_segment_and_has_no_sections() -> None:
    header = bytearray(shared_objects.MAGIC.ljust(64, b"\0"))
    struct.pack_into("<QQ", header, 0x20, 64, 900)
    struct.pack_into("<HHHHH", header, 0x36, 56, 2, 64, 9, 8)
    loaded, note = (struct.pack("<IIQQQQQQ", kind, 5, 0, 0, 0, size, size, 1) for kind, size in ((1, 300), (4, 500)))
    content = bytes(header) + loaded + note + b"code".ljust(1000, b"s")

    kept = shared_objects.stripped(content)

    assert len(kept) == 300
    assert kept[64:] == content[64:300]
    assert (kept[0x28:0x30], kept[0x3A:0x40]) == (bytes(8), bytes(6))


def test_what_is_no_shared_object_of_64_bits_is_not_touched() -> None:
    with pytest.raises(ValueError, match="64 bits"):
        shared_objects.stripped(b"\x7fELF\x01\x01")


def test_functions_behind_an_alias_are_published_anew_by_every_change(build: Path) -> None:
    names = {templates.release(build, build / "functions.zip")}

    for changed in ("functions.zip", "template.yaml", "samconfig.toml"):
        (build / changed).write_bytes((build / changed).read_bytes() + b"\n#")
        names.add(templates.release(build, build / "functions.zip"))

    assert len(names) == 4


def test_only_functions_with_an_alias_are_told_of_the_release(build: Path) -> None:
    templates.write(build, build / "functions", build / "functions.zip", "x86_64")

    deployed, local = ((build / name).read_text() for name in (templates.DEPLOYED, templates.LOCAL))

    assert deployed.count("AutoPublishCodeSha256") == 1
    assert "AutoPublishCodeSha256" not in local
    assert deployed.count("CodeUri: functions.zip") == local.count("CodeUri: functions\n") == 2
