"""A dataset's state that came from elsewhere or is damaged: it is data, and leads nowhere out of the folder."""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lib_extend.datasets import index_store, thumbnails
from lib_extend.datasets.browse import Browsers
from lib_extend.datasets.dataset import Dataset
from lib_extend.datasets.thumbnails import Thumbnails
from lib_extend.errors import PromptExtendError, UserError
from lib_extend.files.dataset_names import are_names, is_caption_name, is_name, leads_out
from lib_extend.files.lock import locked
from lib_extend.jobs.edit_runs import edit_captions
from lib_extend.jobs.ranking import uncertain
from lib_extend.jobs.recovery import tidy
from lib_extend.jobs.undo import list_runs, undo
from lib_extend.jobs.verdict_runs import decide

from .conftest import failures, images, run

Command = Callable[[Path], object]


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a person's captions, two tagging runs, an edit, a verdict and an undo; and one beside it."""
    root = tmp_path_factory.mktemp("tagged") / "dataset"
    images(root, *(f"cake{n}-red-{i}.png" for i in range(4) for n in (2, 3)))
    for path in root.glob("*.png"):
        path.with_suffix(".txt").write_text(f"mine_{path.stem}, my own words", encoding="utf-8")
    run(root)
    run(root, exclude=["cake"])
    dataset = Dataset(root)
    names = [p.name for p in root.glob("*.txt")]
    edit_captions(dataset, names, lambda text, style: f"{text}, edited", {"action": "add"})
    items = uncertain(dataset, below=1.01)
    if items:
        decide(dataset, items[0].path, items[0].question, items[0].object, "accept")
    undo(dataset)
    beside = root.with_name("beside")
    beside.mkdir()
    (beside / "notes.txt").write_text("outside", encoding="utf-8")
    return root


def browse(root: Path) -> None:
    browsers = Browsers()
    try:
        browser = browsers.open(root)
        browser.look_again()
        browser.settle()
        browser.images("unsure or 1girl or changed:last or source:human")
        for row in browser.images()[1]:
            browser.row(row["name"])
    finally:
        browsers.close()


COMMANDS: dict[str, Command] = {
    "tag": lambda root: run(root),
    "undo": lambda root: undo(Dataset(root)),
    "force": lambda root: undo(Dataset(root), force=True),
    "runs": lambda root: list_runs(Dataset(root)),
    "review": lambda root: uncertain(Dataset(root), below=1.01),
    "tidy": lambda root: tidy(Dataset(root)),
    "browse": browse,
}


