from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from scribblebench.cli.main import main
from scribblebench.nn.backbones import BACKBONES


def fails(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that must end with exit code 2 and one line; return the line."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    text = capsys.readouterr().err
    assert ended.value.code == 2
    assert text.startswith("Error: ")
    assert text.count("\n") == 1
    return text


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("run --grid shrnk", "Unknown grid 'shrnk'. Did you mean 'shrink'?"),
        ("run --grid shrink --methods rwss", "Did you mean 'rw-ss'?"),
        ("run --grid shrink --protocol tooy", "Did you mean 'toy'?"),
        ("run --grid shrink --set epochs", "write it as KEY=VALUE"),
        ("run --grid shrink --set epochs=many", "epochs: 'many' does not fit. It takes: whole number from 1"),
        ("run --grid shrink --set crop=96", "crop: 96 is not k x output_stride + 1; use 97"),
        ("run --grid shrink --rates a", "--rates a: give a rate from 0 to 1"),
        ("run --grid shrink --seeds 0,-1", "'0,-1' is not a list of whole numbers from 0"),
        ("run --grid shrink --seeds 0,9999999999", "is not a list of whole numbers from 0"),
        ("run --grid shrink --seeds 1_0", "'1_0' is not a list of whole numbers from 0"),
        ("run --grid shrink --rates 0_1", "--rates 0_1: give a rate from 0 to 1"),
        (
            "run --grid shrink --set threads=99999999999",
            "threads: 99999999999 does not fit. It takes: whole number from 1 to 1024",
        ),
        (
            "run --grid shrink --set crop=99999993",
            "crop: 99999993 does not fit. It takes: whole number from 1 to 16385",
        ),
        ("run --grid shrink --set dropout=1", "dropout: 1 does not fit. It takes: number from 0 to below 1"),
        ("run --grid shrink --set epochs=2 --set epochs=3", "--set epochs is given twice"),
        ("run --grid shrink --set dataset=voc2012", "Choose a dataset with --dataset"),
        ("run --grid shrink --set weights=resnet.pth", "neither none, imagenet nor a .safetensors file"),
        (
            "run --grid shrink --set augmentation.scale=[0,2]",
            "augmentation.scale[0]: 0 does not fit. It takes: number from 0.01 to 100",
        ),
        ("run --grid", "Option '--grid' requires an argument. See 'scribblebench --help'."),
        ("run", "Missing option '--grid'. See 'scribblebench run --help'."),
        ("run --grid shrink extra", "Got unexpected extra argument (extra). See 'scribblebench run --help'."),
        ("run --grid shrink --rerun maybe", "See 'scribblebench run --help'."),
        ("figures --seed -1", "Invalid value for '--seed': -1 is not in the range"),
        ("run --grid shrink --probe", "--probe belongs to --dry-run"),
        ("run --grid shrink --collect", "--collect belongs to --executor slurm"),
        ("run --grid shrink --executor slurm --per-device 2", "--per-device belongs to --executor local"),
        ("run --grid shrink --executor slurm --slurm gpu", "--slurm gpu: write it as KEY=VALUE"),
        ("run --grid shrink --variant nowhere", "nowhere"),
        ("run --grid ablation --rates 0.5", "Grid 'ablation' degrades nothing"),
        ("status", "No folder results"),
        ("clean", "No folder results"),
        ("tensorboard", "No folder results"),
        ("run --grid shrink --device tpu", "--device tpu"),
        ("run --grid shrink --data-dir nowhere", "No folder at nowhere"),
        ("run --grid shrink --weights nowhere.safetensors", "No weights at nowhere.safetensors"),
        ("run --grid shrink --cards nowhere", "No card folder at nowhere"),
        ("run --grid efficiency --seeds 0 --variants v", "Grid 'efficiency' uses no --seeds, --variants: "),
        ("run --grid efficiency --keep-predictions", "Grid 'efficiency' uses no --keep-predictions: "),
        ("lst", "Unknown command 'lst'. Did you mean 'list'?"),
    ],
)
def test_bad_input_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], arguments: str, message: str, tmp_path: Path
) -> None:
    assert message in fails(capsys, *arguments.split())
    assert not list(tmp_path.glob("results*"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_cuda_asked_for_and_absent(capsys: pytest.CaptureFixture[str], mini: Path) -> None:
    text = fails(capsys, "run", "--grid", "shrink", "--device", "cuda", "--data-dir", str(mini))
    assert "--device cuda: this machine has no such device. Give --device cpu." in text


def test_a_photograph_without_its_mask(
    capsys: pytest.CaptureFixture[str], mini: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(mini, folder)
    victim = (folder / "ImageSets/SegmentationAug/val.txt").read_text(encoding="utf-8").split()[0]
    (folder / "SegmentationClassAug" / f"{victim}.png").unlink()
    text = fails(capsys, "run", "--grid", "shrink", "--data-dir", str(folder))
    assert victim in text


def tiny_weights(name: str, value: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
    """Return weights of the toy's backbone, one of them replaced, or left out."""
    state = BACKBONES.build("tiny", {}, "test").build(16).state_dict()
    rest = {key: tensor.clone() for key, tensor in state.items() if key != name}
    return rest if value is None else {**rest, name: value}


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"a": torch.zeros(3)}, "do not fit the backbone"),
        (tiny_weights("stem.0.weight"), "missing: stem.0.weight"),
        (tiny_weights("stem.1.weight", torch.full((16,), torch.nan)), "not finite: stem.1.weight"),
        (tiny_weights("stem.1.weight", torch.ones(16, dtype=torch.int64)), "whole numbers: stem.1.weight"),
        (None, "not a readable safetensors file"),
    ],
    ids=["another network", "incomplete", "NaN", "whole numbers", "a pickle"],
)
def test_a_dry_run_looks_at_initial_weights(
    capsys: pytest.CaptureFixture[str],
    mini: Path,
    tensors: dict[str, torch.Tensor] | None,
    message: str,
) -> None:
    if tensors is None:
        torch.save({"a": torch.zeros(1)}, "w.safetensors")
    else:
        save_file(tensors, "w.safetensors")
    run = ("run", "--grid", "shrink", "--data-dir", str(mini), "--dry-run")
    assert message in fails(capsys, *run, "--weights", "w.safetensors")
    assert message in fails(capsys, *run, "--set", "weights=w.safetensors")


