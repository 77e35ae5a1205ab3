"""What a conversion that is interrupted leaves, and says."""

from composer.cli.convert import destination


def test_an_interruption_says_what_was_written(composer, tunes, tmp_path, monkeypatch):
    save = destination.ToFolder.save

    def save_two(self, path, data, label):
        if len(self.written) == 2:
            raise KeyboardInterrupt
        return save(self, path, data, label)

    monkeypatch.setattr(destination.ToFolder, "save", save_two)
    (tmp_path / "out").mkdir()
    done = composer("convert", tunes, "-o", f"{tmp_path / 'out'}/", "--to", "midi")
    assert done.err.endswith(f"wrote 2 files to {tmp_path / 'out'}\ninterrupted\n")
    assert len([*(tmp_path / "out").iterdir()]) == 2