def tree(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def captions(root: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in root.glob("*.txt")}


def kept_texts(root: Path) -> set[bytes]:
    """Every text that the history holds, also of a state that was set aside."""
    found: set[bytes] = set()
    for file in (root / ".prompt-extend").glob("state*.sqlite3"):
        with closing(sqlite3.connect(file)) as db:
            try:
                rows = db.execute("SELECT before, after FROM changes").fetchall()
            except (sqlite3.DatabaseError, UnicodeDecodeError):
                continue
            found |= {text for row in rows for text in row if isinstance(text, bytes)}
    return found


def damage_bytes(file: Path, rng: random.Random) -> None:
    data = bytearray(file.read_bytes())
    kind = rng.randrange(5)
    if kind == 0:
        data = data[: rng.randrange(len(data))]
    elif kind == 1:
        page = rng.randrange(len(data) // 4096) * 4096
        data[page : page + 4096] = bytes(4096) if rng.random() < 0.5 else rng.randbytes(4096)
    elif kind == 2:
        data[rng.randrange(200)] = rng.randrange(256)
    else:
        for _ in range(rng.choice([1, 3, 30, 300])):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    file.write_bytes(data)


VALUES = (
    None,
    0,
    -1,
    2**62,
    -(2**62),
    1e308,
    3.5,
    "",
    "\\",
    "[]",
    "{}",
    '{"a": [1, {"b": null}]}',
    "[" * 5000,
    "x" * 10_000,
)
NAMES = (
    b"../beside/notes.txt",
    b"/etc/passwd",
    b"a\0b.txt",
    b"",
    b".ssh/x.txt",
    "text",
    5,
    b"c:\\x.txt",
    b"nowhere.txt",
)


def damage_values(file: Path, rng: random.Random) -> None:
    """Values of another kind, and names that lead out, in any column of any row."""
    with closing(sqlite3.connect(file)) as db:
        for _ in range(rng.choice([1, 2, 8])):
            table = rng.choice(
                ["meta", "models", "analysis", "captions", "verdicts", "runs", "items", "changes"]
            )
            columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
            column = rng.choice(columns)
            value = rng.choice(NAMES if column == "path" else (*VALUES, b"\xff\x00"))
            some = "" if rng.random() < 0.5 else " WHERE abs(random()) % 3 = 0"
            try:
                db.execute(f"UPDATE OR IGNORE {table} SET {column}=?{some}", (value,))
            except (sqlite3.IntegrityError, OverflowError):
                continue
        if rng.random() < 0.3:
            db.execute("UPDATE changes SET state='intended'")
        db.commit()


def try_one(tagged: Path, tmp: Path, seed: int) -> str:
    rng = random.Random(seed)
    root = tmp / f"{seed}" / "dataset"
    shutil.copytree(tagged.parent, root.parent)
    damage = rng.choice([damage_bytes, damage_values])
    damage(root / ".prompt-extend" / "state.sqlite3", rng)
    outside = tree(root.with_name("beside"))
    said = ""
    for name in rng.sample(sorted(COMMANDS), 2):
        before = captions(root)
        try:
            COMMANDS[name](root)
        except PromptExtendError as e:
            said = str(e)
            assert said.endswith(".") and "\n" not in said, (seed, name, said)
        after = captions(root)
        lost = {n: t for n, t in before.items() if after.get(n) != t and t not in kept_texts(root)}
        assert not lost, (seed, name, lost)
        if name not in ("undo", "force"):
            assert all(
                b"my own words" in after.get(n, b"") for n in before if b"my own words" in before[n]
            ), (seed, name)
    assert tree(root.with_name("beside")) == outside
    assert sorted(p.name for p in root.parent.iterdir()) == ["beside", "dataset"]
    shutil.rmtree(root.parent)
    return said


@pytest.mark.parametrize("start", range(0, 60, 20))
def test_no_damage_is_a_traceback_or_a_loss(tagged: Path, tmp_path: Path, start: int) -> None:
    said = [try_one(tagged, tmp_path, seed) for seed in range(start, start + 20)]
    assert any("was renamed to" in s for s in said)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(1000, 1300, 100))
def test_much_damage(tagged: Path, tmp_path: Path, start: int) -> None:
    for seed in range(start, start + 100):
        try_one(tagged, tmp_path, seed)


def test_a_damaged_state_is_set_aside_and_the_next_start_works(tagged: Path, tmp_path: Path) -> None:
    root = tmp_path / "dataset"
    shutil.copytree(tagged, root)
    file = root / ".prompt-extend" / "state.sqlite3"
    damaged = b"not a database at all" * 100
    file.write_bytes(damaged)
    with pytest.raises(
        UserError, match=r"is damaged \(.*\) and was renamed to state\.damaged-.*start again"
    ) as e:
        run(root)
    aside = [p for p in file.parent.iterdir() if p.name.startswith("state.damaged-")]
    assert len(aside) == 1 and aside[0].read_bytes() == damaged and aside[0].name in str(e.value)
    before = captions(root)
    assert not failures(run(root))
    assert all(b"my own words" in text for text in captions(root).values()) and set(captions(root)) == set(
        before
    )


def test_a_damaged_state_stays_while_another_job_works(tagged: Path, tmp_path: Path) -> None:
    root = tmp_path / "dataset"
    shutil.copytree(tagged, root)
    file = root / ".prompt-extend" / "state.sqlite3"
    file.write_bytes(b"not a database at all" * 100)
    with locked(file.parent, root), pytest.raises(UserError, match="is set aside when no other job"):
        list_runs(Dataset(root))
    assert file.exists()


# planted


@pytest.fixture
def planted(tagged: Path, tmp_path: Path) -> Iterator[tuple[Path, sqlite3.Connection]]:
    """A copy in another place, as it is unpacked, and its open database."""
    root = tmp_path / "got" / "dataset"
    shutil.copytree(tagged.parent, root.parent)
    with closing(sqlite3.connect(root / ".prompt-extend" / "state.sqlite3")) as db:
        yield root, db


def plant(db: sqlite3.Connection, name: bytes, before: bytes | None, after: bytes | None, state: str) -> int:
    last = int(db.execute("SELECT max(id) FROM runs").fetchone()[0]) + 1
    db.execute(
        "INSERT INTO runs (id, kind, status, started, finished, config, config_key) VALUES (?,'tag','done',1,2,'{}','')",
        (last,),
    )
    db.execute(
        "INSERT INTO changes (run, path, state, before, after) VALUES (?,?,?,?,?)",
        (last, name, state, before, after),
    )
    db.commit()
    return last


@pytest.mark.parametrize("state", ["written", "intended"])
@pytest.mark.parametrize("before", [b"planted", None])
@pytest.mark.parametrize(
    "name", [b"../beside/notes.txt", b"sub/../../beside/notes.txt", b"../beside/new.txt"]
)
def test_no_name_leads_out(
    planted: tuple[Path, sqlite3.Connection], name: bytes, before: bytes | None, state: str
) -> None:
    root, db = planted
    number = plant(db, name, before, b"outside", state)
    outside = tree(root.with_name("beside"))
    with pytest.raises(UserError, match="is damaged"):
        undo(Dataset(root), number, force=True)
    assert tree(root.with_name("beside")) == outside


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
@pytest.mark.parametrize("state", ["written", "intended"])
@pytest.mark.parametrize("what", ["folder", "file"])
def test_no_link_leads_out(planted: tuple[Path, sqlite3.Connection], what: str, state: str) -> None:
    root, db = planted
    notes = root.with_name("beside") / "notes.txt"
    if what == "folder":
        (root / "sub").symlink_to(notes.parent)
    else:
        (root / "notes.txt").symlink_to(notes)
    number = plant(db, b"sub/notes.txt" if what == "folder" else b"notes.txt", b"planted", b"outside", state)
    outside = tree(notes.parent)
    try:
        done = undo(Dataset(root), number, force=True)
        assert "leads out of the folder" in done.failed[0][1]
    except UserError as e:
        assert state == "intended" and "changed no caption" in str(e)
    assert tree(notes.parent) == outside and notes.read_text() == "outside"


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_a_person_s_own_links_are_followed_where_the_state_was_made(tmp_path: Path) -> None:
    root = tmp_path / "dataset"
    images(tmp_path / "elsewhere", "cake2-red.png")
    images(root, "cake3-red.png")
    (root / "sub").symlink_to(tmp_path / "elsewhere")
    run(root, recursive=True)
    assert (tmp_path / "elsewhere" / "cake2-red.txt").exists()
    assert undo(Dataset(root)).restored == 2
    assert not (tmp_path / "elsewhere" / "cake2-red.txt").exists()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM captions; END",
        "CREATE VIEW v AS SELECT * FROM runs",
        "ALTER TABLE runs ADD COLUMN more TEXT",
        "CREATE INDEX i ON runs (kind) WHERE kind='tag'",
        "DROP TABLE items",
        "PRAGMA user_version=0",
        "PRAGMA user_version=1",
        "PRAGMA user_version=-3",
    ],
)
def test_other_tables_are_not_ours(planted: tuple[Path, sqlite3.Connection], statement: str) -> None:
    root, db = planted
    db.execute(statement)
    db.commit()
    browse(root)
    with pytest.raises(UserError, match="is damaged"):
        list_runs(Dataset(root))
    assert list_runs(Dataset(root)) == [], "the next start has a fresh one"


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
@pytest.mark.parametrize("kind", ["link", "dangling", "pipe"])
@pytest.mark.parametrize("name", ["state.sqlite3", "state.sqlite3-wal", "owner.json", "lock"])
def test_files_of_the_state_are_not_followed(tagged: Path, tmp_path: Path, name: str, kind: str) -> None:
    root = tmp_path / "dataset"
    shutil.copytree(tagged, root)
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    target = root / ".prompt-extend" / name
    target.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(target)
    else:
        target.symlink_to(precious if kind == "link" else tmp_path / "new")
    with pytest.raises(UserError, match="is no ordinary file: delete it"):
        run(root)
    browse(root)
    assert precious.read_bytes() == b"precious" and not (tmp_path / "new").exists()


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
def test_a_state_folder_that_is_a_link_is_not_followed(tagged: Path, tmp_path: Path) -> None:
    root = tmp_path / "dataset"
    shutil.copytree(tagged, root)
    (root / ".prompt-extend").rename(tmp_path / "state")
    (root / ".prompt-extend").symlink_to(tmp_path / "state")
    before = tree(tmp_path / "state")
    for command in ("tag", "undo", "runs"):
        with pytest.raises(UserError, match="is a link, which is not followed"):
            COMMANDS[command](root)
    browse(root)
    Thumbnails(root / ".prompt-extend").close()
    assert tree(tmp_path / "state") == before


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
@pytest.mark.parametrize("kind", ["link", "dangling", "pipe"])
@pytest.mark.parametrize("name", [thumbnails.FILE, index_store.FILE, index_store.LOCK])
def test_caches_are_not_followed(tagged: Path, tmp_path: Path, name: str, kind: str) -> None:
    root = tmp_path / "dataset"
    shutil.copytree(tagged, root)
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    target = root / ".prompt-extend" / name
    if kind == "pipe":
        os.mkfifo(target)
    else:
        target.symlink_to(precious if kind == "link" else tmp_path / "new")
    began = time.monotonic()
    browse(root)
    Thumbnails(root / ".prompt-extend").close()
    assert time.monotonic() - began < 20
    assert precious.read_bytes() == b"precious" and not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE images SET name=CAST('../beside/notes.txt' AS BLOB) WHERE place=0",
        "UPDATE images SET name=CAST('.prompt-extend/x.png' AS BLOB) WHERE place=1",
        "UPDATE images SET name=5 WHERE place=0",
        "UPDATE images SET caption=x'00ff'",
        "UPDATE images SET caption=CAST(x'ff' AS TEXT)",
        "UPDATE images SET sources=x'00'",
        "UPDATE images SET tags=x'000000'",
        "UPDATE images SET tags=x'ffffff7f'",
        "UPDATE images SET tokens='many'",
        "UPDATE images SET flags=-1",
        "UPDATE images SET size=1e300",
        "UPDATE tags SET id=id+1000",
        "UPDATE meta SET value='[' WHERE name='run'",
        """INSERT OR REPLACE INTO meta VALUES ('captions', '{"cake2-red-0.png": "../beside/notes.txt"}')""",
        "INSERT OR REPLACE INTO meta VALUES ('captions', '[1]')",
        "DROP TABLE tags",
        "CREATE TRIGGER t AFTER INSERT ON images BEGIN DELETE FROM images; END",
    ],
)
def test_a_planted_index_is_made_anew(tagged: Path, tmp_path: Path, statement: str) -> None:
    root = tmp_path / "dataset"
    shutil.copytree(tagged, root)
    browse(root)
    with closing(sqlite3.connect(root / ".prompt-extend" / index_store.FILE)) as db:
        db.execute(statement)
        db.commit()
    browsers = Browsers()
    try:
        browser = browsers.open(root)
        browser.look_again()
        browser.settle()
        names = [row["name"] for row in browser.images()[1]]
        assert names == sorted(p.name for p in root.glob("*.png"))
        assert browser.images("mine_*")[0] == len(names)
    finally:
        browsers.close()


