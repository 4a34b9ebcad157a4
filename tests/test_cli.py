"""Every command does its work through `main(argv)`; every mistake is one sentence, no traceback."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
import torch

from llmtrain101 import cli, lab, runs, states
from llmtrain101.cli import main
from llmtrain101.weights import sha256

TEXT = "It was the best of times, it was the worst of times, it was the age of wisdom.\n" * 60
SHAPE = "--d-model 16 --n-layers 1 --n-heads 1 --context-length 16 --batch-size 4 --threads 1"


@pytest.fixture(autouse=True)
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def text(tmp_path):
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    return tmp_path / "text.txt"


def train(text, out, *more, steps=8):
    named = [] if text is None else ["--text", str(text)]
    asked = ["--steps", str(steps)] if steps else []
    return main(["train", *named, "--out", str(out), *asked, *SHAPE.split(), *map(str, more)])


def bits(out):
    return sha256(out / "model.safetensors")


def test_help_is_quick_and_loads_no_torch():
    code = (
        "import sys, time; start = time.perf_counter(); from llmtrain101.cli import main;"
        "status = main(['--help']); seconds = time.perf_counter() - start;"
        "heavy = {'torch', 'numpy', 'transformers', 'rich'} & set(sys.modules);"
        "print(status, seconds, sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *shown, last = done.stdout.splitlines()
    status, seconds, heavy = last.split(maxsplit=2)
    assert (status, heavy) == ("0", "[]")
    assert float(seconds) < 1  # measured: 0.1 s; the whole process 0.2 s
    for command in ("lab", "check", "run", "train", "evaluate", "generate", "build"):
        assert any(line.split()[:1] == [command] for line in shown)


def test_every_setting_is_an_option_described_where_it_is_defined(capsys):
    assert main(["train", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for config in (runs.RunConfig, runs.ModelConfig, runs.TrainConfig):
        for field in cli.dataclasses.fields(config):
            if (config, field.name) in ((runs.ModelConfig, "vocab_size"), (config, "causal")):
                continue  # the text decides the one; the other is always true here
            flag = {"max_steps": "steps"}.get(field.name, field.name).replace("_", "-")
            assert f"--{flag} <" in shown
            assert field.metadata["help"] in shown


def test_train_evaluate_generate(text, tmp_path, capsys):
    out = tmp_path / "model"
    assert train(text, out, steps=80) == 0
    shown = capsys.readouterr().out
    for said in (
        "1 file, 4,740 bytes",
        "4,741 (char; ",
        "1 layers of width 16",
        "80 steps of 4 x 16",
    ):
        assert said in shown
    assert "Validation loss: " in shown
    loss = float(shown.split("Validation loss: ")[1].split()[0])
    assert loss < 2.5  # ln(22) = 3.1 is what knowing nothing scores

    assert main(["evaluate", "--model", str(out), "--text", str(text)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("4,740 tokens: ")
    nats, of_bits = float(said.split()[2]), float(said.split()[6])
    # as many bytes as tokens here, and the first is not predicted
    assert of_bits == pytest.approx(nats / 0.693147, abs=2e-4)

    asked = ["generate", "--model", str(out), "--prompt", "It was", "--tokens", "30"]
    assert main(asked) == 0
    first = capsys.readouterr().out
    assert first.startswith("It was")
    assert len(first) == len("It was") + 30 + 1
    main(asked)
    assert capsys.readouterr().out == first
    main([*asked, "--seed", "1"])
    assert capsys.readouterr().out != first
    main([*asked, "--temperature", "0", "--top-k", "3", "--top-p", "0.9"])
    greedy = capsys.readouterr().out
    main([*asked, "--temperature", "0", "--seed", "1"])
    assert capsys.readouterr().out == greedy


@pytest.mark.parametrize("kind", ["byte", "bpe"])
def test_other_tokenizers_and_folders_of_text(tmp_path, capsys, kind):
    (tmp_path / "texts").mkdir()
    for i in range(3):
        (tmp_path / "texts" / f"{i}.md").write_text(TEXT, encoding="utf-8")
    assert train(tmp_path / "texts", tmp_path / "m", "--tokenizer", kind, "--vocab-size", 280) == 0
    assert f"({kind}; {258 if kind == 'byte' else 280} different)" in capsys.readouterr().out
    assert main(["generate", "--model", str(tmp_path / "m"), "--prompt", "été"]) == 0
    assert capsys.readouterr().out.startswith("été")


def test_characters_that_the_model_does_not_know_are_told(text, tmp_path, capsys):
    train(text, tmp_path / "m")
    assert main(["generate", "--model", str(tmp_path / "m"), "--prompt", "été"]) == 0
    assert "does not know 1 of the characters, for example 'é'" in capsys.readouterr().err


def test_minutes_become_steps_and_are_kept(text, tmp_path, capsys):
    out = tmp_path / "m"
    start = time.monotonic()
    assert train(text, out, "--minutes", "0.02", steps=None) == 0  # 1.2 seconds
    assert time.monotonic() - start < 30
    stored = json.loads((out / "training" / "run.json").read_text(encoding="utf-8"))
    steps = stored["train"]["max_steps"]
    assert steps > 10
    assert states.newest_state(out / "training")[0].step == steps
    before = bits(out)
    assert train(text, out, "--minutes", "0.02", "--resume", steps=None) == 0
    assert f"Going on  after {steps:,} of {steps:,} steps" in capsys.readouterr().out
    assert bits(out) == before


def test_the_same_settings_give_the_same_bits_and_another_seed_others(text, tmp_path):
    for name, more in (("a", ()), ("b", ("--save-every", 0)), ("c", ("--seed", 1))):
        assert train(text, tmp_path / name, *more) == 0
    assert bits(tmp_path / "a") == bits(tmp_path / "b") != bits(tmp_path / "c")


class Stop(Exception):
    """Stands for whatever ends a run early."""


@pytest.fixture
def cut_off(text, tmp_path, monkeypatch):
    """A run that broke off after step 5 of 8, with states of steps 3 and 4."""
    out, save = tmp_path / "cut", states.save_state

    def stop_at_5(folder, step, *rest):
        if step == 5:
            raise Stop
        return save(folder, step, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(runs, "save_state", stop_at_5)
        with pytest.raises(Stop):
            runs.begin(
                out,
                text,
                {"max_steps": 8, "d_model": 16, "n_layers": 1, "n_heads": 1, "context_length": 16}
                | {"batch_size": 4, "threads": 1},
                save_every=0,
                progress=False,
                say=lambda line: None,
            )
    assert not (out / "model.safetensors").exists()
    return out


def test_resume_needs_no_text_and_ends_with_the_bits_of_the_run_left_alone(
    cut_off, text, tmp_path, capsys
):
    train(text, tmp_path / "whole")
    assert main(["train", "--resume", "--out", str(cut_off)]) == 0
    assert "Going on  after 4 of 8 steps" in capsys.readouterr().out
    assert bits(cut_off) == bits(tmp_path / "whole")


def test_a_damaged_state_is_named_and_the_one_before_it_taken(cut_off, text, tmp_path, capsys):
    train(text, tmp_path / "whole")
    (cut_off / "training" / "states" / "step-00000004" / "model.safetensors").write_bytes(b"x")
    capsys.readouterr()
    assert train(text, cut_off, "--resume") == 0
    shown = capsys.readouterr().out
    assert "step-00000004 is damaged" in shown
    assert "Going on from step 3." in shown
    assert bits(cut_off) == bits(tmp_path / "whole")


def test_without_a_whole_state_the_way_out_is_told(cut_off, text, capsys):
    for state in (cut_off / "training" / "states").iterdir():
        (state / "state.json").unlink()
    assert train(text, cut_off, "--resume") == 1
    assert "is whole. Begin again with --overwrite." in capsys.readouterr().err
    assert train(text, cut_off, "--overwrite") == 0


def test_another_text_or_option_is_not_gone_on_with(cut_off, text, tmp_path, capsys):
    assert train(text, cut_off, "--resume", "--seed", "1") == 1
    assert "begun with another value of seed; it goes on as it began" in capsys.readouterr().err
    assert train(text, cut_off, "--resume", steps=9) == 1
    assert "another value of max-steps" in capsys.readouterr().err
    text.write_text(TEXT + "More.", encoding="utf-8")
    assert train(text, cut_off, "--resume") == 1
    assert "is not the text that the run" in capsys.readouterr().err


def test_damaged_tokens_are_made_again_from_the_same_text(cut_off, text, tmp_path, capsys):
    train(text, tmp_path / "whole")
    (cut_off / "training" / "tokens.bin").write_bytes(b"\x00\x00")
    assert train(None, cut_off, "--resume") == 1
    assert "tokens.bin is damaged" in (said := capsys.readouterr().err)
    assert "Give --text" in said
    assert train(text, cut_off, "--resume") == 0
    assert bits(cut_off) == bits(tmp_path / "whole")


def test_resume_without_a_run_says_so(text, tmp_path, capsys):
    assert train(None, tmp_path / "m", "--resume") == 1
    assert "no run to go on with in" in capsys.readouterr().err
    assert train(text, tmp_path / "m", "--resume") == 0
    assert "it starts from the beginning" in capsys.readouterr().out


def test_a_run_is_not_overwritten_unless_asked(text, tmp_path, capsys):
    out = tmp_path / "m"
    train(text, out)
    before = bits(out)
    assert train(text, out, "--seed", "1") == 1
    assert "already holds a run: go on with it by --resume" in capsys.readouterr().err
    assert bits(out) == before
    assert train(text, out, "--seed", "1", "--overwrite") == 0
    assert bits(out) != before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.doc").touch()
    assert train(text, tmp_path / "mine") == 1
    assert "other files, for example thesis.doc" in capsys.readouterr().err
    assert train(text, text) == 1
    assert "text.txt is a file: name a folder" in capsys.readouterr().err


def test_a_full_disk_ends_the_run_and_keeps_the_old_states(cut_off, text, monkeypatch, capsys):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(states, "write_tensors", full)
    assert train(text, cut_off, "--resume", "--save-every", "0") == 1
    assert "The disk is full: saving" in capsys.readouterr().err
    assert states.newest_state(cut_off / "training")[0].step == 4


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to one process")
def test_ctrl_c_saves_a_state_and_says_how_to_go_on(text, tmp_path):
    out = tmp_path / "m"
    asked = ["train", "--text", text, "--out", out, "--steps", 100_000, *SHAPE.split()]
    command = [sys.executable, "-m", "llmtrain101", *map(str, asked)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as p:
        while not runs.is_run(out):
            assert p.poll() is None
            time.sleep(0.01)
        time.sleep(0.5)
        p.send_signal(signal.SIGINT)
        shown, errors = p.communicate(timeout=60)
    assert p.returncode == 130
    assert errors == ""
    assert f"The state is saved. Go on with: llmtrain101 train --resume --out {out}" in shown
    assert states.newest_state(out / "training")[0].step > 0


@pytest.mark.parametrize(
    ("argv", "status", "message"),
    [
        (["trian"], 2, "No such command 'trian'"),
        (["train", "--out", "m", "--steps", "many"], 2, "Invalid value for '--steps'.*See: llmtra"),
        (["train", "--out", "m"], 2, "Name what to train on: --text FILE_OR_FOLDER"),
        (["train", "--text", "t"], 2, "Missing option '--out'"),
        (["train", "--text", "t", "--out", "m", "--steps", "0"], 2, "--steps must be at least 1"),
        (
            ["train", "--text", "t", "--out", "m", "--n-heads", "3", "--d-model", "16"],
            2,
            "d_model /",
        ),
        (["train", "--text", "t", "--out", "m", "--tokenizer", "word"], 2, "expected one of char,"),
        (
            ["train", "--text", "t", "--out", "m", "--size", "huge"],
            2,
            "expected one of tiny, small",
        ),
        (["train", "--text", "t", "--out", "m", "--batch-size", "0"], 2, "batch_size must be at"),
        (["train", "--text", "t", "--out", "m", "--minutes", "-1"], 2, "minutes must be positive"),
        (["train", "--text", "t", "--out", "m", "--minutes", "1", "--steps", "1"], 2, "not both"),
        (["train", "--text", "nowhere", "--out", "m"], 1, "no file or folder nowhere: check the"),
        (["evaluate", "--model", "nowhere", "--text", "t"], 1, "There is no folder nowhere"),
        (["generate", "--model", "nowhere"], 1, "There is no folder nowhere"),
        (["run", "99"], 1, "no lesson '99'"),
        (["build", "99"], 1, "no lesson '99'"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path, monkeypatch, capsys, argv, status, message):
    monkeypatch.chdir(tmp_path)
    assert main(argv) == status
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1
    assert re.search(message, shown.err), shown.err


def test_texts_that_do_not_do_are_explained(text, tmp_path, capsys):
    for content, message in (
        (b"", "is empty: there is no text to read"),
        (b"short", "has 6 tokens, 4 of them to train on; a context of 16 needs 17"),
        (b"caf\xe9" * 100, "is not utf-8 text: byte 3 (0xe9)"),
    ):
        text.write_bytes(content)
        assert train(text, tmp_path / "m") == 1
        assert message in capsys.readouterr().err
    assert train(text, tmp_path / "m", "--encoding", "latin-1") == 0


def test_what_is_not_a_mistake_of_the_user_shows_details_only_on_request(monkeypatch, capsys):
    def broken():
        raise KeyError("inside")

    monkeypatch.setitem(cli._COMMANDS, "check", broken)
    assert main(["check"]) == 1
    assert "unexpected went wrong (KeyError: 'inside')" in capsys.readouterr().err
    with pytest.raises(KeyError):
        main(["--debug", "check"])


def test_check_tells_what_is_wrong_with_the_machine(monkeypatch, capsys):
    from llmtrain101.course import machine

    rows = [machine.Row("Python", "ok", "3.11"), machine.Row("Disk", "warning", "1 GB", "Tidy.")]
    monkeypatch.setattr(machine, "machine_report", lambda: rows)
    assert main(["check"]) == 0
    assert "1 GB" in (shown := capsys.readouterr().out)
    assert "Tidy." in shown
    rows.append(machine.Row("Memory", "problem", "none", "Buy some."))
    assert main(["check"]) == 1
    assert "NO  Memory" in capsys.readouterr().out


def test_a_port_in_use_is_told_and_else_the_next_one_taken(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not lab.is_free(port)
        with pytest.raises(ValueError, match=f"Port {port} is in use"):
            lab.run_lab(tmp_path, browser=False, port=port)
    assert lab.is_free(port)
    assert not lab.is_free(1 << 20)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands for Python")
def test_a_jupyterlab_that_does_not_start_is_told_with_its_log(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("llmtrain101.course.layout.lay_out", lambda folder: [])
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    script = f"#!{os.path.realpath('/bin/sh')}\necho no module named jupyterlab >&2\nexit 1\n"
    (tmp_path / "python").write_text(script, encoding="utf-8")
    (tmp_path / "python").chmod(0o755)
    assert main(["lab", "--folder", str(tmp_path / "mine"), "--no-browser"]) == 1
    said = capsys.readouterr().err
    assert "JupyterLab did not start. The end of" in said
    assert "no module named jupyterlab" in said


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to one process")
def test_lab_serves_the_lesson_and_ends_cleanly(tmp_path):
    command = [sys.executable, "-m", "llmtrain101", "lab", "--folder", "mine", "--no-browser"]
    for name in ("lessons", "notebooks"):
        (tmp_path / "course" / name).mkdir(parents=True)
    notebook = nbformat.v4.new_notebook()
    nbformat.write(notebook, tmp_path / "course" / "notebooks" / "00-start-here.ipynb")
    own = {name: str(tmp_path / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    environment = {**os.environ, "LLMTRAIN101_COURSE": str(tmp_path / "course")}
    environment |= {f"JUPYTER_{name}_DIR": place for name, place in own.items()}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            address = ""
            while not address:
                line = process.stdout.readline()
                assert line, "it ended early"
                address = line.strip() if line.strip().startswith("http") else ""
            assert "/lab/tree/00-start-here.ipynb?token=" in address
            contents = address.replace("/lab/tree/", "/api/contents/")
            with urllib.request.urlopen(contents, timeout=30) as answer:
                assert json.load(answer)["type"] == "notebook"
            with pytest.raises(urllib.request.HTTPError, match="403"):
                urllib.request.urlopen(contents.split("?")[0], timeout=30)
            process.send_signal(signal.SIGINT)
            shown, _ = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 0
    assert "your work is in mine" in shown
    port = int(address.split(":")[2].split("/")[0])
    assert lab.is_free(port)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["generate", "--model", "nowhere"], "There is no folder nowhere"),
        (["generate", "--model", "x", "--tokens", "-5"], "--tokens must be 1 or more, got -5"),
        (["train", "--text", "a.txt", "--out", "o", "--steps", "0"], "--steps must be"),
    ],
)
def test_a_slip_on_the_command_line_is_named_as_it_was_typed(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) in (1, 2)
    assert said in capsys.readouterr().err


def test_a_run_without_a_model_yet_is_told_from_a_folder_of_another_kind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "training").mkdir()
    assert main(["generate", "--model", str(tmp_path)]) == 1
    assert "stopped before it had a model" in capsys.readouterr().err
