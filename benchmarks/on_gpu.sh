#!/usr/bin/env bash
# What wants a CUDA device, in one go, within a time budget: tests, speed, results.
#
#   benchmarks/on_gpu.sh VOC_DIR WEIGHTS.safetensors OUT [MINUTES] [PER_DEVICE]
#
# VOC_DIR is a folder in VOC layout with strokes; WEIGHTS are MobileNetV2's, with torchvision's names.
# OUT gets the tests' log, the benchmarks, the records and the report. The tests come first, then the figures
# of speed (together under ten minutes), then cells, several at once on the card. Stopped by the budget or by
# hand, the same command carries on where it was; ONLY=speed leaves out the cells.
#
# On a machine that cannot install packages, put wheels of what it lacks into a folder and name it in WHEELS;
# PYTHON names the interpreter.
set -euo pipefail

data=$1 weights=$2 out=$3 minutes=${4:-25} per_device=${5:-6}
python=${PYTHON:-python3}
here=$(cd "$(dirname "$0")/.." && pwd)
ends=$(($(date +%s) + minutes * 60))
mkdir -p "$out"

if [[ -n ${WHEELS:-} ]]; then
    "$python" -m pip install -q --no-index --no-deps --upgrade --target "$out/.site" "$WHEELS"/*.whl
fi
export PYTHONPATH="$here${WHEELS:+:$out/.site}${PYTHONPATH:+:$PYTHONPATH}"
"$python" -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' || {
    echo "No CUDA device here: torch.cuda.is_available() is False." >&2
    exit 2
}

left() { # seconds of the budget, a minute for the report set aside
    local seconds=$((ends - $(date +%s) - 60))
    echo $((seconds > 0 ? seconds : 0))
}

within() { # SECONDS COMMAND...: at most so long, and no longer than the budget; the rest goes on if it fails
    local most=$1 rest
    shift
    rest=$(left)
    ((rest == 0)) || timeout --signal TERM $((most < rest ? most : rest)) "$@" || echo "stopped or failed: $*" >&2
}

if [[ ! -e $out/tests.log ]]; then
    (cd "$here" && within 180 "$python" -m pytest -m cuda -p no:cacheprovider -q tests/ops tests/training) |
        tee "$out/tests.log"
fi
# Feeding and steps against constant data and the published formulation first, then single pieces.
for name in feeding_stride_16 step_stride_16 feeding_stride_8 step_stride_8 augmentation eigenspace walk losses \
    labelled_pixels; do
    [[ -e $out/benchmarks/$name.json ]] ||
        within 150 "$python" "$here/benchmarks/all.py" --device cuda --only "$name" \
            --data-dir "$data/JPEGImages" --out "$out/benchmarks"
done
[[ ${ONLY:-} != speed ]] || exit 0

on_photographs=(--dataset voc2012 --data-dir "$data" --protocol voc-mini --set crop=449 --device cuda)
cells() {
    within 86400 "$python" -m scribblebench run "$@" "${on_photographs[@]}" --weights "$weights" \
        --per-device "$per_device" --variants "$out/data" --runs "$out/runs"
}

# The end points with several seeds first: they decide; the middle rates come last.
cells --grid shrink --rates 0,1 --seeds 0,1,2
cells --grid ablation --seeds 0
cells --grid drop --rates 0,0.5 --seeds 0,1,2
cells --grid variation --seeds 0
cells --grid controls --seeds 0
cells --grid shrink --seeds 0
cells --grid drop --seeds 0
# Table 5: the walk's share of a step is 1 - training_images_per_second of rw over that of baseline.
within 300 "$python" -m scribblebench run --grid efficiency --set batch=8 --device cuda --runs "$out/runs"
within 300 "$python" -m scribblebench figures "${on_photographs[@]}" --weights "$weights" --runs "$out/runs" \
    --out "$out/figures"
if compgen -G "$out/runs/*.json" > /dev/null; then
    "$python" -m scribblebench report --runs "$out/runs" --out "$out/report"
fi
