"""``fetch`` against a server of our own: good, cut off, wrong, malicious and missing archives."""

from __future__ import annotations

import hashlib
import http.server
import io
import re
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from scribblebench.cli.main import main
from scribblebench.core.library import Library

PHOTO = bytes(range(256)) * 4000  # a megabyte: several blocks


class Server(http.server.ThreadingHTTPServer):
    """Serves ``files``; a name in ``cuts`` is cut off after so many bytes, each number once."""

    def __init__(self, *, ranges: bool) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.cuts: dict[str, list[int]] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.ranges = ranges

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        name, wanted = self.path.lstrip("/"), self.headers.get("Range")
        self.server.requests.append((name, wanted))
        if name not in self.server.files:
            self.send_error(404)
            return
        body, start = self.server.files[name], 0
        if wanted and self.server.ranges:
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])  # type: ignore[index] - our own request
            if start >= len(body):
                self.send_error(416)
                return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        cuts = self.server.cuts.get(name)
        self.wfile.write(body[start : cuts.pop(0)] if cuts else body[start:])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(params=[True, False], ids=["ranges", "no ranges"])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Server(ranges=request.param)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def tar_of(*members: tuple[str, bytes] | tarfile.TarInfo) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for member in members:
            info = member if isinstance(member, tarfile.TarInfo) else tarfile.TarInfo(member[0])
            data = b"" if isinstance(member, tarfile.TarInfo) else member[1]
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zip_of(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def link(name: str, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


GOOD = tar_of(("./kit/photos/a b.jpg", PHOTO), ("kit/lists/val.txt", b"a b\n"), ("kit/photosize.txt", b"no"))
LIST = b"one\ntwo\n"


class Desk:
    """A folder with cards, a cache and a place for the dataset."""

    def __init__(self, folder: Path, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.server, self.capsys = folder, server, capsys
        self.out, self.cache = folder / "dätä set", folder / "cache"
        self.archives = [
            {
                "name": "kit.tar.gz",
                "urls": [server.url("gone.tar.gz"), server.url("kit.tar.gz")],
                "sha256": hashlib.sha256(GOOD).hexdigest(),
                "extract": {"kit/photos": "JPEGImages", "kit/lists/val.txt": "ImageSets/val.txt"},
            },
            {
                "name": "train.txt",
                "urls": [server.url("train.txt?dl=1")],
                "extract": {"train.txt": "ImageSets/t.txt"},
            },
        ]
        server.files = {"kit.tar.gz": GOOD, "train.txt?dl=1": LIST}

    def fetch(self, *more: str) -> tuple[int, str, str]:
        card = {
            "name": "mine",
            "title": "T",
            "source": "voc",
            "protocol": "toy",
            "classes": ["background", "x"],
        }
        path = self.folder / "cards" / "datasets" / "mine.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            yaml.safe_dump({**card, "archives": self.archives}, sort_keys=False), encoding="utf-8"
        )
        code = 0
        arguments = [
            "--out",
            str(self.out),
            "--cache",
            str(self.cache),
            "--cards",
            str(self.folder / "cards"),
        ]
        try:
            main(["fetch", "mine", *arguments, *more])
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *self.capsys.readouterr()

    def refused(self, *words: str) -> None:
        """One clear line, exit code 2, nothing half-extracted."""
        code, out, err = self.fetch()
        assert code == 2
        assert out == ""
        assert err.startswith("Error: ")
        assert err.count("\n") == 1
        for word in words:
            assert word in err
        assert not self.out.exists()
        assert {p.name for p in self.folder.iterdir()} <= {"cards", "cache"}

    def ranges_asked(self) -> list[str | None]:
        return [wanted for name, wanted in self.server.requests if name == "kit.tar.gz"]


@pytest.fixture
def desk(tmp_path: Path, server: Server, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, server, capsys)


def test_good_archives_by_the_second_mirror_then_offline(desk: Desk) -> None:
    code, out, _ = desk.fetch()
    assert code == 0
    assert f"{hashlib.sha256(GOOD).hexdigest()} (as the card says)" in out
    assert f"{hashlib.sha256(LIST).hexdigest()} (nobody has published it" in out
    found = {str(p.relative_to(desk.out)): p.read_bytes() for p in desk.out.rglob("*") if p.is_file()}
    assert set(found) == {"JPEGImages/a b.jpg", "ImageSets/val.txt", "ImageSets/t.txt", "fetched.json"}
    assert found["JPEGImages/a b.jpg"] == PHOTO
    asked = len(desk.server.requests)
    assert desk.fetch()[:2] == (0, f"{desk.out}: already there\n")
    desk.out = desk.folder / "again"
    assert desk.fetch("--offline")[0] == 0
    assert len(desk.server.requests) == asked


def test_offline_without_the_file(desk: Desk) -> None:
    code, _, err = desk.fetch("--offline")
    assert code == 2
    assert "kit.tar.gz is missing, and --offline forbids" in err
    assert desk.server.requests == []


def test_a_cut_connection_is_taken_up_again(desk: Desk) -> None:
    half = len(GOOD) // 2
    desk.server.cuts = {"kit.tar.gz": [half]}
    assert desk.fetch()[0] == 0
    assert (desk.out / "JPEGImages" / "a b.jpg").read_bytes() == PHOTO
    assert desk.ranges_asked() == [None, f"bytes={half}-"]


def test_an_interrupted_command_carries_on(desk: Desk) -> None:
    half = len(GOOD) // 2
    desk.server.cuts = {"kit.tar.gz": [half, half, half] if desk.server.ranges else [half] * 3}
    desk.refused("kit.tar.gz", "404", "cut off after")
    desk.server.cuts = {}
    assert desk.fetch()[0] == 0
    assert (desk.out / "JPEGImages" / "a b.jpg").read_bytes() == PHOTO
    assert desk.ranges_asked()[-1] == f"bytes={half}-"
    assert not list(desk.cache.glob("*.part"))


def test_a_stale_part_is_thrown_away(desk: Desk) -> None:
    desk.server.files["kit.tar.gz"] = b"x" * (len(GOOD) + 10)
    desk.server.cuts = {"kit.tar.gz": [len(GOOD) + 5] * 3}
    desk.refused("cut off after")
    desk.server.files["kit.tar.gz"], desk.server.cuts = GOOD, {}
    assert desk.fetch()[0] == 0


def test_without_a_checksum_halves_are_never_joined(desk: Desk) -> None:
    desk.server.cuts = {"train.txt?dl=1": [4] * 3}
    desk.refused("train.txt", "cut off after 4 of 8 bytes")
    desk.server.files["train.txt?dl=1"], desk.server.cuts = b"three\nfour\n", {}
    assert desk.fetch()[0] == 0
    assert (desk.out / "ImageSets" / "t.txt").read_bytes() == b"three\nfour\n"


def test_another_checksum(desk: Desk) -> None:
    desk.server.files["kit.tar.gz"] = tar_of(("kit/photos/a.jpg", b"other"))
    got = hashlib.sha256(desk.server.files["kit.tar.gz"]).hexdigest()
    desk.refused("kit.tar.gz", got, "is not the card's")
    assert not (desk.cache / "kit.tar.gz").exists()
    desk.cache.joinpath("kit.tar.gz").write_bytes(b"put here by hand")
    desk.server.files["kit.tar.gz"] = GOOD
    assert desk.fetch()[0] == 0


def test_missing_everywhere(desk: Desk) -> None:
    desk.server.files = {}
    desk.refused("Cannot fetch kit.tar.gz", "404", f"put the file at {desk.cache / 'kit.tar.gz'}")
    desk.cache.joinpath("kit.tar.gz").write_bytes(GOOD)
    desk.cache.joinpath("train.txt").write_bytes(LIST)
    assert desk.fetch()[0] == 0


EVIL = {
    "parent": (tar_of(("kit/photos/../../../evil", b"x")), "leads out"),
    "absolute": (tar_of(("/kit/photos/evil", b"x")), "leads out"),
    "windows": (tar_of(("kit/photos/..\\..\\evil", b"x")), "leads out"),
    "drive": (tar_of(("C:/evil", b"x")), "leads out"),
    "link": (tar_of(link("kit/photos", "../../outside"), ("kit/photos/evil", b"x")), "is a link"),
    "link inside": (tar_of(link("kit/photos/a.jpg", "/etc/passwd")), "is a link"),
    "hard link": (tar_of(("kit/photos/a", b"x"), link("kit/photos/b", "kit/photos/a")), "is a link"),
    "truncated": (GOOD[: len(GOOD) // 2], "is damaged"),
    "web page": (b"<html>not found</html>", "is damaged"),
    "other": (tar_of(("readme", b"x")), "holds no kit/photos and no kit/lists/val.txt"),
    "twice": (tar_of(("kit/photos/a", b"x"), ("kit/photos/a", b"y")), "File exists"),
}


@pytest.mark.parametrize("name", EVIL)
def test_bad_tars_leave_nothing(desk: Desk, name: str) -> None:
    bad, words = EVIL[name]
    desk.server.files["kit.tar.gz"] = bad
    desk.archives[0]["sha256"] = hashlib.sha256(bad).hexdigest()
    desk.refused(words)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (zip_of(**{"kit/photos/../../evil": b"x"}), "leads out"),
        (zip_of(**{"kit/photos/a.jpg": PHOTO})[:-30], "is damaged"),
        (zip_of(**{"kit/photos/a.jpg": b"x" * 50}).replace(b"x" * 50, b"y" * 50), "is damaged"),
    ],
)
def test_bad_zips_leave_nothing(desk: Desk, bad: bytes, words: str) -> None:
    desk.server.files["kit.zip"] = bad
    desk.archives[0] = {
        "name": "kit.zip",
        "urls": [desk.server.url("kit.zip")],
        "extract": {"kit/photos": "p"},
    }
    desk.refused(words)


def test_a_card_cannot_lead_out_either(desk: Desk) -> None:
    desk.archives[1]["extract"] = {"train.txt": "../evil.txt"}
    desk.refused("the card: '../evil.txt' leads out")


def test_a_folder_that_holds_something_else(desk: Desk) -> None:
    desk.out.mkdir()
    (desk.out / "thesis.tex").touch()
    code, _, err = desk.fetch()
    assert code == 2
    assert "is not empty" in err
    assert [p.name for p in desk.out.iterdir()] == ["thesis.tex"]
    assert desk.server.requests == []


def test_urls_are_http_only(desk: Desk) -> None:
    desk.archives[1]["urls"] = ["file:///etc/passwd"]
    desk.refused("archives")


def test_the_card_of_voc() -> None:
    card = Library().dataset("voc2012")
    places = [place for archive in card.archives for place in archive.extract.values()]
    wanted = [f"{card.layout.lists}/{name}.txt" for name in card.splits.values()]
    assert set(places) == {card.layout.images, card.layout.masks, card.layout.strokes, *wanted}


def test_fetch_of_the_toy_generates_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scribblebench.sources.toy.SPLITS", {"train": 1, "val": 1})
    main(["fetch", "toy", "--out", str(tmp_path / "toy")])
    assert (tmp_path / "toy" / "JPEGImages" / "train_000.png").is_file()
