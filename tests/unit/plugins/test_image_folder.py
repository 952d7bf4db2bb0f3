"""A user's own images: with or without test/, in a folder or an archive, refused by name when damaged."""

import io
import shutil
import tarfile

import numpy as np
import pytest
from image_datasets import dataset, draw, make, refusal
from PIL import Image

LAYOUTS = ["folder", "tar", "tar.gz"]


def packed(folder, layout):
    """`folder` as it is, or as an archive beside it; returns its path below the root."""
    if layout == "folder":
        return folder.name
    with tarfile.open(f"{folder}.{layout}", "w:gz" if layout == "tar.gz" else "w") as archive:
        archive.add(folder, folder.name)
    return f"{folder.name}.{layout}"


def read(path, root, **settings):
    return dataset("image_folder", path=path, **settings).read([root])


@pytest.fixture
def pets(tmp_path):
    return draw(tmp_path / "pets")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_labels_and_pixels_are_those_of_the_files(pets, tmp_path, layout):
    found = read(packed(pets, layout), tmp_path)
    with Image.open(pets / "test/dog/11.png") as file:
        expected = np.asarray(file).transpose(2, 0, 1)  # (3, 6, 8)
    assert found.classes == ["cat", "dog"]
    assert found.test.labels.tolist() == [0] * 12 + [1] * 12
    np.testing.assert_array_equal(found.test.images[-1], expected)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_without_test_a_share_of_train_becomes_the_test_split(tmp_path, layout):
    path = packed(draw(tmp_path / "pets", parts=["train"], count=20), layout)
    found = make(dataset("image_folder", path=path), [tmp_path], tmp_path / "prepared")
    # Of 40: a fifth is test, a tenth of the rest is val.
    assert [sum(found.counts[part].values()) for part in ("train", "val", "test")] == [28, 4, 8]
    assert not found.own_test


def test_the_order_of_an_archive_s_members_does_not_matter(pets, tmp_path):
    with tarfile.open(tmp_path / "shuffled.tar", "w") as archive:
        for path in sorted(pets.rglob("*.png"), reverse=True):
            archive.add(path, path.relative_to(tmp_path))
    folder, archived = read("pets", tmp_path), read("shuffled.tar", tmp_path)
    np.testing.assert_array_equal(folder.train.images, archived.train.images)


def test_grey_gives_one_channel(pets, tmp_path):
    found = read("pets", tmp_path, colour="grey").train.images
    with Image.open(pets / "train/cat/00.png") as file:
        np.testing.assert_array_equal(found[0, 0], np.asarray(file.convert("L")))
    assert found.shape == (24, 1, 6, 8)


def test_an_image_of_16_bits_is_refused_by_name_rather_than_clipped(pets, tmp_path):
    levels = np.linspace(0, 65535, 48).astype(np.uint16).reshape(6, 8)
    Image.fromarray(levels).save(pets / "train/cat/00.png")
    assert "train/cat/00.png" in refusal(read, "pets", tmp_path)


def test_a_file_of_several_pictures_is_refused_by_name(pets, tmp_path):
    pages = [Image.new("RGB", (8, 6), (level, 0, 0)) for level in (10, 200)]
    pages[0].save(pets / "train/cat/00.tif", save_all=True, append_images=pages[1:])
    line = refusal(read, "pets", tmp_path)
    assert "train/cat/00.tif" in line and "2 pictures in one file" in line


def test_a_phone_s_picture_with_a_preview_is_one_image(pets, tmp_path):
    pictures = [Image.new("RGB", (8, 6), (level, 0, 0)) for level in (10, 200)]
    pictures[0].save(pets / "train/cat/00.jpg", format="MPO", save_all=True, append_images=pictures[1:])
    assert len(read("pets", tmp_path).train.images) == 25


def test_images_of_another_size_are_refused_by_name(pets, tmp_path):
    Image.new("RGB", (9, 4)).save(pets / "train/cat/05.png")
    line = refusal(read, "pets", tmp_path)
    assert "train/cat/05.png has 9x4 pixels" in line and "8x6" in line and "`size`" in line


