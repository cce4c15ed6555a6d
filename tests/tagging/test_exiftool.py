"""ExifTool: it is found, it survives hostile names and photos, and it never outlives its parent."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image

from mnv2cli.errors import InputError
from mnv2cli.tagging import exiftool as programs
from mnv2cli.tagging.exiftool import Edits, ExifTool, charset, find_exiftool, install_command
from mnv2cli.tagging.exiftool_process import EmbedError, Process

PACKET = (
    "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>\n"
    "<x:xmpmeta xmlns:x='adobe:ns:meta/'>"
    "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
    "<rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/'>"
    "<dc:subject><rdf:Bag><rdf:li>Zürich\r\n</rdf:li></rdf:Bag></dc:subject>"
    "</rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end='w'?>"
).encode()
UNIX = pytest.mark.skipif(os.name != "posix", reason="such names are not possible here")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    Image.new("RGB", (16, 16), (9, 90, 200)).save(path)
    return path


def program(folder: Path, text: str) -> Path:
    path = folder / "exiftool"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_command_is_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for release, expected in {
        ("ubuntu", "debian"): "sudo apt install libimage-exiftool-perl",
        ("linuxmint", "ubuntu debian"): "sudo apt install libimage-exiftool-perl",
        ("fedora", ""): "sudo dnf install perl-Image-ExifTool",
        ("rocky", "rhel centos fedora"): "sudo dnf install perl-Image-ExifTool",
        ("manjaro", "arch"): "sudo pacman -S perl-image-exiftool",
        ("opensuse-tumbleweed", "opensuse suse"): "sudo zypper install exiftool",
        ("alpine", ""): "sudo apk add exiftool",
        ("other", ""): "see https://exiftool.org/install.html",
    }.items():
        names = {"ID": release[0], "ID_LIKE": release[1]}
        monkeypatch.setattr(platform, "freedesktop_os_release", lambda names=names: names)
        assert install_command() == expected
    monkeypatch.setattr(sys, "platform", "darwin")
    assert install_command() == "brew install exiftool"
    monkeypatch.setattr(sys, "platform", "win32")
    assert install_command().startswith("winget install ")


def test_command_is_a_page_if_the_system_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> dict[str, str]:
        raise OSError

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "freedesktop_os_release", fail)
    assert "exiftool.org" in install_command()


def test_it_is_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError) as caught:
        find_exiftool()
    assert caught.value.message == "ExifTool is not installed"
    assert caught.value.hint == f"Install it: {install_command()}"


@UNIX
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("exit 2", "does not run"),
        ("echo perl is missing", "does not run"),
        ("true", "does not run"),
        ("echo 11.88", "11.88 is too old"),
        ("echo 12.37", "12.37 is too old"),
    ],
)
def test_it_is_installed_but_of_no_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, message: str
) -> None:
    program(tmp_path, text)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin{os.pathsep}/usr/bin")
    with pytest.raises(InputError, match=message) as caught:
        find_exiftool()
    assert install_command() in caught.value.hint


@UNIX
def test_newer_versions_are_accepted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = program(tmp_path, "echo 13.02")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin{os.pathsep}/usr/bin")
    assert find_exiftool() == str(path)


@UNIX
def test_version_is_read_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program(tmp_path, f"echo >> {tmp_path}/started; echo 13.02")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin{os.pathsep}/usr/bin")
    assert [find_exiftool() for _ in range(3)] == [str(tmp_path / "exiftool")] * 3
    assert (tmp_path / "started").read_text() == "\n"


def test_windows_names_are_utf_8_in_each_command(
    tool: ExifTool, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = []
    real = Process.run

    def run(self: Process, arguments: Sequence[str], *args: Any) -> bytearray:
        sent.append(tuple(arguments[:2]))
        return real(self, arguments, *args)

    monkeypatch.setattr(Process, "run", run)
    monkeypatch.setattr(programs, "_EACH", charset("nt"))
    path = photo.rename(photo.with_name("Zürich.jpg"))
    path.write_bytes(tool.write(str(path), Edits(PACKET)))
    assert tool.read(str(path)).packet == PACKET
    assert sent == [("-charset", "filename=UTF8")] * 2
    assert charset("posix") == ()


NAMES = [
    b"a b.jpg", b" lead.jpg", b"trail.jpg ", b"-a.jpg", b"-o", b"#a.jpg", b"#[CSTR]a.jpg",
    b"%d%c%f%%.jpg", b"a$b@c.jpg", b"$ENV{HOME}.jpg", b"@x.jpg", b"q\"'`q.jpg", b"\xff\xfe.jpg",
    b"a\nb.jpg", b"a\n$b@c\"d\\n.jpg", b"nl.jpg\n", b"cr\r.jpg", b"cr\r",
    b"back\\slash.jpg", b"a\\", b"*.jpg", b"[a]{b,c}?.jpg", b"tab\t.jpg",
    b"touch made|", b"|touch made", b">made", b"a=b.jpg", "Zürich 😀.jpg".encode(), b"noext",
]  # fmt: skip


@UNIX
@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_read_and_written(
    tool: ExifTool, tmp_path: Path, photo: Path, name: bytes
) -> None:
    path = os.fsdecode(os.path.join(os.fsencode(tmp_path), name))
    os.rename(photo, path)
    for other in ("a.jpg", "b.jpg", "x"):  # what a careless reader of the name would find
        Image.new("RGB", (4, 4)).save(tmp_path / other, "JPEG", comment=b"other")
    content = tool.write(path, Edits(PACKET))
    assert tool.read(path).packet == b""
    assert b"other" not in content
    with open(path, "wb") as file:
        file.write(content)
    found = tool.read(path)
    assert (found.packet, found.packets, found.file_type) == (PACKET, 1, "JPEG")
    assert len(os.listdir(tmp_path)) == 4


@UNIX
@pytest.mark.parametrize("name", [b"%d%c\n$@", b"#a b", b"\xff"])
def test_any_folder_is_read_and_written(
    tool: ExifTool, tmp_path: Path, photo: Path, name: bytes
) -> None:
    folder = os.fsdecode(os.path.join(os.fsencode(tmp_path), name))
    os.mkdir(folder)
    path = os.path.join(folder, "a.jpg")
    os.rename(photo, path)
    assert PACKET in tool.write(path, Edits(PACKET))
    assert tool.read(path).packets == 0


@pytest.mark.parametrize("text", [PACKET.decode(), PACKET.decode().replace("\ufeff", "")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_packet_is_the_same_bytes(tool: ExifTool, photo: Path, text: str, encoding: str) -> None:
    packet = text.replace("ü", "u").encode(encoding)
    photo.write_bytes(tool.write(str(photo), Edits(packet)))
    assert tool.read(str(photo)).packet == packet


def test_photo_is_missing_or_none(tool: ExifTool, tmp_path: Path) -> None:
    with pytest.raises(EmbedError, match="File not found"):
        tool.read(str(tmp_path / "none.jpg"))
    (tmp_path / "text.jpg").write_text("not a photo")
    with pytest.raises(EmbedError):
        tool.write(str(tmp_path / "text.jpg"), Edits(PACKET))
    (tmp_path / "empty.jpg").touch()
    with pytest.raises(EmbedError, match="File is empty"):
        tool.read(str(tmp_path / "empty.jpg"))
    with pytest.raises(EmbedError):
        tool.read(str(tmp_path))


def test_errors_keep_the_process(exiftool: str, tmp_path: Path, photo: Path) -> None:
    others = children()
    with ExifTool(exiftool) as tool:
        tool.read(str(photo))
        before = children()
        with pytest.raises(EmbedError):
            tool.read(str(tmp_path / "none.jpg"))
        assert tool.read(str(photo)).file_type == "JPEG"
        assert children() == before
    assert children() == others


@UNIX
def test_the_users_configuration_is_not_run(
    exiftool: str, tmp_path: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".ExifTool_config").write_text(f"open(F, '>', '{tmp_path}/made'); 1;\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    subprocess.run([exiftool, "-ver"], check=True, capture_output=True)
    assert (tmp_path / "made").exists()
    (tmp_path / "made").unlink()
    with ExifTool(find_exiftool()) as tool:
        tool.read(str(photo))
    assert not (tmp_path / "made").exists()


def children() -> set[int]:
    """Return the processes of ExifTool below this one."""
    found = psutil.Process().children(recursive=True)
    return {each.pid for each in found if "exiftool" in " ".join(command_line(each.pid))}


def command_line(pid: int) -> list[str]:
    try:
        return psutil.Process(pid).cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


def perl(processes: set[int]) -> int:
    """Return the one that is ExifTool itself."""
    (found,) = (pid for pid in processes if "perl" in command_line(pid)[0])
    return found


@UNIX
def test_hanging_call_is_ended_and_the_next_one_works(exiftool: str, photo: Path) -> None:
    before = children()
    with ExifTool(exiftool, seconds=2) as tool:
        tool.read(str(photo))
        os.kill(perl(children() - before), signal.SIGSTOP)
        with pytest.raises(EmbedError, match=r"ExifTool took longer than 2 s"):
            tool.read(str(photo))
        assert children() == before
        assert tool.read(str(photo)).file_type == "JPEG"
    assert children() == before


@UNIX
def test_dead_process_is_started_anew(exiftool: str, photo: Path) -> None:
    before = children()
    with ExifTool(exiftool) as tool:
        tool.read(str(photo))
        killed = perl(children() - before)
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: not alive(killed))
        for _ in range(2):  # the first may see it die
            try:
                assert tool.read(str(photo)).file_type == "JPEG"
            except EmbedError as error:
                assert str(error) == "ExifTool ended"
        assert tool.read(str(photo)).file_type == "JPEG"


@UNIX
def test_program_that_ends_at_once_is_an_error(tmp_path: Path, photo: Path) -> None:
    with (
        ExifTool(str(program(tmp_path, "exit 0"))) as tool,
        pytest.raises(EmbedError, match="ExifTool ended"),
    ):
        tool.read(str(photo))


@UNIX
def test_large_output_of_errors_does_not_block(tmp_path: Path, photo: Path) -> None:
    text = "head -c 1000000 /dev/zero >&2; sleep 100"
    with (
        ExifTool(str(program(tmp_path, text)), seconds=2) as tool,
        pytest.raises(EmbedError, match="longer"),
    ):
        tool.read(str(photo))


PARENT = """
import sys, time
from mnv2cli.tagging.exiftool import ExifTool
tool = ExifTool(sys.argv[1])
tool.read(sys.argv[2])
print("ready", tool._process._folder, flush=True)
time.sleep(100)
"""


@UNIX
@pytest.mark.parametrize("is_hanging", [False, True])
def test_nothing_remains_when_the_parent_is_killed(
    exiftool: str, photo: Path, is_hanging: bool
) -> None:
    command = [sys.executable, "-c", PARENT, exiftool, str(photo)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        folder = parent.stdout.readline().split()[1]
        found = {child.pid for child in psutil.Process(parent.pid).children(recursive=True)}
        assert len(found) == 2
        if is_hanging:
            os.kill(perl(found), signal.SIGSTOP)
        parent.kill()
    wait_until(lambda: not any(alive(pid) for pid in found) and not os.path.exists(folder))


def test_nothing_remains_after_the_end(exiftool: str, photo: Path) -> None:
    before = children()
    with ExifTool(exiftool) as tool:
        tool.read(str(photo))
        assert tool._process is not None
        folder = tool._process._folder
        assert os.path.isdir(folder)
    assert not os.path.exists(folder)
    assert children() == before
    tool.close()


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(condition: object) -> None:
    assert callable(condition)
    for _ in range(400):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("waited in vain")
