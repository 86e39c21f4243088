"""Folders and zips: what is found in them, and which zips are not read."""

import io
import zipfile
from pathlib import Path

import pytest

from orders.imports import package as module
from orders.imports.errors import ImportRefusedError, RowRefusedError
from orders.imports.package import Package, folder_package, zip_package
from tests.orders.imports.packages import folder_of, zipped

TABLE = b"sku\nMUG\n"


def zip_of(files: dict[str, bytes]) -> Package:
    return zip_package(zipfile.ZipFile(io.BytesIO(zipped(files))))


def test_a_zip_of_a_folder_is_read_like_the_folder(tmp_path: Path) -> None:
    files = {"products.csv": TABLE, "pictures/mug.jpg": b"mug"}

    in_zip = zip_of({f"my shop/{name}": data for name, data in files.items()})
    in_folder = folder_package(folder_of(tmp_path, files))

    for found in (in_zip, in_folder):
        assert found.table.name == "products.csv"
        with found.find("pictures/mug.jpg").open() as file:
            assert file.read() == b"mug"


@pytest.mark.parametrize("written", ["Mug é.JPG", "mug e\u0301.jpg", "pictures\\Mug é.jpg"])
def test_a_picture_is_found_however_its_name_is_written(written: str) -> None:
    package = zip_of({"products.csv": TABLE, "pictures/Mug é.jpg": b"mug"})

    assert package.find(written).name == "pictures/Mug é.jpg"


def test_a_name_that_several_files_have_is_asked_about() -> None:
    package = zip_of({"products.csv": TABLE, "a/mug.jpg": b"", "b/mug.jpg": b""})

    with pytest.raises(RowRefusedError, match="more than once"):
        package.find("mug.jpg")
    assert package.find("b/mug.jpg").name == "b/mug.jpg"


def test_what_macs_and_office_programs_leave_behind_is_ignored() -> None:
    package = zip_of(
        {
            "products.csv": TABLE,
            "__MACOSX/._products.csv": b"",
            "._mug.jpg": b"",
            "~$products.xlsx": b"",
            ".DS_Store": b"",
        }
    )

    assert package.table.name == "products.csv"


@pytest.mark.parametrize(
    "name", ["../mug.jpg", "/etc/mug.jpg", "a/../../mug.jpg", "..\\mug.jpg", "C:\\mug.jpg"]
)
def test_a_zip_with_a_name_that_leads_out_of_it_is_refused(name: str) -> None:
    with pytest.raises(ImportRefusedError, match="leads out of it"):
        zip_of({"products.csv": TABLE, name: b""})


def test_a_zip_that_would_grow_beyond_measure_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = {"products.csv": TABLE, "mug.jpg": bytes(2_000_000)}

    control = zip_of(bomb)
    monkeypatch.setattr(module, "SMALL_BYTES", 1_000_000)

    assert control.find("mug.jpg").size == 2_000_000
    with pytest.raises(ImportRefusedError, match="Unpacked, the zip has 2 MB"):
        zip_of(bomb)


def test_a_zip_with_too_many_files_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FILES", 2)

    with pytest.raises(ImportRefusedError, match="has 3 files"):
        zip_of({"products.csv": TABLE, "a.jpg": b"", "b.jpg": b""})


def test_a_file_that_is_larger_than_the_zip_says_is_damaged() -> None:
    data = bytearray(zipped({"products.csv": TABLE, "mug.jpg": b"a mug" * 1000}))
    honest, lie = (5000).to_bytes(4, "little"), (10).to_bytes(4, "little")
    assert honest in data

    package = zip_package(zipfile.ZipFile(io.BytesIO(bytes(data).replace(honest, lie))))

    with pytest.raises(RowRefusedError, match="damaged"):
        package.find("mug.jpg").open()


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"secret")
    folder = folder_of(tmp_path / "shop", {"products.csv": TABLE})
    (folder / "mug.jpg").symlink_to(secret)

    with pytest.raises(RowRefusedError, match="isn't among the files"):
        folder_package(folder).find("mug.jpg")


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"mug.jpg": b""}, "There is no table"),
        ({"a.csv": TABLE, "b.xlsx": TABLE}, "more than one table"),
    ],
)
def test_exactly_one_table_is_expected(files: dict[str, bytes], reason: str) -> None:
    with pytest.raises(ImportRefusedError, match=reason):
        zip_of(files)