def test_images_of_any_size_are_accepted_with_a_size(pets, tmp_path):
    Image.new("RGB", (9, 4)).save(pets / "train/cat/05.png")
    assert read("pets", tmp_path, size=5).train.images.shape == (24, 3, 5, 5)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kept", [0, 20, 100, 160])
def test_a_truncated_image_is_refused_by_name(pets, tmp_path, kept, layout):
    image = pets / "train/dog/07.png"
    image.write_bytes(image.read_bytes()[:kept])
    assert "train/dog/07.png cannot be decoded" in refusal(read, packed(pets, layout), tmp_path)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_images_that_cannot_be_decoded_are_told_at_once(pets, tmp_path, layout):
    for number in range(8):
        (pets / f"train/cat/{number:02}.png").write_bytes(b"no image")
    line = refusal(read, packed(pets, layout), tmp_path)
    assert "8 images: train/cat/00.png cannot be decoded (no image), train/cat/01.png" in line
    assert "04.png" in line and "05.png" not in line and "and 3 more. Replace or remove them." in line


def test_a_missing_source_names_every_place_and_the_variable(tmp_path):
    data = dataset("image_folder", path="nowhere")
    line = refusal(data.digests, [tmp_path / "raw", tmp_path / "mine"])
    assert str(tmp_path / "raw/nowhere") in line and str(tmp_path / "mine/nowhere") in line
    assert "BREAKEVEN_DATA" in line


def test_other_classes_in_test_than_in_train_are_refused_by_name(pets, tmp_path):
    (pets / "test/dog").rename(pets / "test/wolf")
    assert "different classes: dog, wolf" in refusal(read, "pets", tmp_path)


def test_a_single_class_is_refused(tmp_path):
    draw(tmp_path / "pets", classes=["cat"])
    assert "at least two classes, and has ['cat']. Put a folder for each class into train/" in refusal(
        read, "pets", tmp_path
    )


def test_an_archive_with_another_digest_than_the_configured_is_refused_by_name(pets, tmp_path):
    data = dataset("image_folder", path=packed(pets, "tar"), sha256="0" * 64)
    assert "pets.tar is damaged" in refusal(data.digests, [tmp_path])