def test_planted_thumbnails_are_made_anew(tmp_path: Path) -> None:
    file = tmp_path / thumbnails.FILE
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE VIEW thumbs AS SELECT 'a' AS name, 1 AS used, 1 AS size, 1000000000 AS data")
        db.commit()
    Thumbnails(tmp_path).close()
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("SELECT type FROM sqlite_master WHERE name='thumbs'").fetchone() == ("table",)


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("a.txt", True),
        ("sub/b c.txt", True),
        ("a..b/c.txt", True),
        ("日本.txt", True),
        ("a\\b.txt", True),
        ("", False),
        ("/a.txt", False),
        ("../a.txt", False),
        ("a/../b.txt", False),
        ("a/./b.txt", False),
        ("a//b.txt", False),
        ("a/", False),
        (".hidden.txt", False),
        ("a/.git/b.txt", False),
        ("a\0.txt", False),
        ("x" * 5000, False),
    ],
)
def test_names(name: str, right: bool) -> None:
    assert is_name(name, windows=False) is right
    assert are_names([name]) is right or len(name) > 4096
    assert are_names(["b.png", name, "c.png"]) is right or len(name) > 4096


@pytest.mark.parametrize(
    "name",
    [
        "a\\b.txt",
        "c:a.txt",
        "a.txt:stream.txt",
        "con.txt",
        "sub/NUL",
        "a ./b.txt",
        "a.",
        "lpt1.txt",
        "\\\\host\\a.txt",
    ],
)
def test_names_on_windows(name: str) -> None:
    assert not is_name(name, windows=True)
    assert is_name("console.txt", windows=True) and is_name("a b/c.d.txt", windows=True)


