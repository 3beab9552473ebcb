"""The run folder keeps what it was given, the same bytes each time, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import types
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from v2x.errors import V2XError
from v2x.records import store
from v2x.records.store import is_run_folder, manifest, read_run, write_run
from v2x.records.tables import SCHEMAS, RunRecords

SCENARIO = "seed: 1\nname: Čchung-čching\n"


@pytest.fixture
def content(plausible_records):
    return {
        "records": plausible_records,
        "scenario_text": SCENARIO,
        "manifest": {"seed": 1},
        "summary": {"prr": {"value": [1.0, None]}},
    }


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


class TestRoundTrip:
    def test_everything_comes_back(self, tmp_path, content):
        folder = write_run(tmp_path / "run", **content)
        records, scenario_text, read_manifest, summary = read_run(folder)
        assert scenario_text == SCENARIO
        assert (read_manifest, summary) == (content["manifest"], content["summary"])
        assert records.facts == content["records"].facts
        assert list(records.tables) == list(content["records"].tables)
        for name, table in content["records"].tables.items():
            for key, values in table.items():
                np.testing.assert_array_equal(records.tables[name][key], values, strict=True)
                assert not records.tables[name][key].flags.writeable

    def test_tables_of_several_row_groups(self, tmp_path, content, monkeypatch):
        monkeypatch.setattr(store, "_ROW_GROUP_ROWS", 100)
        table = read_run(write_run(tmp_path / "run", **content)).records.tables["load"]
        np.testing.assert_array_equal(table["cbr"], content["records"].tables["load"]["cbr"])
        assert not table["cbr"].flags.writeable

    def test_infinite_values_survive_in_tables(self, tmp_path, content, make_records, make_table):
        gaps = make_table("safety", gap_m=[np.inf, 1.0])
        content["records"] = make_records({"safety": gaps})
        records = read_run(write_run(tmp_path / "run", **content)).records
        assert records.tables["safety"]["gap_m"].tolist() == [np.inf, 1.0]

    def test_tables_that_the_run_did_not_keep_stay_away(self, tmp_path, content):
        kept = {"links": content["records"].tables["links"]}
        content["records"] = RunRecords(tables=kept, facts={})
        folder = write_run(tmp_path / "run", **content)
        assert [path.name for path in folder.glob("*.parquet")] == ["links.parquet"]
        assert list(read_run(folder).records.tables) == ["links"]

    def test_same_records_give_same_bytes(self, tmp_path, content):
        first = files(write_run(tmp_path / "a", **content))
        assert set(first) >= {f"{name}.parquet" for name in SCHEMAS} | {"summary.json"}
        assert first == files(write_run(tmp_path / "b", **content))

    def test_units_and_meanings_are_in_the_files(self, tmp_path, content):
        folder = write_run(tmp_path / "run", **content)
        for name, schema in SCHEMAS.items():
            written = pq.read_schema(folder / f"{name}.parquet")
            for key, column in schema.items():
                metadata = written.field(key).metadata
                assert metadata[b"unit"].decode() == column.unit
                assert metadata[b"meaning"].decode() == column.meaning

    def test_tables_are_compressed_with_zstd(self, tmp_path, content):
        folder = write_run(tmp_path / "run", **content)
        group = pq.read_metadata(folder / "links.parquet").row_group(0)
        assert {group.column(i).compression for i in range(group.num_columns)} == {"ZSTD"}

    def test_attachments(self, tmp_path, content):
        folder = write_run(tmp_path / "run", **content, attachments={"map.npz": b"roads"})
        assert (folder / "map.npz").read_bytes() == b"roads"
        for name in ("summary.json", "../elsewhere", "links.parquet"):
            with pytest.raises(ValueError, match="attachment"):
                write_run(tmp_path / "other", **content, attachments={name: b""})
        assert not (tmp_path / "other").exists()


class TestWhole:
    @pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError])
    def test_an_interrupted_writer_leaves_nothing(self, tmp_path, content, monkeypatch, failure):
        def interrupted(path, name, table):
            if name == "packets":
                raise failure

        monkeypatch.setattr(store, "_write_table", interrupted)
        with pytest.raises(failure):
            write_run(tmp_path / "run", **content)
        assert list(tmp_path.iterdir()) == []

    def test_what_is_under_way_does_not_look_finished(self, tmp_path, content, monkeypatch):
        seen = []

        def watching(path, name, table):
            seen.extend(entry.name for entry in tmp_path.iterdir())
            assert not any(is_run_folder(entry) for entry in tmp_path.iterdir())

        monkeypatch.setattr(store, "_write_table", watching)
        write_run(tmp_path / "run", **content)
        assert seen
        assert all(name.startswith(".run.") and name.endswith(".partial") for name in seen)

    def test_a_failed_overwrite_keeps_the_former_run(self, tmp_path, content, monkeypatch):
        folder = write_run(tmp_path / "run", **content)
        before = files(folder)
        rename = Path.rename

        def failing(self, target):
            if self.name == "run" and self.parent != tmp_path:
                raise KeyboardInterrupt
            return rename(self, target)

        monkeypatch.setattr(Path, "rename", failing)
        with pytest.raises(KeyboardInterrupt):
            write_run(folder, **content, overwrite=True)
        assert files(folder) == before
        assert list(tmp_path.iterdir()) == [folder]

    def test_values_json_lacks_are_refused(self, tmp_path, content):
        content["summary"] = {"prr": float("nan")}
        with pytest.raises(ValueError, match="JSON"):
            write_run(tmp_path / "run", **content)
        assert list(tmp_path.iterdir()) == []

    def test_a_table_of_the_wrong_shape_is_refused(self, tmp_path, content):
        broken = dict(content["records"].tables["load"])
        broken["cbr"] = broken["cbr"].astype(np.float32)
        content["records"] = RunRecords(tables={"load": broken}, facts={})
        with pytest.raises(ValueError, match=r"load\.cbr is float32"):
            write_run(tmp_path / "run", **content)
        assert list(tmp_path.iterdir()) == []


class TestPlace:
    def test_an_empty_folder_is_taken(self, tmp_path, content):
        (tmp_path / "run").mkdir()
        assert is_run_folder(write_run(tmp_path / "run", **content))

    def test_parents_are_made(self, tmp_path, content):
        assert is_run_folder(write_run(tmp_path / "a" / "b" / "run", **content))

    def test_a_run_is_replaced_only_on_request(self, tmp_path, content):
        folder = write_run(tmp_path / "run", **content, attachments={"old.txt": b""})
        with pytest.raises(V2XError, match="already holds a run"):
            write_run(folder, **content)
        assert (folder / "old.txt").exists()
        write_run(folder, **content, overwrite=True)
        assert not (folder / "old.txt").exists()
        assert list(tmp_path.iterdir()) == [folder]

    def test_a_strangers_folder_is_never_touched(self, tmp_path, content):
        (tmp_path / "thesis.tex").write_text("years of work")
        with pytest.raises(V2XError, match="holds no run"):
            write_run(tmp_path, **content, overwrite=True)
        assert (tmp_path / "thesis.tex").read_text() == "years of work"

    def test_a_file_is_refused(self, tmp_path, content):
        (tmp_path / "run").write_text("")
        with pytest.raises(V2XError, match="this is a file"):
            write_run(tmp_path / "run", **content)

    def test_a_place_that_cannot_be_written(self, tmp_path, content):
        (tmp_path / "file").write_text("")
        with pytest.raises(V2XError, match=r"file/run: cannot write the run: .*File exists"):
            write_run(tmp_path / "file" / "run", **content)


class TestDamage:
    @pytest.fixture
    def folder(self, tmp_path, content):
        return write_run(tmp_path / "run", **content)

    def test_no_such_folder(self, tmp_path):
        with pytest.raises(V2XError, match=r"nowhere: there is no such folder; name a folder"):
            read_run(tmp_path / "nowhere")

    def test_not_a_run_folder(self, tmp_path):
        (tmp_path / "records.json").write_text("[]")
        with pytest.raises(V2XError, match="not a run folder"):
            read_run(tmp_path)

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("links.parquet", "table 'links' is missing"),
            ("summary.json", "cannot be read"),
            ("manifest.json", "cannot be read"),
            ("scenario.yaml", "cannot be read"),
        ],
    )
    def test_missing_file(self, folder, name, reason):
        (folder / name).unlink()
        with pytest.raises(V2XError, match=reason) as error:
            read_run(folder)
        assert error.value.file == str(folder / name)

    @pytest.mark.parametrize(
        ("name", "reason"), [("load.parquet", "unreadable"), ("summary.json", "not JSON")]
    )
    def test_garbled_file(self, folder, name, reason):
        (folder / name).write_bytes(b"garbage")
        with pytest.raises(V2XError, match=reason):
            read_run(folder)

    def test_table_of_another_length(self, folder):
        table = pq.read_table(folder / "load.parquet")
        pq.write_table(table.slice(0, 10), folder / "load.parquet")
        with pytest.raises(V2XError, match=r"10 rows, but records\.json says 1600"):
            read_run(folder)

    def test_table_with_other_columns(self, folder):
        table = pq.read_table(folder / "load.parquet")
        pq.write_table(table.drop_columns(["cbr"]), folder / "load.parquet")
        with pytest.raises(V2XError, match="'load' has columns"):
            read_run(folder)

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"version": 99}, "written with version 99 .* reads version 2"),
            ({"tables": {"smells": 0}}, "knows no table 'smells'"),
        ],
    )
    def test_another_version(self, folder, change, reason):
        index = json.loads((folder / "records.json").read_text())
        (folder / "records.json").write_text(json.dumps(index | change))
        with pytest.raises(V2XError, match=reason):
            read_run(folder)


class TestManifest:
    def test_says_what_produced_the_run(self):
        made = manifest(seed=7, wall_s=1.5)
        assert (made["seed"], made["wall_s"]) == (7, 1.5)
        assert made["versions"]["python"] == platform.python_version()
        assert made["versions"]["numpy"] == np.__version__
        assert json.loads(json.dumps(made, allow_nan=False)) == made

    def test_is_silent_about_the_host(self):
        assert platform.node()
        assert platform.node() not in json.dumps(manifest(seed=1, wall_s=0.0)).split('"')

    def test_commit_is_that_of_the_checkout(self):
        root = Path(store.__file__).resolve().parents[2]
        head = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "--verify", "-q", "HEAD"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()
        expected = head if (root / ".git").exists() and head else None
        assert manifest(seed=1, wall_s=0.0)["commit"] == expected

    def test_a_package_in_somebody_elses_repository_has_no_commit(self, tmp_path, monkeypatch):
        package = tmp_path / "env" / "v2x"
        package.mkdir(parents=True)
        git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.c"]
        for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "thesis"]):
            subprocess.run([*git, *command], check=True)
        monkeypatch.setattr(store.v2x, "__file__", str(package / "__init__.py"))
        made = manifest(seed=1, wall_s=0.0)
        assert (made["commit"], made["uncommitted_changes"]) == (None, None)

    def test_kernels_are_known_by_their_digest(self, tmp_path, monkeypatch):
        binary = tmp_path / "reception.so"
        binary.write_bytes(b"\x7fELF")
        module = types.ModuleType("v2x._kernels.reception")
        module.__file__ = str(binary)
        monkeypatch.setitem(store.sys.modules, "v2x._kernels.reception", module)
        digest = hashlib.sha256(b"\x7fELF").hexdigest()
        assert manifest(seed=1, wall_s=0.0)["kernels"]["reception"] == digest