@pytest.mark.parametrize("layout", ["tar", "tar.gz"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_truncated_archive_is_refused_by_name(pets, tmp_path, layout, share):
    archive = tmp_path / packed(pets, layout)
    content = archive.read_bytes()
    archive.write_bytes(content[: int(share * len(content))])
    assert f"{archive.name} cannot be read" in refusal(read, archive.name, tmp_path)


@pytest.mark.parametrize("damage", ["truncated", "changed"])
def test_an_archive_that_is_damaged_at_a_member_s_header_loses_no_image_in_silence(pets, tmp_path, damage):
    path = tmp_path / packed(pets, "tar")
    with tarfile.open(path) as archive:
        header = archive.getmember("pets/train/dog/06.png").offset
    content = io.BytesIO(path.read_bytes())
    content.seek(header + 100)
    content.truncate() if damage == "truncated" else content.write(b"\x55")
    path.write_bytes(content.getvalue())
    assert "pets.tar" in refusal(read, "pets.tar", tmp_path)


def test_something_that_is_neither_folder_nor_archive_is_refused_by_name(tmp_path):
    (tmp_path / "pets.zip").write_bytes(b"PK")
    assert "pets.zip is neither a folder nor a tar archive" in refusal(read, "pets.zip", tmp_path)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_own_validation_split_is_taken(tmp_path, layout):
    folder = draw(tmp_path / "pets", parts=["train", "val", "test"])
    path = packed(folder, layout)
    found = make(dataset("image_folder", path=path), [tmp_path], tmp_path / "prepared")
    assert [sum(found.counts[part].values()) for part in ("train", "val", "test")] == [24, 24, 24]
    assert found.own_test
    (folder / "val/dog").rename(folder / "val/wolf")
    assert "train/ and val/ have different classes: dog, wolf" in refusal(read, "pets", tmp_path)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_left_out_is_told_and_what_is_hidden_is_not(pets, tmp_path, layout, capsys):
    (pets / "train/.checkpoints").mkdir()
    for name in ("train/.checkpoints/a.png", "train/cat/._a.png", "train/cat/notes.txt"):
        (pets / name).write_text("no image")
    (pets / "train/cat/2023").mkdir()
    Image.new("RGB", (8, 6)).save(pets / "train/cat/2023/a.png")
    found = read(packed(pets, layout), tmp_path)
    assert found.classes == ["cat", "dog"] and len(found.train.labels) == 24
    told = capsys.readouterr().err
    assert "2 files are left out, the first is" in told and "train|val|test/CLASS/NAME" in told


@pytest.mark.parametrize("layout", LAYOUTS)
def test_links_that_lead_nowhere_are_refused_by_name(pets, tmp_path, layout):
    for number in range(7):
        (pets / f"train/cat/gone{number}.png").symlink_to(tmp_path / "nowhere.png")
    line = refusal(read, packed(pets, layout), tmp_path)
    assert "7 images: train/cat/gone0.png is a link to nothing" in line and "gone4" in line
    assert "gone5" not in line and "and 2 more" in line


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", ["empty", "text", "link", "dead link", "nested"])
def test_a_class_without_an_image_is_refused_by_name(pets, tmp_path, layout, kind):
    if layout == "folder" and kind == "link":
        pytest.skip("the folder that it leads to is read")
    folder = pets / "train/bird"
    if "link" in kind:
        folder.symlink_to(tmp_path / "birds")
        if kind == "link":
            (tmp_path / "birds").mkdir()
            Image.new("RGB", (8, 6)).save(tmp_path / "birds/a.png")
    elif kind == "nested":
        (folder / "2023").mkdir(parents=True)
        Image.new("RGB", (8, 6)).save(folder / "2023/a.png")
    else:
        folder.mkdir()
        if kind == "text":
            (folder / "a.gif").write_text("of a kind that is not read")
    assert "train/bird/ holds no image" in refusal(read, packed(pets, layout), tmp_path)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_empty_test_folder_is_no_reason_to_split_train(pets, tmp_path, layout):
    shutil.rmtree(pets / "test")
    (pets / "test").mkdir()
    assert "test/ holds no image" in refusal(read, packed(pets, layout), tmp_path)


def test_what_is_missing_is_told_before_anything_is_read(pets, tmp_path):
    (pets / "train/bird").mkdir()
    data = dataset("image_folder", path="pets")
    assert "train/bird/ holds no image" in refusal(data.digests, [tmp_path])


@pytest.mark.parametrize("kind", ["hard", "symbolic"])
def test_links_within_an_archive_are_images_like_others(pets, tmp_path, kind):
    twin, original = pets / "train/cat/twin.png", pets / "train/cat/00.png"
    twin.hardlink_to(original) if kind == "hard" else twin.symlink_to("00.png")
    found = read(packed(pets, "tar"), tmp_path).train
    assert len(found.labels) == 25 and np.array_equal(found.images[0], found.images[12])


def test_one_name_for_two_images_of_an_archive_is_refused(pets, tmp_path):
    with tarfile.open(tmp_path / "twice.tar", "w") as archive:
        for top in ("a", "b"):
            archive.add(pets / "train/cat/00.png", f"{top}/train/cat/00.png")
    assert "train/cat/00.png twice" in refusal(read, "twice.tar", tmp_path)


def test_a_linked_folder_of_a_class_is_read(pets, tmp_path):
    (pets / "train/cat").rename(tmp_path / "cats")
    (pets / "train/cat").symlink_to(tmp_path / "cats")
    assert read("pets", tmp_path).classes == ["cat", "dog"]