def test_captions_have_their_suffix(tmp_path: Path) -> None:
    assert is_caption_name("a.TXT") and is_caption_name("a/b.caption")
    assert not is_caption_name("a.png") and not is_caption_name("../a.txt") and not is_caption_name("a.sh")
    assert are_names([]) and not leads_out(tmp_path, "a/b.txt")


def test_an_owner_that_is_not_ours_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "owner.json").write_text(json.dumps({"process": "x", "started": 1e300}), encoding="utf-8")
    with locked(tmp_path, tmp_path):
        (tmp_path / "owner.json").write_text("[" * 5000, encoding="utf-8")
        with (
            pytest.raises(UserError, match="Another job is running on [^(]*: wait"),
            locked(tmp_path, tmp_path),
        ):
            pass


def test_nothing_is_journaled_where_it_cannot_be_read(tagged: Path, tmp_path: Path) -> None:
    """A page of the history is gone: new rows would still find their place, but not be found again."""
    root = tmp_path / "dataset"
    shutil.copytree(tagged, root)
    file = root / ".prompt-extend" / "state.sqlite3"
    with closing(sqlite3.connect(file)) as db:
        page = db.execute("SELECT rootpage FROM sqlite_master WHERE name='changes'").fetchone()[0]
        size = db.execute("PRAGMA page_size").fetchone()[0]
    data = bytearray(file.read_bytes())
    data[page * size - 200 : page * size] = bytes(200)
    file.write_bytes(data)
    before = captions(root)
    with pytest.raises(UserError, match="was renamed to"):
        run(root)
    assert captions(root) == before