def test_training_images_are_counted_before_any_training(
    capsys: pytest.CaptureFixture[str], mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = ("run", "--grid", "shrink", "--data-dir", str(mini), "--set", "batch=25")
    told = "The training split has 24 images, fewer than one batch of 25. Give --set batch=24"
    with pytest.raises(SystemExit) as ended:
        main(list(run))
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"Error: {told}")
    with contextlib.suppress(SystemExit):  # a dry run lists the cells all the same
        main([*run, "--dry-run"])
    said = capsys.readouterr()
    assert told in said.out + said.err
    assert "15 cells, 15 missing" in said.out


def test_a_dry_run_looks_at_the_weights(capsys: pytest.CaptureFixture[str], mini: Path) -> None:
    run = ("run", "--grid", "shrink", "--data-dir", str(mini), "--dry-run")
    text = fails(capsys, *run, "--set", "weights=imagenet")
    assert "This backbone has no ImageNet weights" in text


def test_names_given_twice_are_one_cell(capsys: pytest.CaptureFixture[str], mini: Path) -> None:
    twice = ["--methods", "baseline,baseline", "--seeds", "1,1", "--rates", "0,0"]
    main(["run", "--grid", "shrink", "--data-dir", str(mini), "--dry-run", *twice])
    assert capsys.readouterr().out.splitlines()[-1] == "1 cells, 1 missing"


def test_dry_run_prints_the_cells_and_trains_nothing(
    capsys: pytest.CaptureFixture[str], mini: Path, tmp_path: Path
) -> None:
    main(["run", "--grid", "drop", "--data-dir", str(mini), "--seeds", "0,1", "--dry-run"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "36 cells, 36 missing"
    assert sum("toy_rw-ss_drop-0.3_seed1_" in line for line in lines) == 1
    assert not (tmp_path / "results").exists()


def test_a_users_own_part(capsys: pytest.CaptureFixture[str], mini: Path, tmp_path: Path) -> None:
    """One card and one file add a method."""
    (tmp_path / "cards/methods").mkdir(parents=True)
    (tmp_path / "cards/methods/mine.yaml").write_text(
        "name: mine\ntitle: Mine\npaper: {key: me, year: 2030, title: Mine}\nnetwork: {head: plain}\n"
        "losses: [{part: partial_cross_entropy}, {part: 'my_loss:Brightness', weight: 0.1, power: 2}]\n",
        encoding="utf-8",
    )
    (tmp_path / "my_loss.py").write_text(
        "from scribblebench.ops.step import Loss, LossValue\n"
        "class Brightness(Loss, frozen=True):\n"
        "    power: int = 1\n"
        "    def __call__(self, step):\n"
        "        return LossValue(step.logits.abs().mean() ** self.power)\n",
        encoding="utf-8",
    )
    arguments = f"run --grid shrink --methods mine --rates 0 --cards cards --data-dir {mini} --set epochs=1"
    main(arguments.split())
    assert "1 cells, 1 run now, 0 failed" in capsys.readouterr().out
