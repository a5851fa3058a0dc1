"""Presets by name, folder and address; what is wrong with one is told in one line."""

import hashlib
import json
import os
import shutil
import threading

import pytest

from keras_textvae import TextSpace, pretrained
from keras_textvae.pretrained import catalogue

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_TEXTVAE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def named(preset, tmp_path, monkeypatch):
    """An installation that has the description of one preset, and not its weights."""
    weights = tmp_path / "weights"
    (weights / "cats").mkdir(parents=True)
    shutil.copy(preset / "preset.json", weights / "cats")
    monkeypatch.setattr(catalogue, "WEIGHTS", weights)
    return weights


def pages_of(cache):
    """What is kept of the web, but for locks."""
    return [path for path in (cache / "presets").rglob("*") if path.suffix != ".lock"]


def test_a_preset_is_the_space_that_was_saved(space, preset):
    space.save(preset.parent / "rounded", bfloat16=True)
    rounded = TextSpace.load(preset.parent / "rounded")
    loaded = TextSpace.from_preset(preset)
    assert loaded.sample(3) == rounded.sample(3)
    assert loaded.fitted


def test_a_page_is_downloaded_once_and_needs_no_network_after(web, preset):
    address = f"{web.address}/cats"
    first = TextSpace.from_preset(address).sample(3)
    asked = [os.path.basename(path) for path in web.asked]
    names = ["text_space.json", "weights.safetensors", "density.safetensors"]
    assert asked == ["preset.json", *names]
    shutil.rmtree(preset)
    assert TextSpace.from_preset(address).sample(3) == first
    assert len(web.asked) == 4


def test_a_pinned_address_takes_no_other_preset(web, preset, cache):
    digest = hashlib.sha256((preset / "preset.json").read_bytes()).hexdigest()
    assert pretrained.find(f"{web.address}/cats#sha256={digest}")
    with pytest.raises(ValueError, match="SHA-256 is [0-9a-f]{64}, not 0123"):
        pretrained.find(f"{web.address}/cats#sha256=0123")
    assert len({path.parent for path in pages_of(cache) if path.is_file()}) == 1


def test_a_download_that_broke_off_goes_on(web, preset, cache):
    content = (preset / "weights.safetensors").read_bytes()
    web.pages["/cats/weights.safetensors"] = content
    web.limit = 100
    with pytest.raises(ConnectionError, match="it ended after 100 of"):
        pretrained.find(f"{web.address}/cats")
    web.limit = None
    del web.asked[:]
    found = pretrained.find(f"{web.address}/cats")
    assert web.asked[0] == "/cats/weights.safetensors"
    names = {"preset.json", "text_space.json", "density.safetensors"}
    assert {*os.listdir(found)} == names | {"weights.safetensors"}


def test_two_at_once_download_once(web):
    address, folders = f"{web.address}/cats", []
    threads = [
        threading.Thread(target=lambda: folders.append(pretrained.find(address)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(web.asked) == 4
    assert folders[0] == folders[1]


def test_a_name_is_found_in_the_package(named, preset):
    for path in preset.iterdir():
        shutil.copy(path, named / "cats")
    assert pretrained.find("cats") == str(named / "cats")
    (listed,) = pretrained.presets()
    assert listed.installed
    assert str(listed).endswith("eight words, words, bound 12.5, KL 3.2, CC-BY-2.0")


def test_a_name_whose_weights_are_not_installed_is_found_elsewhere(
    named, web, preset, monkeypatch
):
    with pytest.raises(FileNotFoundError, match="set KERAS_TEXTVAE_PRESETS to where"):
        pretrained.find("cats")
    (listed,) = pretrained.presets()
    assert not listed.installed
    assert str(listed).endswith("not on this machine")
    monkeypatch.setenv("KERAS_TEXTVAE_PRESETS", str(preset.parent))
    assert pretrained.find("cats") == str(preset)
    monkeypatch.setenv("KERAS_TEXTVAE_PRESETS", web.address)
    assert TextSpace.from_preset("cats").sample(1)
    assert "/cats/preset.json" not in web.asked


def test_what_is_elsewhere_under_a_name_has_to_be_what_the_package_describes(
    named, preset, space, monkeypatch
):
    monkeypatch.setenv("KERAS_TEXTVAE_PRESETS", str(preset.parent))
    space.save_to_preset(preset, bfloat16=False)
    with pytest.raises(ValueError, match="weights.safetensors has .* bytes, not"):
        pretrained.find("cats")


def test_a_name_that_is_none_is_told_the_nearest(named):
    with pytest.raises(FileNotFoundError, match="'cat'. Did you mean cats?"):
        pretrained.find("cat")
    with pytest.raises(FileNotFoundError, match="'zyzzyva'. There are: cats"):
        pretrained.find("zyzzyva")


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1])


def tamper(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


DAMAGED = {
    "truncated": (truncate, "weights.safetensors has .* bytes, not"),
    "tampered": (tamper, "weights.safetensors is not the file that preset.json"),
    "missing": (lambda path: path.unlink(), "weights.safetensors is missing"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_told_in_one_line(preset, name):
    damage, line = DAMAGED[name]
    damage(preset / "weights.safetensors")
    with pytest.raises(ValueError, match=line) as error:
        pretrained.find(preset)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("damage", [truncate, tamper])
def test_a_damaged_download_is_told_and_leaves_nothing(web, preset, cache, damage):
    damage(preset / "weights.safetensors")
    with pytest.raises(ValueError, match="weights.safetensors: SHA-256 is") as error:
        pretrained.find(f"{web.address}/cats")
    assert "\n" not in str(error.value)
    assert pages_of(cache) == []


PAGES = {
    "HTML": (b"<!DOCTYPE html><p>Sign in", "is no description of a preset"),
    "other JSON": (b'{"a": 1}', "does not describe a preset"),
    "no fields": (
        b'{"format": "keras_textvae.preset", "version": 1}',
        "does not describe a preset",
    ),
    "newer": (
        b'{"format": "keras_textvae.preset", "version": 2}',
        "is of version 2, and this release reads version 1: install a newer",
    ),
    "endless": (b"[" * 1_100_000, "is no description of a preset"),
}


@pytest.mark.parametrize("name", PAGES)
def test_an_address_of_something_else_is_told_in_one_line(web, cache, name):
    web.pages["/cats/preset.json"], line = PAGES[name]
    with pytest.raises(ValueError, match=line) as error:
        pretrained.find(f"{web.address}/cats")
    assert web.address in str(error.value)
    assert "\n" not in str(error.value)
    assert pages_of(cache) == []


def test_files_of_other_names_are_refused(web, preset, cache):
    content = json.loads((preset / "preset.json").read_text())
    content["files"]["../evil.py"] = [1, "0" * 64]
    web.pages["/cats/preset.json"] = json.dumps(content).encode()
    with pytest.raises(ValueError, match=r"other files than a preset's.*\.\./evil.py"):
        pretrained.find(f"{web.address}/cats")
    assert pages_of(cache) == []


def test_no_preset_and_no_network_are_told_in_one_line(web):
    with pytest.raises(ConnectionError, match="preset.json: HTTP Error 404"):
        pretrained.find(f"{web.address}/dogs")
    with pytest.raises(ConnectionError, match="Connection refused") as error:
        pretrained.find("http://127.0.0.1:1/cats")
    assert "\n" not in str(error.value)


def test_a_folder_that_is_no_preset_is_told(space, tmp_path):
    space.save(tmp_path / "plain")
    with pytest.raises(FileNotFoundError, match="holds no preset"):
        pretrained.find(tmp_path / "plain")
