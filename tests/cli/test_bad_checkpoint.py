"""Errors of `--checkpoint`: missing, damaged and unfitting files."""

from composer.checkpoints import file as checkpoints


def test_missing_checkpoint(composer):
    composer("gen", "abc", "--checkpoint", "gone.safetensors").failed("gone.safetensors", "composer models")


def test_folder_as_checkpoint(composer, tmp_path):
    composer("gen", "abc", "--checkpoint", tmp_path).failed("is a folder", ".safetensors")


def test_not_a_checkpoint(composer, tmp_path):
    path = tmp_path / "strange.safetensors"
    path.write_bytes(b"this is no model at all")
    composer("gen", "abc", "--checkpoint", path).failed("strange.safetensors is not a complete checkpoint")
    composer("show", path).failed("strange.safetensors is not a complete checkpoint")


def test_checkpoint_cut_short(composer, checkpoint, tmp_path):
    path = tmp_path / "short.safetensors"
    path.write_bytes(checkpoint.read_bytes()[:-100])
    composer("gen", "abc", "--checkpoint", path).failed(
        "short.safetensors is not a complete checkpoint", "copy it again"
    )


def test_checkpoint_of_another_representation(composer, checkpoint, tmp_path):
    saved = checkpoints.load(checkpoint, half=True)
    path = tmp_path / "grid.safetensors"
    header = checkpoints.replace(saved.header, representation="grid")
    checkpoints.save(path, checkpoints.Checkpoint(header, saved.weights))
    composer("gen", "abc", "--checkpoint", path).failed("is a model for `grid`, not `abc`", "composer gen grid")
