"""Pieces divided among processes."""


def ranked(rank, world):
    return {"RANK": str(rank), "WORLD_SIZE": str(world), "MASTER_ADDR": "localhost", "MASTER_PORT": "29500"}


def test_processes_share_the_pieces(gen, whole, monkeypatch, tmp_path, contents):
    said = []
    for rank in range(2):
        for name, value in ranked(rank, 2).items():
            monkeypatch.setenv(name, value)
        result = gen("--output", tmp_path / "out" / "%02d.abc")
        assert result.code == 0, result.err
        said.append(result.err)
    assert "wrote" in said[0]
    assert not said[1]
    assert contents(tmp_path / "out") == whole[0]


def test_another_number_of_processes_resumes(gen, whole, interrupt, monkeypatch, tmp_path, contents):
    with monkeypatch.context():
        for name, value in ranked(1, 2).items():
            monkeypatch.setenv(name, value)
        interrupt(2, killed=True)
        gen("--output", tmp_path / "out" / "%02d.abc")
    monkeypatch.undo()
    assert len(contents(tmp_path / "out")) == 3
    for rank in range(3):
        for name, value in ranked(rank, 3).items():
            monkeypatch.setenv(name, value)
        assert gen("--resume", "--output", tmp_path / "out" / "%02d.abc").code == 0
    assert contents(tmp_path / "out") == whole[0]


def test_processes_need_numbered_files_and_a_seed(gen, composer, checkpoint, monkeypatch, tmp_path):
    for name, value in ranked(0, 2).items():
        monkeypatch.setenv(name, value)
    gen().failed("2 processes cannot write to one file", "tunes/%d", code=2)
    gen("--output", tmp_path / "all.abc").failed("2 processes cannot write to one file", code=2)
    command = ("gen", "abc", "--checkpoint", checkpoint, "--count", 4, "--output", tmp_path / "%d.abc")
    composer(*command).failed("2 processes need the same --seed", "--seed", code=2)
    (tmp_path / "1.abc").write_text("X:1\n")
    gen("--force", "--output", tmp_path / "%d.abc").failed("1.abc already exists", "remove")
